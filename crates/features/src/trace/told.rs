//! What a trace tells of the records behind a value. Plain data.

use domain::{Timestamp, Value};

use super::Part;
use crate::Reason;

/// Where a record stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// Its partition.
    pub partition: u32,
    /// Its offset.
    pub offset: u64,
    /// The event's time.
    pub time: Timestamp,
    /// When the log took it.
    pub append_at: Timestamp,
}

/// An event or row inside the window.
#[derive(Clone, Debug, PartialEq)]
pub struct TracedRow {
    /// The event; of a pair the one that ends it, of a table the one that the row is, of an absence the last one before it.
    pub record: Origin,
    /// Where it counts: at the event's time, an absence when something was due.
    pub at: Timestamp,
    /// The event that a pair begins with.
    pub start: Option<Origin>,
    /// Whether it counts: its condition holds and no value of it is null.
    pub counts: bool,
    /// What it brings, one for each value that the feature takes; none for nulls and for texts.
    pub values: Vec<Option<Value>>,
}

/// A record of the entity that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TracedRefusal {
    /// Where it stands.
    pub record: Origin,
    /// Why.
    pub reason: Reason,
    /// By how many milliseconds it missed: how far below the lateness or beyond the skew; 0 for a duplicate.
    pub beyond_ms: i64,
    /// Whether its time is inside the window.
    pub inside: bool,
}

/// A tile with something in it.
#[derive(Clone, Debug, PartialEq)]
pub struct TracedTile {
    /// Its beginning.
    pub from: Timestamp,
    /// Events or rows that fell into it.
    pub events: u64,
    /// What is kept of them.
    pub parts: Vec<Part>,
}
