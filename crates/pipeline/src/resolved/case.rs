//! What is predicted as it is meant: a case, the events that move it, the row that it is scored with, and what is made of a score.

use domain::{Span, ValueKind};

use super::Transform;
use crate::expression::Expr;

/// Something that begins, moves through stages and ends: what is predicted is when the last stage comes.
#[derive(Clone, Debug, Default)]
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
    /// Values of the row that are computed for a case: `Expr::Field(i)` is the i-th of [`Case::columns`], and each comes after those that
    /// it uses.
    pub inputs: Vec<Transform>,
    /// What the model takes, as places in [`Case::columns`].
    pub model: Option<Model>,
    /// What is said when no model can be asked: the first whose value is known.
    pub fallbacks: Vec<Fallback>,
    /// Shorter and longer times than these, in seconds, are mistakes and teach nothing.
    pub label: (f64, f64),
}

/// An event that moves a case.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
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
    /// Places in [`Case::columns`].
    pub inputs: Vec<usize>,
}

/// What is said without a model.
#[derive(Clone, Debug)]
pub struct Fallback {
    /// What a prediction says of why it is one.
    pub name: String,
    /// The median in seconds, over [`Case::columns`].
    pub seconds: Expr,
    /// The quantiles as multiples of it, ascending: 10, 50, 80 and 90 in a hundred.
    pub spread: [f64; 4],
}

impl Case {
    /// The values of local time, after those of the features, transforms and attributes.
    pub const CALENDAR: [&'static str; 4] = ["local_hour", "local_minute", "local_weekday", "is_holiday"];
}
