//! A feature vector: what one group says about one entity at one instant. Its packed form is `packed`.

use crate::{Span, Timestamp};

/// How the eight bytes of a value are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// IEEE double.
    Float,
    /// Signed integer.
    Integer,
    /// 0 or 1.
    Boolean,
    /// Milliseconds since 1970.
    Time,
    /// Place in this list.
    Category(Vec<String>),
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// Of kind `Float`.
    Float(f64),
    /// Of every other kind.
    Integer(i64),
}

/// "Never" as a `valid_until`.
pub const NEVER: Timestamp = Timestamp(i64::MAX);

/// Whether a vector that held until then should have been written anew by now.
pub fn is_outdated(valid_until: Timestamp, tolerance: Span, now: Timestamp) -> bool {
    valid_until != NEVER && valid_until.plus(tolerance) < now
}

/// What one group says about one entity at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureVector {
    /// Changes when the meaning of the values does; see [`Schema`].
    pub schema: u32,
    /// Counts the rebuilds of the group.
    pub generation: u32,
    /// The instant T of the values.
    pub as_of: Timestamp,
    /// Until then the values would be the same for every T if nothing new came.
    pub valid_until: Timestamp,
    /// When the group's source was last heard; none before the first record.
    pub source_seen_at: Option<Timestamp>,
    /// Whether time stood still because the source was silent.
    pub source_silent: bool,
    /// How many records and blocks the shard had taken. Newer is what is greater by (generation, position, as_of): time passes
    /// without records too.
    pub position: u64,
    /// One for each column of the group, none being null.
    pub values: Vec<Option<Value>>,
}

/// What a reader needs to know of a group to read its vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Digest of the names, kinds and definitions.
    pub id: u32,
    /// Name and kind of each value.
    pub columns: Vec<(String, ValueKind)>,
    /// How long after `valid_until` a vector is still good.
    pub tolerance: Span,
}
