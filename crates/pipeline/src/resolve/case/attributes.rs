//! Attributes: what a case carries, which streams tell it, and which of them are keys of entities.

use std::collections::BTreeMap;

use domain::ValueKind;

use super::moves::Moves;
use crate::document::Path;
use crate::raw::{RawAttribute, RawCase};
use crate::report::Report;
use crate::resolve::check_name;
use crate::resolve::fields::phrase;
use crate::resolve::groups::Groups;
use crate::resolve::sources::{Sources, field_place};
use crate::resolved::{Attribute, FieldKind};
use crate::suggestion::did_you_mean;

/// Every open case keeps all of them.
const ATTRIBUTES_MAX: usize = 64;

/// The attributes that could be read.
#[derive(Default)]
pub(super) struct Attributes {
    pub(super) found: Vec<Attribute>,
    /// Names of those at fault.
    pub(super) broken: Vec<String>,
}

impl Attributes {
    /// Reads all attributes, in the order of the spec.
    pub(super) fn read(raw: &RawCase, path: &Path, moves: &Moves, sources: &Sources, report: &mut Report<'_>) -> Self {
        let all = path.key("attributes");
        let names = report.document().keys(&all);
        let mut attributes = Self::default();
        if names.len() > ATTRIBUTES_MAX {
            let message = format!("{} attributes are declared; {ATTRIBUTES_MAX} are allowed", names.len());
            report.key(&all, "out_of_range", message).suggest("keep what the keys of entities, the inputs and the model need");
        }
        for name in names {
            let path = all.key(&name);
            check_name(&path, &name, report);
            let told_by = match raw.attributes.get(&name) {
                Some(RawAttribute::Field(field)) => told_by_all(field, &path, moves, sources, report),
                Some(RawAttribute::Fields(fields)) => told_by_some(fields, &path, moves, sources, report),
                None => None,
            };
            match told_by.and_then(|told_by| attribute(&name, told_by, &path, sources, report)) {
                Some(attribute) => attributes.found.push(attribute),
                None => attributes.broken.push(name),
            }
        }
        attributes
    }

    /// The entities whose columns are part of the row.
    pub(super) fn entities(&self, raw: &RawCase, path: &Path, groups: &Groups, report: &mut Report<'_>) -> Vec<(String, usize)> {
        let all = path.key("entities");
        let mut entities = Vec::new();
        for name in report.document().keys(&all) {
            let path = all.key(&name);
            let types = || groups.groups.iter().map(|group| group.entity.as_str());
            if groups.broken.is_empty() && types().all(|known| known != name) {
                let help = did_you_mean(&name, types().collect::<std::collections::BTreeSet<_>>());
                report.key(&path, "unknown_entity", format!("no group has the entity type `{name}`")).suggest_maybe(help);
            }
            let key = raw.entities.get(&name).and_then(|attribute| self.key(attribute, &path, report));
            entities.extend(key.map(|key| (name, key)));
        }
        entities
    }

    /// The attribute of this name, which has to be a text: the key of something.
    pub(super) fn key(&self, name: &str, path: &Path, report: &mut Report<'_>) -> Option<usize> {
        let Some(place) = self.found.iter().position(|attribute| attribute.name == name) else {
            if !self.broken.iter().any(|broken| broken == name) {
                let help = did_you_mean(name, self.found.iter().map(|attribute| attribute.name.as_str()))
                    .unwrap_or_else(|| format!("add {name} = \"{name}\" to [case.attributes]"));
                report.value(path, "unknown_attribute", format!("there is no attribute `{name}`")).suggest(help);
            }
            return None;
        };
        if self.found[place].kind.is_some() {
            let message = format!("`{name}` is a value, and a key is a text");
            report.value(path, "wrong_type", message).suggest("name an attribute whose field is a string or a cell");
        }
        Some(place)
    }
}

fn told_by_all(
    field: &str,
    path: &Path,
    moves: &Moves,
    sources: &Sources,
    report: &mut Report<'_>,
) -> Option<Vec<(usize, usize)>> {
    let streams = moves.streams();
    let place = |source: usize| sources.get(source).fields.iter().position(|known| known.name == field);
    let told_by: Vec<(usize, usize)> = streams.iter().filter_map(|source| Some((*source, place(*source)?))).collect();
    if !told_by.is_empty() {
        return Some(told_by);
    }
    if moves.whole && !streams.iter().any(|source| sources.scope(*source).is_broken(field)) {
        let known = streams.iter().flat_map(|source| &sources.get(*source).fields);
        let help = did_you_mean(field, known.map(|field| field.name.as_str()).collect::<std::collections::BTreeSet<_>>());
        report.value(path, "unknown_field", format!("no stream of a stage or an end has a field `{field}`")).suggest_maybe(help);
    }
    None
}

fn told_by_some(
    fields: &BTreeMap<String, String>,
    path: &Path,
    moves: &Moves,
    sources: &Sources,
    report: &mut Report<'_>,
) -> Option<Vec<(usize, usize)>> {
    let streams = moves.streams();
    let mut told_by = Vec::new();
    for (name, field) in fields {
        let inner = path.key(name);
        let Some(source) = streams.iter().copied().find(|source| sources.get(*source).name == *name) else {
            if moves.whole {
                let help = did_you_mean(name, streams.iter().map(|source| sources.get(*source).name.as_str()));
                let message = format!("`{name}` is no stream of a stage or an end, and only those tell attributes");
                report.key(&inner, "unknown_source", message).suggest_maybe(help);
            }
            continue;
        };
        let place = field_place(sources.get(source), sources.scope(source), field, &inner, report);
        told_by.extend(place.map(|place| (source, place)));
    }
    if fields.is_empty() {
        let message = "no stream tells this attribute";
        report.value(path, "missing_key", message).suggest("write the name of its field, or { STREAM = \"FIELD\" }");
    }
    told_by.sort_unstable();
    (!told_by.is_empty()).then_some(told_by)
}

/// Streams that tell an attribute have to agree on what it is.
fn attribute(
    name: &str,
    told_by: Vec<(usize, usize)>,
    path: &Path,
    sources: &Sources,
    report: &mut Report<'_>,
) -> Option<Attribute> {
    let field = |(source, field): (usize, usize)| &sources.get(source).fields[field].kind;
    let first = *told_by.first()?;
    let kind = value_kind(field(first));
    if let Some(other) = told_by.iter().copied().find(|told| value_kind(field(*told)) != kind) {
        let (one, two) = (&sources.get(first.0).name, &sources.get(other.0).name);
        let message = format!("`{name}` is {} in `{one}` and {} in `{two}`", phrase(field(first)), phrase(field(other)));
        report.value(path, "wrong_type", message).suggest("declare both fields alike, or make an attribute of each");
        return None;
    }
    Some(Attribute { name: name.into(), kind, told_by })
}

/// None for what is a key and no value.
fn value_kind(kind: &FieldKind) -> Option<ValueKind> {
    match kind {
        FieldKind::Text | FieldKind::Cell { .. } => None,
        FieldKind::Integer { .. } => Some(ValueKind::Integer),
        FieldKind::Decimal { .. } => Some(ValueKind::Float),
        FieldKind::Boolean => Some(ValueKind::Boolean),
        FieldKind::Time => Some(ValueKind::Time),
        FieldKind::Category(labels) => Some(ValueKind::Category(labels.clone())),
    }
}
