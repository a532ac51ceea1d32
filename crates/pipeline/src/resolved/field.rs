//! The typed fields of a source.

/// One typed field of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Name in the payload.
    pub name: String,
    /// Its type.
    pub kind: FieldKind,
    /// Whether an event without it is refused. Identity, time and key are always required.
    pub required: bool,
}

/// The types of fields.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldKind {
    /// Any text.
    Text,
    /// Whole numbers within bounds; units are the numbers themselves.
    Integer {
        /// Smallest allowed.
        min: i64,
        /// Largest allowed.
        max: i64,
    },
    /// Multiples of `10^-digits`.
    Decimal {
        /// Digits after the point.
        digits: u8,
        /// Smallest allowed, in units.
        min: i64,
        /// Largest allowed, in units.
        max: i64,
        /// Whether a number between two steps is rounded instead of refused.
        round: bool,
    },
    /// `true` or `false`; units 1 and 0.
    Boolean,
    /// An instant; units are milliseconds.
    Time,
    /// One of a list of texts; units are places in the list.
    Category(Vec<String>),
    /// The H3 cell of a position. Not read from the payload.
    Cell {
        /// Decimal field with the latitude in degrees.
        latitude: usize,
        /// Decimal field with the longitude in degrees.
        longitude: usize,
        /// 0 to 15.
        resolution: u8,
    },
}
