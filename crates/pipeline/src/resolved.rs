//! A pipeline as it is meant: every name looked up, every type known, every default filled in.
//!
//! Only the resolver builds these types, from a spec without faults. They hold indices instead of names, know nothing
//! of TOML, and are the same for the engine, the backfill, the oracle and the checks.

mod absence;
mod case;
mod feature;
mod field;
mod group;
mod rules;
mod source;

use domain::ValueKind;

pub use self::{
    absence::{Absence, AbsenceRule, LocalTime, Zone},
    case::{Attribute, Case, Fallback, Model, Move, Triggers},
    feature::{Aggregator, Feature, Input, InputKind, Window},
    field::{Field, FieldKind},
    group::{Column, Group, WhenOutdated},
    rules::{CalibrationRules, CorrectorRules, PromiseRules},
    source::{Encoding, Pair, Source, SourceKind, Stream, Table},
};
use crate::expression::Expr;

/// One pipeline.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// The folder's name; topics, keys and tables begin with it.
    pub id: String,
    /// What the live state may take, in bytes (`[limits] memory`).
    pub memory_max: u64,
    /// Every derived source comes after the source it is made from.
    pub sources: Vec<Source>,
    /// In the order of the spec.
    pub groups: Vec<Group>,
    /// A transform comes after the transforms that it uses.
    pub transforms: Vec<Transform>,
    /// What is predicted, if anything is.
    pub case: Option<Case>,
    /// The folder's own tests.
    pub tests: Vec<Example>,
}

/// A value computed from the joined row of features.
#[derive(Clone, Debug, PartialEq)]
pub struct Transform {
    /// Name in the spec; unique among columns and transforms.
    pub name: String,
    /// `Expr::Field(i)` is the i-th of [`Pipeline::row_columns`].
    pub expr: Expr,
    /// Its type.
    pub kind: ValueKind,
}

/// One of a pipeline's own tests.
#[derive(Clone, Debug)]
pub struct Example {
    /// Its name.
    pub name: String,
    /// JSON lines, path relative to the pipeline's folder: each line an event with the additional keys `_source` (may be
    /// left out when the pipeline has one stream) and `_at` (append time; else the event's own time).
    pub events: String,
    /// The instant of the vectors; else one millisecond after the last append time.
    pub at: Option<domain::Timestamp>,
    /// Entity (`store:42`), column or transform, expected value (none: null).
    pub expect: Vec<(String, String, Option<f64>)>,
    /// Reason and number of refused records; when given, all reasons must be.
    pub refused: Option<Vec<(String, u64)>>,
    /// What is told of absences; when given, all of it must be.
    pub absences: Option<Vec<ToldAbsence>>,
}

/// An absence that a test expects to be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToldAbsence {
    /// Index of the absence.
    pub source: usize,
    /// Of whom something is missing.
    pub key: String,
    /// When it should have come.
    pub due: domain::Timestamp,
    /// Whether a late event shows that it had.
    pub taken_back: bool,
}

impl Pipeline {
    /// The columns of all groups, in order, followed by the transforms: what a transform may refer to.
    pub fn row_columns(&self) -> Vec<(String, ValueKind)> {
        let columns = self.groups.iter().flat_map(|group| group.columns()).map(|column| (column.name, column.kind));
        columns.chain(self.transforms.iter().map(|transform| (transform.name.clone(), transform.kind.clone()))).collect()
    }

    /// What the row of a case has, in order: what [`row_columns`](Self::row_columns) has, attributes that are values, `since_…` for
    /// each stage but the last, [`Case::CALENDAR`], and the inputs. Columns of entities that the case does not name are always null.
    /// Nothing when no case is declared.
    pub fn case_columns(&self) -> Vec<(String, ValueKind)> {
        let Some(case) = &self.case else { return Vec::new() };
        let inputs = case.inputs.iter().map(|input| (input.name.clone(), input.kind.clone()));
        let own = Case::own_columns(&case.attributes, &case.stages);
        self.row_columns().into_iter().chain(own).chain(inputs).collect()
    }

    /// The same pipeline with some of its groups only, and without what is made of all of them.
    pub fn with_groups(&self, wanted: impl Fn(&str) -> bool) -> Self {
        let groups = self.groups.iter().filter(|group| wanted(&group.name)).cloned().collect();
        Self { groups, transforms: Vec::new(), case: None, tests: Vec::new(), ..self.clone() }
    }

    /// The stream that feeds a source: itself for a stream, none for a file.
    pub fn base_of(&self, source: usize) -> Option<usize> {
        match &self.sources[source].kind {
            SourceKind::Stream(_) => Some(source),
            SourceKind::Pair(pair) => Some(pair.from),
            SourceKind::Table(table) => Some(table.from),
            SourceKind::Absence(absence) => Some(absence.from),
            SourceKind::File { .. } => None,
        }
    }
}
