//! What can go wrong with the folder, in words that say what to do next.

use std::{io, path::PathBuf};

use ports::ErrorKind;

/// An error of this crate. Adapters hand it on as [`ports::Error`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No space is left, or a quota or limit on file sizes is reached.
    #[error("the disk is full: could not {doing} {}. Whatever was acknowledged is safe. Free some space, then start again", path.display())]
    Full {
        /// Such as `write`.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's word for it.
        source: io::Error,
    },
    /// The folder or a file in it may not be written or read.
    #[error(
        "not allowed to {doing} {}. Give the user that runs Headway the right to write there, or choose another folder, then start again",
        path.display()
    )]
    Forbidden {
        /// See [`Error::Full`], for this and the others.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's word for it.
        source: io::Error,
    },
    /// Anything else that the system says about a file.
    #[error("could not {doing} {} ({source}). Nothing acknowledged is lost; if trying again does not help, look at the disk", path.display())]
    File {
        /// See [`Error::Full`], for this and the others.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's word for it.
        source: io::Error,
    },
    /// A file is not what was written.
    #[error("{} is damaged: {what}. {advice}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
        /// What to do.
        advice: &'static str,
        /// Whether only this one input is lost and everything else may go on.
        alone: bool,
    },
    /// A later version of Headway wrote this.
    #[error("{} has format {found}, this version of Headway knows up to {known}: run the version that wrote it, or a later one", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// The folder belongs to somebody else.
    #[error("{} holds `{entry}` and is no folder of Headway's: name an empty folder, or one that does not exist yet", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// What was found there.
        entry: String,
    },
    /// An argument that can never work.
    #[error("{0}")]
    Refused(String),
    /// Somebody else was faster.
    #[error("{0}")]
    Overtaken(String),
    /// A promise was broken within the program.
    #[error("{0}")]
    Broken(String),
}

impl Error {
    /// What a caller has to do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::File { .. } => ErrorKind::Transient,
            Self::Damaged { alone: true, .. } => ErrorKind::Poison,
            Self::Full { .. } | Self::Forbidden { .. } | Self::Damaged { .. } => ErrorKind::Invalid,
            Self::Newer { .. } | Self::Occupied { .. } | Self::Refused(_) => ErrorKind::Invalid,
            Self::Overtaken(_) => ErrorKind::Fenced,
            Self::Broken(_) => ErrorKind::Bug,
        }
    }

    /// Sorts an error of the system by what a person can do about it.
    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        use io::ErrorKind as Kind;
        let path = path.into();
        match source.kind() {
            Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => Self::Full { doing, path, source },
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem => Self::Forbidden { doing, path, source },
            _ => Self::File { doing, path, source },
        }
    }

    /// A lock was left behind by a thread that died.
    pub(crate) fn poisoned<T>(_: T) -> Self {
        Self::Broken(
            "a thread died while it worked on the folder: start the process again, it goes on from what is on disk".into(),
        )
    }
}

impl From<Error> for ports::Error {
    fn from(error: Error) -> Self {
        let (kind, what) = (error.kind(), error.to_string());
        match error {
            Error::Full { source, .. } | Error::Forbidden { source, .. } | Error::File { source, .. } => {
                Self::with_source(kind, what, source)
            }
            _ => Self::new(kind, what),
        }
    }
}
