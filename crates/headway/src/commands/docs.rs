//! `headway docs`: the generated pages below `docs/reference/`.

use std::{fs, path::Path};

use serde_json::json;

use crate::{console::Console, failure::Failure, pages, telemetry};

pub(super) fn run(folder: &Path, console: &Console) -> Result<(), Failure> {
    let mut written = Vec::new();
    let pages = [
        (pages::REFERENCE_FILE, pages::reference()),
        (pages::SCHEMA_FILE, pages::schema()),
        (pages::METRICS_FILE, telemetry::reference()),
    ];
    for (name, page) in pages {
        let path = folder.join(name);
        fs::write(&path, page).map_err(|error| Failure::writing(&path, &error))?;
        written.push(path.display().to_string());
    }
    console.result(|| json!({ "written": written }), || written.join("\n"))?;
    Ok(())
}
