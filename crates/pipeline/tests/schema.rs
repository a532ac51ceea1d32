//! The published JSON Schema is the one that the code reads specs with.

use std::path::Path;

#[test]
fn the_published_schema_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/pipeline.schema.json");
    let current = format!("{:#}\n", pipeline::json_schema());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &current).expect("docs/reference can be written");
    }
    let published = std::fs::read_to_string(&file).expect("docs/reference has the schema");
    assert!(published == current, "the schema has changed; run this test with UPDATE=1 and review the difference");
}
