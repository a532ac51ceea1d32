//! Everything that can go wrong here, and which kind of the port each is. Never decides what to do about it.

use std::{io, path::PathBuf};

use ports::ErrorKind;

/// What went wrong in an embedded log.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process, or another part of this one, has the folder open.
    #[error(
        "{} is held by process {pid}: an embedded log belongs to one process. Stop that one, or give this one a folder of its own.",
        path.display()
    )]
    Held {
        /// The folder.
        path: PathBuf,
        /// Of the holder, as it wrote it down.
        pid: String,
    },
    /// The folder cannot be made or used.
    #[error("cannot {action} {}: the log needs a folder that it may write to. Give it another, or change the rights of this one.", path.display())]
    Folder {
        /// What was tried.
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A write failed; nothing of it can be seen.
    #[error("cannot write to {}: nothing of this append or commit was kept. If the disk is full, free some space; then try again.", path.display())]
    Write {
        /// The segment.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A write in the background failed, so nobody knows what a power cut would leave.
    #[error(
        "the disk did not keep what was written to {}: {reason}. The log takes nothing more. Look after the disk, then start again: \
         everything that reads back whole is kept.",
        path.display()
    )]
    Broken {
        /// The segment.
        path: PathBuf,
        /// What the operating system said then.
        reason: String,
    },
    /// A read failed.
    #[error("cannot read {}: try again; if that does not help, look after the disk.", path.display())]
    Read {
        /// The segment.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The database of places and positions failed.
    #[error("the index {} failed: if the disk is full, free some space and try again; otherwise restore the folder from a copy.", path.display())]
    Index {
        /// The database file.
        path: PathBuf,
        /// What it said.
        source: Box<redb::Error>,
    },
    /// The database of places and positions contradicts itself.
    #[error(
        "the index {} is damaged: its pages are not the ones that were written. Nothing can be read without it; restore the whole folder \
         from a copy.",
        path.display()
    )]
    Contradiction {
        /// The database file.
        path: PathBuf,
    },
    /// Stored bytes are not the ones that were written.
    #[error(
        "{} is damaged at byte {at} ({what}): what was written there cannot be read any more. Restore the file from a copy, or go on \
         without it: {instead}.",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in it.
        at: u64,
        /// Which topic, partition and offset, or which part of the file.
        what: String,
        /// How to go on without the bytes.
        instead: String,
    },
    /// The request cannot be fulfilled by any log of these topics.
    #[error("{0}")]
    Request(String),
    /// The member has been replaced, or does not own what it wants to commit.
    #[error("{0}")]
    Fenced(String),
    /// The writer is gone.
    #[error("the log in {} was closed: nothing can be written any more. Open it again.", .0.display())]
    Closed(PathBuf),
}

impl Error {
    /// Which kind of the port this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Write { .. } | Self::Read { .. } | Self::Closed(_) => ErrorKind::Transient,
            Self::Index { source, .. } => match **source {
                redb::Error::Corrupted(_) | redb::Error::UpgradeRequired(_) => ErrorKind::Invalid,
                _ => ErrorKind::Transient,
            },
            Self::Fenced(_) => ErrorKind::Fenced,
            Self::Held { .. } | Self::Folder { .. } | Self::Broken { .. } | Self::Damaged { .. } => ErrorKind::Invalid,
            Self::Contradiction { .. } | Self::Request(_) => ErrorKind::Invalid,
        }
    }
}

impl From<Error> for ports::Error {
    fn from(error: Error) -> Self {
        Self::with_source(error.kind(), error.to_string(), error)
    }
}
