//! One writer's stream in a table: its log, and the fold of the log into Parquet files.
//!
//! The fold has one moment that counts: the rename that puts an empty log, beginning with the next row, in the place of the
//! old one. A Parquet file counts from then on, since its first row is before the log's; until then it is a leftover, and the
//! log still has its rows. Never are rows in both or in neither.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use domain::Timestamp;
use ports::{Appended, Cell, CellKind, Rows};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    files::{self, FileName},
    parquet_file,
    row_log::RowLog,
};
use crate::{Disk, Error};

/// A log of this length is folded: it is read as a whole by every scan, which then still takes well under a tenth of a second,
/// and makes a Parquet file of a megabyte or two, of which a busy stream fills a few hundred in a day.
const FOLD_BYTES: u64 = 8 << 20;
/// While folding fails the log grows up to this; then the appends fail as well, rather than filling memory at the next scan.
const LOG_BYTES_MAX: u64 = 8 * FOLD_BYTES;

#[derive(Debug)]
pub(super) struct Stream {
    key: String,
    log: RowLog,
    /// Files of a fold that did not come to its end.
    leftovers: Vec<PathBuf>,
    /// Whether the log on the disk may be another one than we think.
    unsure: bool,
}

impl Stream {
    pub(super) fn begin(disk: &Disk, path: PathBuf, key: String) -> Result<Self, Error> {
        Ok(Self { key, log: RowLog::begin(disk, path, 0)?, leftovers: Vec::new(), unsure: false })
    }

    pub(super) fn open(disk: &Disk, path: PathBuf, key: String) -> Result<Self, Error> {
        Ok(Self { key, log: RowLog::open(disk, path)?, leftovers: Vec::new(), unsure: false })
    }

    pub(super) fn base(&self) -> u64 {
        self.log.base()
    }

    pub(super) fn next_row(&mut self, disk: &Disk) -> Result<u64, Error> {
        self.look_again(disk)?;
        Ok(self.log.next())
    }

    /// The rows that no Parquet file has, and the number of the first.
    pub(super) fn rows(&mut self, disk: &Disk) -> Result<(u64, Rows), Error> {
        self.look_again(disk)?;
        Ok((self.log.base(), self.log.rows()?))
    }

    /// Appends those of the rows that are not there. They fit the table.
    pub(super) fn append(&mut self, disk: &Disk, first: u64, rows: &[Vec<Cell>]) -> Result<Appended, Error> {
        self.look_again(disk)?;
        let next = self.log.next();
        if first > next {
            return Err(Error::Refused(format!(
                "stream `{}` has no row {next} yet and cannot take row {first}: append from row {next} on",
                self.key
            )));
        }
        if self.log.length() > LOG_BYTES_MAX {
            return Err(Error::Refused(format!(
                "{} is full, since its rows could not be folded into Parquet files: look for an error about the table's folder",
                self.log.path().display()
            )));
        }
        let there = usize::try_from(next - first).unwrap_or(usize::MAX);
        match rows.get(there..) {
            None | Some([]) => Ok(Appended::Repeated),
            Some(new) => self.log.append(disk, new).map(|()| Appended::New),
        }
    }

    /// Whether the log is long enough to be folded.
    pub(super) fn is_due(&self) -> bool {
        self.log.length() >= FOLD_BYTES
    }

    /// Moves all rows of the log into Parquet files below the table's folder.
    pub(super) fn fold(&mut self, disk: &Disk, folder: &Path, columns: &[(String, CellKind)]) -> Result<(), Error> {
        self.look_again(disk)?;
        let base = self.log.base();
        for path in &self.leftovers {
            disk.remove(path)?;
        }
        self.leftovers.clear();
        let rows = self.log.rows()?;
        if rows.is_empty() {
            return Ok(());
        }
        for (day, rows) in by_day(rows) {
            let folder = files::day_folder(folder, day);
            let bytes = parquet_file::encode(columns, &rows).map_err(|error| parquet_file::unwritable(&folder, &error))?;
            let name = FileName { stream: &self.key, first: base, checksum: xxh3_64(&bytes) };
            let path = folder.join(name.to_text());
            disk.create_folder(&folder)?;
            self.leftovers.push(path.clone());
            disk.replace(&path, &[&bytes])?;
        }
        // From here until the new log is known to be in place nobody can say which one a crash would leave.
        self.unsure = true;
        self.log = RowLog::begin(disk, self.log.path().to_owned(), self.log.next())?;
        self.unsure = false;
        self.leftovers.clear();
        Ok(())
    }

    /// Finds out which log is in place after a fold failed at the very end.
    fn look_again(&mut self, disk: &Disk) -> Result<(), Error> {
        if self.unsure {
            disk.settle(self.log.path())?;
            let before = self.log.base();
            self.log = RowLog::open(disk, self.log.path().to_owned())?;
            if self.log.base() != before {
                self.leftovers.clear();
            }
            self.unsure = false;
        }
        Ok(())
    }
}

fn by_day(rows: Rows) -> BTreeMap<ports::Day, Rows> {
    let mut days: BTreeMap<ports::Day, Rows> = BTreeMap::new();
    for row in rows {
        let at = match row.first() {
            Some(Cell::Instant(at)) => *at,
            // Checked when it was appended.
            _ => Timestamp(0),
        };
        days.entry(files::day_of(at)).or_default().push(row);
    }
    days
}
