//! The row of a case: columns of features, transforms, attributes, stages, local time and inputs, under names of their own; and which
//! of them a case can know.

use std::collections::{BTreeMap, BTreeSet};

use super::Surroundings;
use super::attributes::Attributes;
use super::moves::Moves;
use crate::document::Path;
use crate::raw::RawComputed;
use crate::report::Report;
use crate::resolve::computed::{self, Noun, Parsed, Row};
use crate::resolved::{Case, Transform};
use crate::sql::{Scope, Syntax};

const NOUN: Noun = Noun { one: "an input", many: "inputs" };

/// What expressions about a case see.
pub(super) struct CaseRow {
    pub(super) row: Row,
    /// Columns of entities that the case has no key for, and the entity of each.
    foreign: BTreeMap<String, String>,
    /// Attributes that are keys and no values.
    texts: BTreeSet<String>,
    /// What each name stands for.
    taken: BTreeMap<String, String>,
}

impl CaseRow {
    /// The row without its inputs.
    pub(super) fn new(
        path: &Path,
        around: Surroundings<'_>,
        moves: &Moves,
        attributes: &Attributes,
        report: &mut Report<'_>,
    ) -> Self {
        let Surroundings { groups, transforms, .. } = around;
        let columns = groups.groups.iter().flat_map(|group| group.columns()).map(|column| (column.name, column.kind));
        let transformed = transforms.values.iter().map(|transform| (transform.name.clone(), transform.kind.clone()));
        let own = Case::own_columns(&attributes.found, &moves.stages);
        let since = moves.stage_names.iter().map(|stage| Case::since(stage));
        let broken = [groups.broken.clone(), transforms.broken.clone(), attributes.broken.clone()].concat();
        // Where a stage is at fault the time since it is no column, and nobody is to blame for using it.
        let broken = if moves.whole { broken } else { broken.into_iter().chain(since).collect() };
        let row = Row::new("the columns of the case's row", columns.chain(transformed).chain(own), broken);
        let texts = attributes.found.iter().filter(|attribute| attribute.kind.is_none());
        let texts = texts.map(|attribute| attribute.name.clone()).collect();
        let mut row = Self { row, foreign: foreign(path, around, report), texts, taken: BTreeMap::new() };
        row.take_names(path, around, moves, report);
        row
    }

    /// What expressions see.
    pub(super) fn scope(&self) -> &Scope {
        self.row.scope()
    }

    /// Reads the inputs, which are part of the row from then on.
    pub(super) fn inputs(
        &mut self,
        written: &BTreeMap<String, RawComputed>,
        path: &Path,
        report: &mut Report<'_>,
    ) -> Vec<Transform> {
        for name in report.document().keys(path) {
            self.take(&name, "an input".into(), &path.key(&name), report);
        }
        let mut broken = Vec::new();
        let parsed = computed::parse(written, path, &NOUN, &mut broken, report);
        for (path, syntax) in parsed.iter().flat_map(Parsed::expressions) {
            self.check_names(path, syntax, report);
        }
        self.row.forgive(broken);
        computed::in_order(parsed, &mut self.row, &NOUN, report).values
    }

    /// Reports columns that a case can never know, and attributes that are no values.
    pub(super) fn check_names(&mut self, path: &Path, syntax: &Syntax, report: &mut Report<'_>) {
        for (name, span) in syntax.names() {
            if let Some((message, help)) = self.foreign(name) {
                report.part(path, span, "foreign_column", message).suggest(help);
            } else if self.texts.contains(name) {
                let message = format!("the attribute `{name}` is a text, which is a key and no value");
                let help = "declare its field as a category, or use columns of the entity that it is the key of";
                report.part(path, span, "type_mismatch", message).suggest(help);
                self.row.forgive(vec![name.into()]);
            }
        }
    }

    /// Why a case can never know a column, and what to do.
    pub(super) fn foreign(&self, name: &str) -> Option<(String, String)> {
        let entity = self.foreign.get(name)?;
        let message = format!("`{name}` is a value of `{entity}`, and the case has no key of one: it would always be null");
        Some((
            message,
            format!("add {entity} = \"ATTRIBUTE\" to `entities` with the attribute that has its key, or leave it out"),
        ))
    }

    fn take_names(&mut self, path: &Path, around: Surroundings<'_>, moves: &Moves, report: &mut Report<'_>) {
        for (column, made_by) in &around.groups.columns {
            self.taken.insert(column.clone(), format!("the column of `{made_by}`"));
        }
        for transform in &around.transforms.values {
            self.taken.insert(transform.name.clone(), "a transform".into());
        }
        for name in Case::CALENDAR {
            self.take(name, "local time".into(), path, report);
        }
        let passed = &moves.stage_names[..moves.stage_names.len().saturating_sub(1)];
        for stage in passed {
            let what = format!("the seconds since the stage `{stage}`");
            self.take(&Case::since(stage), what, &path.key("stages").key(stage), report);
        }
        let attributes = path.key("attributes");
        for name in report.document().keys(&attributes) {
            self.take(&name, "an attribute".into(), &attributes.key(&name), report);
        }
    }

    fn take(&mut self, name: &str, what: String, path: &Path, report: &mut Report<'_>) {
        if let Some(other) = self.taken.get(name) {
            let message = format!("`{name}` names two values of the row: {other} and {what}");
            report.key(path, "duplicate_name", message).suggest("rename one of the two");
        } else {
            self.taken.insert(name.into(), what);
        }
    }
}

/// Columns of entities that the case does not name, and transforms that use one.
fn foreign(path: &Path, around: Surroundings<'_>, report: &Report<'_>) -> BTreeMap<String, String> {
    let written = path.key("entities");
    let named: BTreeSet<String> = report.document().keys(&written).into_iter().collect();
    if named.is_empty() && report.is_written(&written) {
        // A fault of its own, and nothing to go by.
        return BTreeMap::new();
    }
    let mut owners: Vec<(String, Option<&str>)> = Vec::new();
    for group in &around.groups.groups {
        let owner = (!named.contains(&group.entity)).then_some(group.entity.as_str());
        owners.extend(group.columns().into_iter().map(|column| (column.name, owner)));
    }
    for transform in &around.transforms.values {
        let mut owner = None;
        transform.expr.each_field(&mut |place| owner = owner.or(owners[place].1));
        owners.push((transform.name.clone(), owner));
    }
    owners.into_iter().filter_map(|(name, owner)| Some((name, owner?.to_owned()))).collect()
}
