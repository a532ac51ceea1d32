//! Everything that one picture shows, and nothing of where it came from. Plain data.

use std::time::Duration;

use domain::{Span, Timestamp};

use crate::{city, view::keys::Choice};

/// One moment of a running Headway.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frame {
    /// The pipelines that run.
    pub(super) title: String,
    /// The host's clock.
    pub(super) clock: Timestamp,
    /// How fast that clock goes.
    pub(super) speed: f64,
    /// How long it has run, by a watch.
    pub(super) elapsed: Duration,
    /// Records taken in each of the last seconds, the latest last.
    pub(super) rates: Vec<u64>,
    /// Within how many milliseconds half of the records of the last minute could be read, and 99 of 100.
    pub(super) readable_ms: Option<(u64, u64)>,
    /// Records in the log that were not taken yet.
    pub(super) behind: u64,
    /// Records refused, by reason, the most frequent first.
    pub(super) refused: Vec<(&'static str, u64)>,
    /// Entities in the engines, of all groups.
    pub(super) entities: u64,
    /// Vectors in the online store.
    /// None when a server holds them, which is not asked for their number.
    pub(super) vectors: Option<u64>,
    /// Partitions that are being worked on.
    pub(super) partitions: usize,
    pub(super) workers: usize,
    pub(super) snapshots: u64,
    /// Whether a new generation is being built while the old one serves.
    pub(super) builds: bool,
    /// What is predicted; none where nothing is.
    pub(super) predictions: Option<Predictions>,
    /// How it came out; none before anything did.
    pub(super) outcomes: Option<Outcomes>,
    /// A simulated city.
    pub(super) city: Option<city::Figures>,
    /// One for each entity type.
    pub(super) panels: Vec<Panel>,
    /// What a person should hear.
    pub(super) announcement: Option<String>,
    pub(super) choice: Choice,
}

/// What is predicted, as a whole.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Predictions {
    /// What a case is, such as an order.
    pub(super) entity: String,
    /// Predictions since the start.
    pub(super) made: u64,
    /// Cases under way.
    pub(super) open: u64,
    /// Cases that nothing ended in time.
    pub(super) lost: u64,
}

/// How predictions came out since the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Outcomes {
    /// The mean distance between their median and how long it really took.
    pub(super) error_minutes: f64,
    /// By how much it took longer than that on average; below zero when it was faster.
    pub(super) bias_minutes: f64,
    /// How many came later than promised, in a hundred.
    pub(super) late_percent: f64,
}

/// The entities of one type of which most happens, or the cases that were predicted last.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Panel {
    pub(super) entity: String,
    /// How many there are; only at least so many, if `more`.
    pub(super) count: usize,
    pub(super) more: bool,
    /// In which order the rows are, in words.
    pub(super) order: String,
    /// Names of features, or of what is said of a case.
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Row>,
}

/// One entity, or one case.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) key: String,
    /// One for each column.
    pub(super) cells: Vec<Cell>,
    /// Of the oldest value that changes with time.
    pub(super) age: Option<Span>,
}

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// Empty when there is none.
    pub(super) text: String,
    pub(super) condition: Condition,
}

/// What to think of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Good,
    /// It should have been written anew by now.
    Outdated,
    /// Time stands still for it, because its source was not heard for longer than it declares.
    Silent,
}
