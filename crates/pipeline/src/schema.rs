//! The published JSON Schema, derived from the raw types: the one definition of the format that editors, the structure
//! check and the reader share.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use serde_json::Value;

use crate::raw::RawPipeline;

/// The JSON Schema (draft 2020-12) of `pipeline.toml`.
pub fn json_schema() -> Value {
    let generator = SchemaSettings::draft2020_12().with_transform(WithoutNulls).into_generator();
    generator.into_root_schema_for::<RawPipeline>().to_value()
}

/// TOML has no null: what may be left out is simply not required. Defaults of the reader (empty tables) say nothing
/// to an author and go, too.
#[derive(Clone, Debug)]
struct WithoutNulls;

impl Transform for WithoutNulls {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        schema.remove("default");
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                schema.insert("type".into(), only);
            }
        }
        if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
            choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
            if let [Value::Object(only)] = choices.as_slice() {
                let only = only.clone();
                schema.remove("anyOf");
                for (key, value) in only {
                    schema.ensure_object().entry(key).or_insert(value);
                }
            }
        }
    }
}
