//! The audit trail: JSON lines, each behind its checksum, only ever appended to.
//!
//! A last line that does not read was torn by a crash before it was acknowledged, and is cut off. One in the middle was
//! damaged later, and is reported. Nothing in here is ever changed or removed otherwise.

use std::path::PathBuf;

use xxhash_rust::xxh3::xxh3_64;

use super::wire::Line;
use crate::{Disk, Error, disk};

/// Digits of the checksum and a blank.
const CHECKSUM_BYTES: usize = 17;

#[derive(Debug)]
pub(super) struct Trail {
    path: PathBuf,
    /// Of what is acknowledged.
    length: u64,
}

impl Trail {
    pub(super) fn open(disk: &Disk, path: PathBuf) -> Result<Self, Error> {
        let Some(bytes) = disk::read(&path)? else {
            disk.replace(&path, &[])?;
            return Ok(Self { path, length: 0 });
        };
        let mut trail = Self { path, length: bytes.len() as u64 };
        let (_, whole) = trail.parse(&bytes)?;
        if whole < bytes.len() {
            trail.length = whole as u64;
            disk.cut(&trail.path, trail.length)?;
        }
        Ok(trail)
    }

    pub(super) fn append(&mut self, disk: &Disk, line: &Line) -> Result<(), Error> {
        let json = serde_json::to_string(line).map_err(|error| Error::Broken(format!("an audit entry: {error}")))?;
        let line = format!("{:016x} {json}\n", xxh3_64(json.as_bytes()));
        disk.append(&self.path, self.length, line.as_bytes())?;
        self.length += line.len() as u64;
        Ok(())
    }

    /// All lines, the oldest first.
    pub(super) fn lines(&self) -> Result<Vec<Line>, Error> {
        let mut bytes = disk::read(&self.path)?.unwrap_or_default();
        let acknowledged = usize::try_from(self.length).unwrap_or(usize::MAX);
        bytes.truncate(acknowledged);
        let (lines, whole) = self.parse(&bytes)?;
        if whole < acknowledged {
            return Err(self.damaged(lines.len() + 1, "was cut while Headway ran"));
        }
        Ok(lines)
    }

    /// The lines, and the length of those that are whole.
    fn parse(&self, bytes: &[u8]) -> Result<(Vec<Line>, usize), Error> {
        let mut lines = Vec::new();
        let mut whole = 0;
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            match parse(piece) {
                Some(line) => lines.push(line),
                None if whole + piece.len() == bytes.len() => break,
                None => return Err(self.damaged(lines.len() + 1, "does not match its checksum")),
            }
            whole += piece.len();
        }
        Ok((lines, whole))
    }

    fn damaged(&self, line: usize, how: &str) -> Error {
        Error::Damaged {
            path: self.path.clone(),
            what: format!("line {line} {how}"),
            advice: "Bring it back from a copy, or move it away: a new trail begins, and no deployment is lost",
            alone: false,
        }
    }
}

fn parse(piece: &[u8]) -> Option<Line> {
    let piece = piece.strip_suffix(b"\n")?;
    let (checksum, json) = piece.split_at_checked(CHECKSUM_BYTES)?;
    let matches = checksum == format!("{:016x} ", xxh3_64(json)).as_bytes();
    matches.then(|| serde_json::from_slice(json).ok()).flatten()
}
