//! What went wrong outside, said in the way that decides what happens next.

use std::{error::Error as StdError, fmt};

/// What a caller has to do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// It may work in a moment: try again, more and more slowly.
    Transient,
    /// This one input can never work: put it aside and go on.
    Poison,
    /// Somebody else has taken over: drop what is not committed and join again.
    Fenced,
    /// An operator has to change something: stop, and say what.
    Invalid,
    /// A promise was broken: stop at once.
    Bug,
}

/// An error of a port.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    what: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// `what` says what happened, where, and what to do next.
    pub fn new(kind: ErrorKind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), source: None }
    }

    /// The same, with the error beneath it.
    pub fn with_source(kind: ErrorKind, what: impl Into<String>, source: impl StdError + Send + Sync + 'static) -> Self {
        Self { kind, what: what.into(), source: Some(Box::new(source)) }
    }

    /// What to do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.what)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
