//! What a member may look like once it is JSON, whatever language its schema is written in.

/// One of the shapes that a member can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Null, or left out.
    Null,
    Boolean,
    /// Digits without a point, of at most 32 bits: too few for milliseconds since 1970.
    Small,
    /// Digits without a point.
    Whole,
    /// Digits with a point or an exponent.
    Fraction,
    /// Milliseconds since 1970, or RFC 3339.
    Instant {
        /// How it is written.
        as_text: bool,
    },
    /// Any text.
    Text,
    /// One of these texts.
    Labels(Vec<String>),
    /// A text that is surely no instant and no label, such as a date: named for people.
    Other(&'static str),
    /// Something that no field can be read from, named for people.
    Unreadable(&'static str),
}

impl Form {
    /// Its name in a sentence.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Small => "a whole number of at most 32 bits",
            Self::Whole => "a whole number",
            Self::Fraction => "a number with a fraction",
            Self::Instant { .. } => "an instant",
            Self::Text => "a text",
            Self::Labels(_) => "an enum",
            Self::Other(name) | Self::Unreadable(name) => name,
        }
    }

    /// How a source may declare it, as the specs of pipelines spell it; empty when it cannot.
    pub(crate) fn fits(&self) -> &'static str {
        match self {
            Self::Boolean => "`\"boolean\"`",
            Self::Small | Self::Whole => "`\"integer\"` or a decimal",
            Self::Fraction => "a decimal",
            Self::Instant { .. } => "`\"time\"`",
            Self::Text | Self::Labels(_) | Self::Other(_) => "`\"string\"`",
            Self::Null | Self::Unreadable(_) => "",
        }
    }
}
