//! Groups as they are meant, and the columns of their vectors.

use domain::{Span, ValueKind};

use super::{Aggregator, Feature};
use crate::expression::Expr;

/// A set of features that share entity, key, source and hop, and one packed vector.
#[derive(Clone, Debug)]
pub struct Group {
    /// Name in the spec.
    pub name: String,
    /// Entity type: the `store` of `store:42`.
    pub entity: String,
    /// Text or number over the source's fields.
    pub key: Expr,
    /// Index of the source.
    pub source: usize,
    /// Condition that all events of the group meet.
    pub filter: Option<Expr>,
    /// Length of a tile.
    pub hop: Span,
    /// How long after `valid_until` a vector may be rewritten.
    pub tolerance: Span,
    /// What a reader does with an outdated vector.
    pub when_outdated: WhenOutdated,
    /// How long values without a window, and online keys, outlive the last event.
    pub keep: Span,
    /// The most entities that are held at once.
    pub entities_max: u64,
    /// In the order of the spec.
    pub features: Vec<Feature>,
}

/// What a reader does with a vector that is outdated by more than the tolerance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenOutdated {
    /// Use it, flagged.
    Serve,
    /// Use the defaults of the model signature.
    Default,
    /// Use the last value that was right.
    LastGood,
    /// Answer with an error.
    Refuse,
}

/// One value of a group's vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// `prep_mean_15m`; unique in the pipeline.
    pub name: String,
    /// How its eight bytes are read.
    pub kind: ValueKind,
    /// Index into the group's features.
    pub feature: usize,
    /// Index into the feature's windows; none when it has no windows.
    pub window: Option<usize>,
    /// 0, except for `top`: 2·i is the i-th value, 2·i + 1 its count, 2·k the overflow.
    pub part: usize,
}

impl Group {
    /// The values of the group's vector, in their packed order.
    pub fn columns(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        for (index, feature) in self.features.iter().enumerate() {
            if feature.windows.is_empty() {
                feature.add_columns(&mut columns, index, None, &feature.name);
            }
            for (window, declared) in feature.windows.iter().enumerate() {
                feature.add_columns(&mut columns, index, Some(window), &format!("{}_{}", feature.name, declared.label));
            }
        }
        columns
    }

    /// The widest window, zero when no feature has one.
    pub fn widest(&self) -> Span {
        self.features.iter().flat_map(|feature| &feature.windows).map(|window| window.width).max().unwrap_or_default()
    }
}

impl Feature {
    fn add_columns(&self, columns: &mut Vec<Column>, feature: usize, window: Option<usize>, name: &str) {
        let mut add = |name: String, kind: ValueKind, part: usize| columns.push(Column { name, kind, feature, window, part });
        match self.aggregator {
            Aggregator::Count | Aggregator::Distinct | Aggregator::OpenCount => add(name.into(), ValueKind::Integer, 0),
            Aggregator::Min | Aggregator::Max | Aggregator::First | Aggregator::Last => {
                add(name.into(), self.inputs[0].kind.carried(), 0);
            }
            Aggregator::Top { k } => {
                for place in 0..usize::from(k) {
                    add(format!("{name}_{}", place + 1), self.inputs[0].kind.carried(), 2 * place);
                    add(format!("{name}_{}_count", place + 1), ValueKind::Integer, 2 * place + 1);
                }
                add(format!("{name}_overflow"), ValueKind::Integer, 2 * usize::from(k));
            }
            Aggregator::Rate { .. }
            | Aggregator::Sum
            | Aggregator::Mean
            | Aggregator::Std
            | Aggregator::Ewma { .. }
            | Aggregator::Quantile { .. }
            | Aggregator::Travel => add(name.into(), ValueKind::Float, 0),
        }
    }
}
