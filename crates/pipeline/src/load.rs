//! From a folder or a text to a pipeline, or to all of its faults.

use std::path::Path as FilePath;
use std::sync::LazyLock;

use crate::document::{Document, Path};
use crate::fault::{Fault, Faults};
use crate::raw::RawPipeline;
use crate::report::Report;
use crate::resolve::resolve;
use crate::resolved::Pipeline;
use crate::{json_schema, structure};

/// The spec's name in its folder.
const SPEC_FILE: &str = "pipeline.toml";
/// Larger specs are refused unread; the largest useful ones have some tens of kilobytes.
const SPEC_BYTES_MAX: usize = 256 << 10;
/// Making the schema takes as long as reading a small spec.
static SCHEMA: LazyLock<serde_json::Value> = LazyLock::new(json_schema);

/// Reads the pipeline in a folder. Its id is the folder's name; files that it refers to have to exist.
pub fn load(folder: &FilePath) -> Result<Pipeline, Faults> {
    let file = folder.join(SPEC_FILE);
    let shown = file.display().to_string();
    let unreadable = |message: String, help: &str| {
        let mut fault = Fault::new("", 0..0, "unreadable", String::new(), message);
        fault.suggest(help);
        Faults::new(&shown, "", vec![fault])
    };
    let text = std::fs::read_to_string(&file)
        .map_err(|error| unreadable(format!("cannot read {shown}: {error}"), "a pipeline is a folder with a pipeline.toml"))?;
    // The folder may be given as `.`, which has no name of its own.
    let named = folder
        .canonicalize()
        .map_err(|error| unreadable(format!("cannot find {}: {error}", folder.display()), "name an existing folder"))?;
    let id = named.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    read(id, &shown, &text, &|path| is_file_inside(&named, path))
}

/// Reads a pipeline from the text of its spec; files that it refers to are taken to exist.
pub fn parse(id: &str, text: &str) -> Result<Pipeline, Faults> {
    read(id, &format!("pipelines/{id}/{SPEC_FILE}"), text, &|_| true)
}

fn read(id: &str, file: &str, text: &str, exists: &dyn Fn(&str) -> bool) -> Result<Pipeline, Faults> {
    if text.len() > SPEC_BYTES_MAX {
        let message = format!("this spec has {} bytes; {SPEC_BYTES_MAX} are allowed", text.len());
        let mut fault = Fault::new("", 0..0, "too_large", String::new(), message);
        fault.suggest("split the pipeline");
        return Err(Faults::new(file, "", vec![fault]));
    }
    let (document, faults) = Document::read(text);
    let Some(document) = document else { return Err(Faults::new(file, text, faults)) };
    let mut report = Report::new(&document, faults);
    let fitting = structure::check(&SCHEMA, &mut report);
    let raw = serde_json::from_value(fitting).unwrap_or_else(|error| {
        // Only when the structure check and the raw types disagree.
        report.value(&Path::default(), "unreadable", format!("this spec cannot be read: {error}"));
        RawPipeline::default()
    });
    let pipeline = resolve(id, &raw, exists, &mut report);
    if report.is_clean() { Ok(pipeline) } else { Err(Faults::new(file, text, report.into_faults())) }
}

/// Whether a path names a file that lies in the folder even when links are followed.
fn is_file_inside(folder: &FilePath, path: &str) -> bool {
    folder.join(path).canonicalize().is_ok_and(|found| found.starts_with(folder) && found.is_file())
}
