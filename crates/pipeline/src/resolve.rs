//! From what was written to what is meant: looks up every name, types every expression, fills in every default.
//!
//! Goes on after a fault with a stand-in, so that all faults are found at once; a pipeline with stand-ins is never handed
//! out, since its report is not clean.

mod case;
mod computed;
mod examples;
mod expressions;
mod features;
mod fields;
mod groups;
mod inputs;
mod sources;
mod transforms;

use crate::document::Path;
use crate::memory::memory;
use crate::quantities::{self, show_size};
use crate::raw::RawPipeline;
use crate::report::Report;
use crate::resolved::Pipeline;

/// What live state may take when a spec does not say.
const MEMORY_MAX_DEFAULT: u64 = 1 << 30;
/// The longest name; names become parts of topics, keys and columns.
const NAME_LENGTH_MAX: usize = 64;

/// Resolves a spec. `exists` says whether the pipeline's folder has a file.
pub(crate) fn resolve(id: &str, raw: &RawPipeline, exists: &dyn Fn(&str) -> bool, report: &mut Report<'_>) -> Pipeline {
    let root = Path::default();
    check_id(id, report);
    let memory_path = root.key("limits").key("memory");
    let memory_max = raw.limits.memory.as_ref().and_then(|text| report.take(&memory_path, "bad_size", quantities::size(&text.0)));
    let sources = sources::resolve(raw, exists, report);
    let groups = groups::resolve(raw, &sources, report);
    let transforms = transforms::resolve(raw, &groups, report);
    let mut used = groups.used_sources.clone();
    let around = case::Surroundings { sources: &sources, groups: &groups, transforms: &transforms };
    let case = case::resolve(raw, around, &mut used, report);
    sources.report_unused(&used, report);
    let pipeline = Pipeline {
        id: id.into(),
        memory_max: memory_max.unwrap_or(MEMORY_MAX_DEFAULT),
        sources: sources.into_resolved(),
        groups: groups.groups,
        transforms: transforms.values,
        case,
        tests: Vec::new(),
    };
    let broken = [groups.broken, transforms.broken].concat();
    let tests = examples::resolve(raw, &pipeline, &broken, exists, report);
    let pipeline = Pipeline { tests, ..pipeline };
    if report.is_clean() {
        check_memory(&pipeline, report);
    }
    pipeline
}

/// Names become parts of columns and keys, so they are kept simple.
fn check_name(path: &Path, name: &str, report: &mut Report<'_>) {
    let simple = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !simple || !name.starts_with(|first: char| first.is_ascii_lowercase()) || name.len() > NAME_LENGTH_MAX {
        let help =
            format!("names are lower-case letters, digits and `_`, begin with a letter and have at most {NAME_LENGTH_MAX}");
        report.key(path, "bad_name", format!("`{name}` is no name")).suggest(help);
    }
}

/// A path inside the pipeline's folder, to a file that is there.
fn check_file(path: &Path, file: &str, exists: &dyn Fn(&str) -> bool, report: &mut Report<'_>) {
    let parts_are_plain = file.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    if !parts_are_plain || file.contains(['\\', ':', '\0']) {
        let message = format!("`{file}` does not lie in the pipeline's folder");
        report.value(path, "path_escapes", message).suggest("write a path below the folder, such as \"tests/one_order.jsonl\"");
    } else if !exists(file) {
        let message = format!("the pipeline's folder has no file `{file}`");
        report.value(path, "missing_file", message).suggest("create the file, or correct its name");
    }
}

fn check_id(id: &str, report: &mut Report<'_>) {
    let simple = id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !simple || !id.starts_with(|first: char| first.is_ascii_lowercase()) || id.len() > NAME_LENGTH_MAX {
        let message = format!("`{id}` is no name of a pipeline");
        let help = "rename the folder: lower-case letters, digits and `-`, beginning with a letter";
        report.value(&Path::default(), "bad_name", message).suggest(help);
    }
}

fn check_memory(pipeline: &Pipeline, report: &mut Report<'_>) {
    let plan = memory(pipeline);
    if plan.total() > pipeline.memory_max {
        let (needed, bound) = (show_size(plan.total()), show_size(pipeline.memory_max));
        let message =
            format!("live state may need {needed}, and {bound} are allowed\n  {}", plan.arithmetic().replace('\n', "\n  "));
        let path = Path::default().key("limits").key("memory");
        let help = "raise `[limits] memory`, or lower `entities`, widen `hop` or shorten windows where most is used";
        report.value(&path, "over_memory", message).suggest(help);
    }
}
