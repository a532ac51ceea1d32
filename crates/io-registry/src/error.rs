//! What can go wrong with a registry, in words that say what to do next. What is wrong with a single record is a `Fault`.

use std::{io, path::PathBuf};

use ports::ErrorKind;

/// An error of this crate. Adapters hand it on as [`ports::Error`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting that can never work.
    #[error("{0}")]
    Unusable(String),
    /// A file that the settings name.
    #[error("could not read {what} from {}: name a file that the user of Headway may read", path.display())]
    File {
        /// What was to be in it.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's word for it.
        source: io::Error,
    },
    /// No answer.
    #[error(
        "the schema registry at {at} cannot be asked ({why}). It is tried again; look whether it runs and the address is right"
    )]
    Unreachable {
        /// The address without login.
        at: String,
        /// What the connection said.
        why: String,
    },
    /// An answer that says: not now.
    #[error(
        "the schema registry at {at} cannot answer now ({why}). It is tried again; look whether it is overloaded or restarting"
    )]
    Away {
        /// The address without login.
        at: String,
        /// Status and words.
        why: String,
    },
    /// The login is wrong, the certificate is, or the user may not read.
    #[error(
        "the schema registry at {at} refuses ({why}): check user, password and certificate, and that the user may read schemas"
    )]
    Denied {
        /// The address without login.
        at: String,
        /// Status and words.
        why: String,
    },
    /// An answer that no schema registry gives.
    #[error(
        "what answers at {at} does not speak as a schema registry ({why}): name the URL before `/schemas/ids/`, with its path if there is one"
    )]
    Foreign {
        /// The address without login.
        at: String,
        /// What came instead.
        why: String,
    },
    /// The registry does not take a schema.
    #[error("the schema registry at {at} does not take this schema of {subject} ({why}): change it so that it is compatible")]
    Refused {
        /// The address without login.
        at: String,
        /// Under which name it was offered.
        subject: String,
        /// Status and words.
        why: String,
    },
    /// A schema that cannot be used, where one was named by a person.
    #[error("this {format} schema cannot be used: {why}")]
    Schema {
        /// Its language.
        format: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// A value that does not fit its schema.
    #[error("this object cannot be written as {format}: {why}")]
    Value {
        /// In which language it was to be written.
        format: &'static str,
        /// Which member, and what its schema wants.
        why: String,
    },
    /// A promise was broken within the program.
    #[error("{0}")]
    Broken(String),
}

impl Error {
    /// What a caller has to do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unreachable { .. } | Self::Away { .. } => ErrorKind::Transient,
            Self::Value { .. } => ErrorKind::Poison,
            Self::Broken(_) => ErrorKind::Bug,
            _ => ErrorKind::Invalid,
        }
    }
}

impl From<Error> for ports::Error {
    fn from(error: Error) -> Self {
        let (kind, what) = (error.kind(), error.to_string());
        match error {
            Error::File { source, .. } => Self::with_source(kind, what, source),
            _ => Self::new(kind, what),
        }
    }
}
