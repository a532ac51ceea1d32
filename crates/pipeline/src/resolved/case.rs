//! What is predicted as it is meant: a case, the events that move it, the row that it is scored with, and what is made of a score.

use domain::{Span, ValueKind};

use super::{CalibrationRules, CorrectorRules, PromiseRules, Transform};
use crate::expression::Expr;

/// Something that begins, moves through stages and ends: what is predicted is when the last stage comes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// What predictions are about: the `order` of `order:o1`.
    pub entity: String,
    /// A case that has not ended after this never will.
    pub longest: Span,
    /// In their order, at least two. The first opens a case, the last closes it.
    pub stages: Vec<Move>,
    /// What ends a case without its last stage.
    pub ends: Vec<Move>,
    /// What a case carries.
    pub attributes: Vec<Attribute>,
    /// Entities whose groups are part of the row, and the attribute that has the key of each.
    pub entities: Vec<(String, usize)>,
    /// The attribute by which errors are corrected and calibrated.
    pub area: Option<usize>,
    /// When a prediction is made.
    pub triggers: Triggers,
    /// Values of the row that are computed for a case: `Expr::Field(i)` is the i-th of
    /// [`Pipeline::case_columns`](super::Pipeline::case_columns), and each comes after those that it uses.
    pub inputs: Vec<Transform>,
    /// What the model is called and takes; none when every prediction is a fallback.
    pub model: Option<Model>,
    /// What is said when no model can be asked: the first whose value is known. The last is a number and needs no column.
    pub fallbacks: Vec<Fallback>,
    /// Shorter and longer times than these, in seconds, are mistakes and teach nothing.
    pub label: (f64, f64),
    /// The clocks of local time; [`time_zone`](crate::time_zone) knows its name.
    pub zone: String,
    /// The days on which `is_holiday` holds; [`day`](crate::day) reads each.
    pub holidays: Vec<String>,
    /// How one time is promised out of a prediction.
    pub promise: PromiseRules,
    /// How errors move predictions, with one prediction for the whole case; none where they do not. `longest` is the case's own as far
    /// as a corrector follows.
    pub corrector: Option<CorrectorRules>,
    /// How quantiles are calibrated; none where they are not.
    pub calibration: Option<CalibrationRules>,
}

/// An event that moves a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// Name in the spec.
    pub name: String,
    /// Index of the stream.
    pub source: usize,
    /// Over the stream's fields; every event when left out.
    pub filter: Option<Expr>,
    /// The field of the stream with the key of the case.
    pub key: usize,
}

/// What a case carries: the value of the latest event that had one.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    /// Name in the spec; unique among the columns of the row.
    pub name: String,
    /// None for a text, which is a key and no value.
    pub kind: Option<ValueKind>,
    /// Streams that tell it, and the field of each.
    pub told_by: Vec<(usize, usize)>,
}

/// When a prediction is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Triggers {
    /// Places of the stages that make one when a case reaches them; never the last.
    pub stages: Vec<usize>,
    /// And so often while a case is open.
    pub every: Option<Span>,
}

/// What a model has to look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// Its name, the same for all versions.
    pub name: String,
    /// Places in [`Pipeline::case_columns`](super::Pipeline::case_columns): numbers, conditions and categories, each once.
    pub inputs: Vec<usize>,
}

/// What is said without a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Fallback {
    /// What a prediction says of why it is one.
    pub name: String,
    /// The median of the seconds that are left until the last stage, over [`Pipeline::case_columns`](super::Pipeline::case_columns).
    pub seconds: Expr,
    /// The quantiles as multiples of it, ascending: 10, 50, 80 and 90 in a hundred.
    pub spread: [f64; 4],
}

impl Case {
    /// Whether anything is learned from outcomes.
    pub fn learns(&self) -> bool {
        self.corrector.is_some() || self.calibration.is_some()
    }

    /// The values of local time, after those of the features, transforms, attributes and stages: three integers and a boolean.
    pub const CALENDAR: [&'static str; 4] = ["local_hour", "local_minute", "local_weekday", "is_holiday"];

    /// What the row of a case has between the columns of the features and the inputs: attributes that are values, the seconds
    /// since each stage but the last (null while it is not reached), and local time.
    pub(crate) fn own_columns(attributes: &[Attribute], stages: &[Move]) -> Vec<(String, ValueKind)> {
        let values = attributes.iter().filter_map(|attribute| Some((attribute.name.clone(), attribute.kind.clone()?)));
        let passed = &stages[..stages.len().saturating_sub(1)];
        let since = passed.iter().map(|stage| (Self::since(&stage.name), ValueKind::Float));
        let kinds = [ValueKind::Integer, ValueKind::Integer, ValueKind::Integer, ValueKind::Boolean];
        let calendar = Self::CALENDAR.into_iter().map(str::to_owned).zip(kinds);
        values.chain(since).chain(calendar).collect()
    }

    /// The column with the seconds since a stage.
    pub(crate) fn since(stage: &str) -> String {
        format!("since_{stage}")
    }
}
