//! The model: what it is called, and which columns of the row it takes.

use std::collections::BTreeSet;

use domain::ValueKind;

use super::attributes::Attributes;
use super::row::CaseRow;
use crate::document::Path;
use crate::raw::RawModel;
use crate::report::Report;
use crate::resolved::Model;
use crate::suggestion::did_you_mean;

/// What a model package may have.
const INPUTS_MAX: usize = 16_000;
/// What a model package may be called: a name stands in predictions, paths and metrics.
const NAME_BYTES_MAX: usize = 100;

/// Reads the model.
pub(super) fn model(
    raw: &RawModel,
    path: &Path,
    row: &CaseRow,
    attributes: &Attributes,
    report: &mut Report<'_>,
) -> Option<Model> {
    if let Some(name) = &raw.name {
        check_model_name(name, &path.key("name"), report);
    }
    let names = raw.inputs.as_ref()?;
    let path = path.key("inputs");
    if names.is_empty() {
        let help = "name columns of the row, or leave [case.model] out";
        report.value(&path, "missing_key", "a model that takes nothing says the same of every case").suggest(help);
    }
    if names.len() > INPUTS_MAX {
        let message = format!("{} inputs are listed; {INPUTS_MAX} are allowed", names.len());
        report.value(&path, "too_many_columns", message).suggest("leave out those that tell the model least");
        return None;
    }
    let mut known = BTreeSet::new();
    let mut inputs = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let path = path.index(place);
        if !known.insert(name) {
            report.value(&path, "duplicate_name", format!("`{name}` is listed twice")).suggest("remove one of the two");
            continue;
        }
        inputs.extend(input(name, &path, row, attributes, report));
    }
    Some(Model { name: raw.name.clone()?, inputs })
}

fn input(name: &str, path: &Path, row: &CaseRow, attributes: &Attributes, report: &mut Report<'_>) -> Option<usize> {
    let scope = row.scope();
    let Some(place) = scope.names.iter().position(|known| known.name == name) else {
        if attributes.found.iter().any(|attribute| attribute.name == name) {
            let message = format!("`{name}` is a text, and a model takes numbers, conditions and categories");
            let help = "declare its field as a category, or name columns of the entity that it is the key of";
            report.value(path, "wrong_type", message).suggest(help);
        } else if !scope.is_broken(name) {
            let help = did_you_mean(name, scope.names.iter().map(|known| known.name.as_str()));
            report.value(path, "unknown_column", format!("there is no `{name}` among {}", scope.noun)).suggest_maybe(help);
        }
        return None;
    };
    if let Some((message, help)) = row.foreign(name) {
        report.value(path, "foreign_column", message).suggest(help);
    }
    if *row.row.kind(place) == ValueKind::Time {
        let message = format!("`{name}` is a time, and a time is no number");
        let help = "subtract it from another time in [case.inputs]: that gives seconds";
        report.value(path, "wrong_type", message).suggest(help);
    }
    Some(place)
}

fn check_model_name(name: &str, path: &Path, report: &mut Report<'_>) {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(plain) {
        let help = format!("use 1 to {NAME_BYTES_MAX} letters, digits, dots, dashes and underscores");
        report.value(path, "bad_name", format!("`{name}` is no name of a model")).suggest(help);
    }
}
