//! What is known of a case when somebody asks about it, in the one form that a case under way and one that is only asked about share.

use domain::{Carried, Timestamp, Value};
use pipeline::Case;

use crate::Row;

/// What a case carries, and when it has reached its stages.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// By place of the attribute.
    pub attributes: Vec<Option<Carried>>,
    /// By place of the stage.
    pub reached_at: Vec<Option<Timestamp>>,
}

impl Facts {
    /// Of a case that nothing is known of.
    pub fn none(case: &Case) -> Self {
        Self { attributes: vec![None; case.attributes.len()], reached_at: vec![None; case.stages.len()] }
    }

    /// An attribute that is a key.
    pub fn key(&self, attribute: usize) -> Option<&str> {
        match self.attributes[attribute].as_ref()? {
            Carried::Text(key) => Some(key),
            Carried::Value(_) => None,
        }
    }

    /// The last stage that it is known to have reached. Those before it were passed, whether anybody told or not.
    pub fn stage(&self) -> Option<usize> {
        self.reached_at.iter().rposition(Option::is_some)
    }

    /// What it carries as values, and the seconds since it reached each stage but the last: its own columns of the row.
    pub(crate) fn values(&self, case: &Case, now: Timestamp) -> Row {
        let carried = case.attributes.iter().zip(&self.attributes).filter(|(declared, _)| declared.kind.is_some());
        let carried = carried.map(|(_, attribute)| match attribute {
            Some(Carried::Value(value)) => Some(*value),
            _ => None,
        });
        let (_, before) = self.reached_at.split_last().unwrap_or((&None, &[]));
        let since = |at: &Option<Timestamp>| at.map(|at| Value::Float(seconds_between(at, now)));
        carried.chain(before.iter().map(since)).collect()
    }
}

/// An event may be stamped a little in the future.
fn seconds_between(from: Timestamp, until: Timestamp) -> f64 {
    until.0.saturating_sub(from.0).max(0) as f64 / 1000.0
}
