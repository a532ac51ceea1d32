//! Why the bytes of one record cannot be read. Such a record is put aside; the next one has nothing to do with it.

use crate::frame::SchemaId;

/// What is wrong with a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It does not begin with a zero byte and the id of a schema.
    #[error(
        "the record does not begin with a zero byte and the id of a schema: let its producer write with the registry's serializer"
    )]
    NotFramed,
    /// More than [`crate::RECORD_BYTES_MAX`] or, as JSON, [`crate::JSON_BYTES_MAX`].
    #[error("the record is longer than the 1 MiB that a record may have, as it came or as JSON")]
    TooLarge,
    /// The registry does not have the schema, or not one that it refers to.
    #[error("schema {id}: {why}. Register it, or write with another; records that come later are read as soon as it is there")]
    UnknownSchema {
        /// Which.
        id: SchemaId,
        /// What is missing.
        why: String,
    },
    /// The schema cannot be used.
    #[error("schema {id} cannot be used: {why}")]
    UnusableSchema {
        /// Which.
        id: SchemaId,
        /// What is wrong with it.
        why: String,
    },
    /// The bytes are not what the schema says.
    #[error("the record is not what schema {id} says: {why}")]
    Undecodable {
        /// Which.
        id: SchemaId,
        /// What is wrong.
        why: &'static str,
    },
    /// Nobody prepared the decoder for this schema: a mistake of the program.
    #[error("schema {id} was not prepared for this batch")]
    NotPrepared {
        /// Which.
        id: SchemaId,
    },
}

impl Fault {
    /// One word for it, for counts and dead letters.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotFramed => "not_framed",
            Self::TooLarge => "too_large",
            Self::UnknownSchema { .. } => "unknown_schema",
            Self::UnusableSchema { .. } => "unusable_schema",
            Self::Undecodable { .. } => "undecodable",
            Self::NotPrepared { .. } => "not_prepared",
        }
    }
}

/// What stopped a reader, before anybody says which schema it had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The bytes are not what the schema says.
    Wrong(&'static str),
    /// The JSON grows beyond its bound.
    TooLarge,
}

impl Stop {
    pub(crate) fn of(self, id: SchemaId) -> Fault {
        match self {
            Self::Wrong(why) => Fault::Undecodable { id, why },
            Self::TooLarge => Fault::TooLarge,
        }
    }
}
