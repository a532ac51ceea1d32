//! What became of a payload that is not JSON, for those who read JSON.
//!
//! A log knows nothing of encodings and never makes one of these; whoever stands between a log and its readers does. The payload
//! itself stays what it was, so that a record which is put aside is put aside as it came.

use bytes::Bytes;

/// A payload in another encoding, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded {
    /// One JSON object.
    Json(Bytes),
    /// It can never be read.
    Unreadable(Unreadable),
}

/// Why a payload cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// In a word.
    pub reason: UnreadableReason,
    /// What is wrong with it and what to do, for a person.
    pub why: String,
}

/// The kinds of reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnreadableReason {
    /// Longer than a payload may be, as it came or as JSON.
    TooLarge,
    /// It does not say which schema it was written with.
    NotFramed,
    /// Nobody has the schema that it was written with.
    UnknownSchema,
    /// The schema that it was written with makes no sense.
    UnusableSchema,
    /// The bytes are not what their schema says.
    Undecodable,
}
