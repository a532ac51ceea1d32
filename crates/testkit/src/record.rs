//! What goes into the oracle, and its answer about a single record. Plain data, no behaviour.

use domain::Timestamp;

/// One record of a partition. Its offset is its place in the partition's sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Index of a stream in the pipeline's sources.
    pub source: usize,
    /// When the log took it.
    pub append_at: Timestamp,
    /// JSON, one hopes.
    pub payload: Vec<u8>,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is an event.
    Accepted,
    /// It is refused for this reason, spelled as in the table of reasons.
    Refused(&'static str),
}

/// Which records an instant T may know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Those appended before T: what was served at T.
    Available,
    /// All of them, whenever they arrived.
    Complete,
}
