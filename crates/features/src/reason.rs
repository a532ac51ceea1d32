//! Why a record, or a part of it, did not become features. The codes are part of the contract with producers.

/// Machine-readable reason. The order and meaning stand in `docs/semantics.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The payload is longer than 1 MiB.
    TooLarge,
    /// The payload does not say which schema it was written with. This and the next three are found before the engine sees it.
    NotFramed,
    /// Nobody has the schema that the payload was written with.
    UnknownSchema,
    /// The schema that the payload was written with makes no sense.
    UnusableSchema,
    /// The payload is not what its schema says.
    Undecodable,
    /// The payload is not UTF-8.
    NotUtf8,
    /// The payload is not exactly one JSON object without declared fields twice.
    Malformed,
    /// A needed field is absent or null.
    MissingField,
    /// A field has another type than declared.
    WrongType,
    /// A decimal lies between two of its steps.
    OffStep,
    /// A number or time is outside its bounds.
    OutOfRange,
    /// Stamped further in the future than the skew allows.
    Future,
    /// Older than the lateness allows.
    Late,
    /// Accepted before.
    Duplicate,
    /// Accepted, but a group already holds as many entities as it declares.
    OverCapacity,
    /// Accepted, but a correction came after the tile it belongs to was sealed.
    Sealed,
}

impl Reason {
    /// All reasons, in the order in which they are looked for.
    pub const ALL: [Self; 16] = [
        Self::TooLarge,
        Self::NotFramed,
        Self::UnknownSchema,
        Self::UnusableSchema,
        Self::Undecodable,
        Self::NotUtf8,
        Self::Malformed,
        Self::MissingField,
        Self::WrongType,
        Self::OffStep,
        Self::OutOfRange,
        Self::Future,
        Self::Late,
        Self::Duplicate,
        Self::OverCapacity,
        Self::Sealed,
    ];

    /// The code that stands in dead letters, metrics and output.
    pub fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::NotFramed => "not_framed",
            Self::UnknownSchema => "unknown_schema",
            Self::UnusableSchema => "unusable_schema",
            Self::Undecodable => "undecodable",
            Self::NotUtf8 => "not_utf8",
            Self::Malformed => "malformed",
            Self::MissingField => "missing_field",
            Self::WrongType => "wrong_type",
            Self::OffStep => "off_step",
            Self::OutOfRange => "out_of_range",
            Self::Future => "future",
            Self::Late => "late",
            Self::Duplicate => "duplicate",
            Self::OverCapacity => "over_capacity",
            Self::Sealed => "sealed",
        }
    }
}
