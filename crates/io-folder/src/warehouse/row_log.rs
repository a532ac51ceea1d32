//! The log of a stream's rows that are not folded yet. An append is on the disk when it returns. Never keeps rows in memory.

use std::path::{Path, PathBuf};

use ports::{Cell, Rows};

use super::{cells, frames};
use crate::{Disk, Error, disk};

/// More than a loop collects between two commits, and little enough to be held in memory several times.
pub(super) const APPEND_BYTES_MAX: usize = 32 << 20;

#[derive(Debug)]
pub(super) struct RowLog {
    path: PathBuf,
    base: u64,
    next: u64,
    /// Of what is acknowledged, head included.
    length: u64,
}

impl RowLog {
    /// Begins a log with this row, in place of the one before.
    pub(super) fn begin(disk: &Disk, path: PathBuf, base: u64) -> Result<Self, Error> {
        disk.replace(&path, &[&frames::head(base)])?;
        Ok(Self { path, base, next: base, length: frames::HEAD_BYTES as u64 })
    }

    /// Reads a log again and cuts a torn end off.
    pub(super) fn open(disk: &Disk, path: PathBuf) -> Result<Self, Error> {
        let bytes = disk::read(&path)?.unwrap_or_default();
        let parsed = frames::parse(&bytes).map_err(|what| damaged(&path, what))?;
        let length = parsed.length as u64;
        if parsed.length < bytes.len() {
            disk.cut(&path, length)?;
        }
        Ok(Self { path, base: parsed.base, next: parsed.next, length })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Number of its first row: all rows before are folded.
    pub(super) fn base(&self) -> u64 {
        self.base
    }

    pub(super) fn next(&self) -> u64 {
        self.next
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn append(&mut self, disk: &Disk, rows: &[Vec<Cell>]) -> Result<(), Error> {
        let too_long = || {
            let (rows, most) = (rows.len(), APPEND_BYTES_MAX >> 20);
            Error::Refused(format!("an append of {rows} rows is longer than {most} MiB: append fewer rows at a time"))
        };
        let frame = frames::frame(self.next, APPEND_BYTES_MAX, |out| cells::encode(rows, out)).ok_or_else(too_long)?;
        disk.append(&self.path, self.length, &frame)?;
        self.length += frame.len() as u64;
        self.next += rows.len() as u64;
        Ok(())
    }

    /// All acknowledged rows.
    pub(super) fn rows(&self) -> Result<Rows, Error> {
        if self.next == self.base {
            return Ok(Rows::new());
        }
        let mut bytes = disk::read(&self.path)?.unwrap_or_default();
        bytes.truncate(usize::try_from(self.length).unwrap_or(usize::MAX));
        let parsed = frames::parse(&bytes).map_err(|what| damaged(&self.path, what))?;
        if (parsed.base, parsed.next) != (self.base, self.next) {
            return Err(damaged(&self.path, "rows are missing that were there while Headway ran".into()));
        }
        let mut rows = Rows::new();
        for payload in parsed.frames {
            let more = cells::decode(&bytes[payload]).ok_or_else(|| damaged(&self.path, "its rows do not decode".into()))?;
            rows.extend(more);
        }
        Ok(rows)
    }
}

fn damaged(path: &Path, what: String) -> Error {
    let advice = "Bring it back from a copy. Without one, the rows that were not in a Parquet file yet are lost: cut the file before \
                  the damage, and the stream goes on from there";
    Error::Damaged { path: path.into(), what, advice, alone: false }
}
