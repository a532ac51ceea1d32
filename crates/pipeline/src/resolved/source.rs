//! Sources as they are meant: streams, and what is derived of them.

use domain::Span;

use super::{Absence, Field};
use crate::expression::Expr;

/// Where events or rows come from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Name in the spec.
    pub name: String,
    /// What kind it is.
    pub kind: SourceKind,
    /// Sorted by name. A derived source has the fields of its base (a pair also `seconds`, an absence `since`).
    pub fields: Vec<Field>,
    /// The longest silence that is still healthy; inherited by derived sources.
    pub silent_after: Option<Span>,
}

/// The kinds of source.
#[derive(Clone, Debug)]
pub enum SourceKind {
    /// Events of a topic.
    Stream(Stream),
    /// Durations between two events of one key.
    Pair(Pair),
    /// The last row for each key.
    Table(Table),
    /// What did not come in time.
    Absence(Absence),
    /// One row for each key, from a file of JSON lines in the pipeline's folder.
    File {
        /// Path relative to the pipeline's folder.
        path: String,
        /// Field that identifies a row.
        key: usize,
    },
}

/// What a topic declares.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Topic name without the pipeline's prefix.
    pub topic: String,
    /// How its records are written.
    pub encoding: Encoding,
    /// Field with the source part of the identity.
    pub identity_source: usize,
    /// Field with the id part of the identity.
    pub identity_id: usize,
    /// Field by which producers partition.
    pub key: usize,
    /// Field with the event time.
    pub time: usize,
    /// How far in the future an event may be stamped.
    pub skew: Span,
    /// How long after its time an event is still taken.
    pub lateness: Span,
    /// Length of a dedup slice, at least `skew + lateness`.
    pub dedup: Span,
    /// Events in a second at the peak; used for memory arithmetic only.
    pub peak_per_second: u64,
}

/// How the records of a topic are written. Whatever it is, they are read as JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// JSON objects.
    #[default]
    Json,
    /// Avro, with the schemas of a registry.
    Avro,
    /// Protobuf, with the schemas of a registry.
    Protobuf,
}

impl Encoding {
    /// As a spec writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Avro => "avro",
            Self::Protobuf => "protobuf",
        }
    }
}

/// A pair of events that make a duration.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Index of the stream source.
    pub from: usize,
    /// Over the base's fields.
    pub start: Expr,
    /// Over the base's fields.
    pub end: Expr,
    /// Field of the base that both events share.
    pub key: usize,
    /// Longer durations are not emitted.
    pub longest: Span,
    /// Place of `seconds` in the pair's own fields.
    pub seconds: usize,
}

/// The last row for each key.
#[derive(Clone, Debug)]
pub struct Table {
    /// Index of the stream source.
    pub from: usize,
    /// Events for which it does not hold are not part of the table.
    pub filter: Option<Expr>,
    /// Field of the base that identifies a row.
    pub key: usize,
    /// Events that end a row without beginning one.
    pub gone: Option<Expr>,
    /// A row without a successor ends after this.
    pub longest: Span,
}
