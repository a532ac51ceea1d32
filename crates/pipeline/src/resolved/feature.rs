//! Features as they are meant: what is aggregated, of which values, over which windows.

use domain::{Span, ValueKind};

use crate::expression::Expr;

/// One aggregation over one or more windows.
#[derive(Clone, Debug)]
pub struct Feature {
    /// Name in the spec.
    pub name: String,
    /// How values are aggregated.
    pub aggregator: Aggregator,
    /// Condition an event must meet, from `where` and, for counts, the counted condition.
    pub condition: Option<Expr>,
    /// The values: none for counts, two for `travel`, else one.
    pub inputs: Vec<Input>,
    /// Ascending; empty when the feature has no window.
    pub windows: Vec<Window>,
}

/// One window of a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// As written, `15m`; the end of the column's name.
    pub label: String,
    /// Its width, a multiple of the group's hop.
    pub width: Span,
}

/// A value that an aggregator takes from each event.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Over the source's fields.
    pub expr: Expr,
    /// What its units mean.
    pub kind: InputKind,
    /// Largest magnitude in units, at most 2^48.
    pub units_max: i64,
}

/// What the units of an input mean.
#[derive(Clone, Debug, PartialEq)]
pub enum InputKind {
    /// Multiples of `10^-digits`.
    Decimal {
        /// Digits after the point.
        digits: u8,
    },
    /// Whole numbers.
    Integer,
    /// 1 and 0.
    Boolean,
    /// Milliseconds.
    Time,
    /// Places in this list.
    Category(Vec<String>),
    /// Text, for `distinct` only.
    Text,
}

/// The aggregators.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aggregator {
    /// Number of events.
    Count,
    /// Number of events per span.
    Rate {
        /// The span.
        per: Span,
    },
    /// Sum of values.
    Sum,
    /// Mean of values.
    Mean,
    /// Population standard deviation.
    Std,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// Earliest value.
    First,
    /// Latest value.
    Last,
    /// Mean with weights that halve with age.
    Ewma {
        /// Age at which a weight is one half.
        half_life: Span,
    },
    /// Quantile from logarithmic bins.
    Quantile {
        /// In (0, 1).
        q: f64,
    },
    /// Number of different values.
    Distinct,
    /// The most frequent values.
    Top {
        /// How many.
        k: u8,
    },
    /// Rows of a table that are open.
    OpenCount,
    /// Length of the way along positions.
    Travel,
}

impl InputKind {
    /// What a single value of this kind becomes in a vector.
    pub fn carried(&self) -> ValueKind {
        match self {
            Self::Decimal { .. } => ValueKind::Float,
            Self::Integer | Self::Text => ValueKind::Integer,
            Self::Boolean => ValueKind::Boolean,
            Self::Time => ValueKind::Time,
            Self::Category(labels) => ValueKind::Category(labels.clone()),
        }
    }

    /// What units are divided by: `10^digits`, else 1.
    pub fn scale(&self) -> f64 {
        match self {
            Self::Decimal { digits } => 10f64.powi(i32::from(*digits)),
            _ => 1.0,
        }
    }
}
