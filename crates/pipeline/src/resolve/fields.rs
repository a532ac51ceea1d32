//! The typed fields of a stream or a file.

use std::collections::BTreeMap;

use crate::document::Path;
use crate::quantities::{self, UNITS_MAX};
use crate::raw::{FieldType, NumberText, RawField, RawFieldTable};
use crate::report::Report;
use crate::resolved::{Field, FieldKind};
use crate::suggestion::did_you_mean;

/// "null" means no value in expected values.
const NULL_LABEL: &str = "null";

/// The fields of a source while it is being read, by name.
#[derive(Default)]
pub(super) struct Fields {
    found: BTreeMap<String, Field>,
    /// Cells wait for the places of their coordinates.
    cells: BTreeMap<String, ([String; 2], u8)>,
    /// Fields declared with a fault.
    broken: Vec<String>,
}

impl Fields {
    /// Reads what is declared at `path`.
    pub(super) fn read(raw: &BTreeMap<String, RawField>, path: &Path, report: &mut Report<'_>) -> Self {
        let mut fields = Self::default();
        let declared = report.document().keys(path);
        for name in declared {
            let inner = path.key(&name);
            let kind = raw.get(&name).and_then(|field| fields.declared(&name, field, &inner, report));
            match kind {
                Some((kind, required)) => {
                    fields.found.insert(name.clone(), Field { name, kind, required });
                }
                None => fields.broken.push(name),
            }
        }
        fields
    }

    /// Makes sure that a role's field is there, required, and of a kind that suits the role.
    pub(super) fn need(
        &mut self,
        name: &str,
        implied: FieldKind,
        suits: fn(&FieldKind) -> bool,
        role: (&Path, &str),
        report: &mut Report<'_>,
    ) {
        if self.broken.iter().any(|broken| broken == name) {
            return;
        }
        let field = Field { name: name.into(), kind: implied, required: true };
        let field = self.found.entry(name.into()).or_insert(field);
        field.required = true;
        if !suits(&field.kind) {
            let message = format!("`{name}` cannot be the {}: it is {}", role.1, phrase(&field.kind));
            report.value(role.0, "wrong_type", message).suggest("choose another field, or declare this one with another type");
        }
    }

    /// The fields, sorted by name, and the names of those at fault.
    pub(super) fn finish(mut self, path: &Path, report: &mut Report<'_>) -> (Vec<Field>, Vec<String>) {
        let places: BTreeMap<String, usize> = self.found.keys().cloned().zip(0..).collect();
        for (name, (coordinates, resolution)) in &self.cells {
            let inner = path.key(name).key("cell");
            let [latitude, longitude] = [0, 1].map(|place| {
                let wanted = &coordinates[place];
                self.coordinate(wanted, &inner.index(place), report).and_then(|()| places.get(wanted).copied())
            });
            let (Some(latitude), Some(longitude)) = (latitude, longitude) else { continue };
            if let Some(field) = self.found.get_mut(name) {
                field.kind = FieldKind::Cell { latitude, longitude, resolution: *resolution };
            }
        }
        (self.found.into_values().collect(), self.broken)
    }

    fn coordinate(&self, name: &str, path: &Path, report: &mut Report<'_>) -> Option<()> {
        match self.found.get(name) {
            Some(Field { kind: FieldKind::Decimal { .. }, .. }) => Some(()),
            Some(field) => {
                let message = format!("a cell is made of decimals; `{name}` is {}", phrase(&field.kind));
                report
                    .value(path, "wrong_type", message)
                    .suggest(format!("declare {name} = {{ decimal = \"0.000001\", max = 180 }}"));
                None
            }
            None if self.broken.iter().any(|broken| broken == name) => None,
            None => {
                let help = did_you_mean(name, self.found.keys().map(String::as_str));
                report.value(path, "unknown_field", format!("there is no field `{name}`")).suggest_maybe(help);
                None
            }
        }
    }

    fn declared(&mut self, name: &str, raw: &RawField, path: &Path, report: &mut Report<'_>) -> Option<(FieldKind, bool)> {
        match raw {
            RawField::Name(named) => Some((plain(*named), false)),
            RawField::Table(table) => {
                let kind = self.table(name, table, path, report)?;
                Some((kind, table.required.unwrap_or(false)))
            }
        }
    }

    fn table(&mut self, name: &str, raw: &RawFieldTable, path: &Path, report: &mut Report<'_>) -> Option<FieldKind> {
        let written: Vec<&str> =
            ["type", "decimal", "category", "cell"].into_iter().filter(|key| report.is_written(&path.key(key))).collect();
        let [only] = written.as_slice() else {
            let message = format!("`{name}` needs exactly one of `type`, `decimal`, `category` and `cell`");
            report
                .value(path, "missing_key", message)
                .suggest("write { decimal = \"0.01\" } or { type = \"string\" }, for instance");
            return None;
        };
        let allowed: &[&str] = match (*only, raw.named) {
            ("decimal", _) => &["decimal", "min", "max", "round", "required"],
            ("type", Some(FieldType::Integer)) => &["type", "min", "max", "required"],
            ("type", _) => &["type", "required"],
            ("category", _) => &["category", "required"],
            _ => &["cell", "resolution"],
        };
        for key in report.document().keys(path).iter().filter(|key| !allowed.contains(&key.as_str())) {
            if ["min", "max", "round", "required", "resolution"].contains(&key.as_str()) {
                report
                    .key(&path.key(key), "misplaced_key", format!("`{key}` says nothing about this kind of field"))
                    .suggest("remove it");
            }
        }
        match *only {
            "decimal" => {
                let step = raw.decimal.as_ref()?;
                let digits = report.take(&path.key("decimal"), "bad_step", quantities::step(&step.0))?;
                let (min, max) = bounds(raw, digits, path, report);
                Some(FieldKind::Decimal { digits, min, max, round: raw.round.unwrap_or(false) })
            }
            "category" => category(raw.category.as_ref()?, &path.key("category"), report),
            "cell" => {
                report.missing(path, "resolution", "the H3 resolution, 0 to 15");
                self.cells.insert(name.into(), (raw.cell.clone()?, raw.resolution?));
                Some(FieldKind::Text)
            }
            _ if raw.named == Some(FieldType::Integer) => {
                let (min, max) = bounds(raw, 0, path, report);
                Some(FieldKind::Integer { min, max })
            }
            _ => raw.named.map(plain),
        }
    }
}

/// A kind of field as messages call it.
pub(super) fn phrase(kind: &FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "a string",
        FieldKind::Integer { .. } => "an integer",
        FieldKind::Decimal { .. } => "a decimal",
        FieldKind::Boolean => "a boolean",
        FieldKind::Time => "a time",
        FieldKind::Category(_) => "a category",
        FieldKind::Cell { .. } => "a cell",
    }
}

fn plain(named: FieldType) -> FieldKind {
    match named {
        FieldType::String => FieldKind::Text,
        FieldType::Integer => FieldKind::Integer { min: -UNITS_MAX, max: UNITS_MAX },
        FieldType::Boolean => FieldKind::Boolean,
        FieldType::Time => FieldKind::Time,
    }
}

fn bounds(raw: &RawFieldTable, digits: u8, path: &Path, report: &mut Report<'_>) -> (i64, i64) {
    let mut bound = |key: &str, written: &Option<NumberText>| {
        let text = match written.as_ref()? {
            NumberText::Number(number) => number.to_string(),
            NumberText::Text(text) => text.clone(),
        };
        report.take(&path.key(key), "bad_number", quantities::units(&text, digits))
    };
    let max = bound("max", &raw.max).unwrap_or(UNITS_MAX);
    let min = bound("min", &raw.min).unwrap_or(-max.abs());
    if min > max {
        report.value(&path.key("min"), "out_of_range", "`min` is larger than `max`").suggest("exchange the two");
    }
    (min, max)
}

fn category(labels: &[String], path: &Path, report: &mut Report<'_>) -> Option<FieldKind> {
    if labels.is_empty() {
        report
            .value(path, "missing_key", "a category needs at least one value")
            .suggest("list its values, as in [\"clear\", \"rain\"]");
        return None;
    }
    for (place, label) in labels.iter().enumerate() {
        if labels[..place].contains(label) {
            report
                .value(&path.index(place), "duplicate_name", format!("'{label}' is listed twice"))
                .suggest("remove one of the two");
        }
        if label == NULL_LABEL || label.is_empty() {
            let message = "a value cannot be empty or \"null\", which both mean no value";
            report.value(&path.index(place), "bad_name", message).suggest("leave the field out where there is no value");
        }
    }
    Some(FieldKind::Category(labels.to_vec()))
}
