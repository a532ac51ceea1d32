//! One table: its columns, its streams, and the scan over logs and files. Never writes a file itself.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use ports::{Appended, Cell, Day, Rows, TableSpec};
use xxhash_rust::xxh3::xxh3_64;

use super::{
    LOGS,
    columns::{self, Columns},
    files::{self, FileName},
    parquet_file,
    stream::Stream,
};
use crate::{Disk, Error, disk};

const COLUMNS_FILE: &str = "table.json";
const LOG_EXTENSION: &str = ".rows";

#[derive(Debug)]
pub(super) struct Table {
    /// Holds the Parquet files.
    folder: PathBuf,
    /// Holds the logs and the columns.
    logs: PathBuf,
    columns: Mutex<Arc<Columns>>,
    streams: Mutex<BTreeMap<String, Arc<Mutex<Stream>>>>,
}

impl Table {
    pub(super) fn create(disk: &Disk, root: &Path, spec: &TableSpec) -> Result<Self, Error> {
        let table = Self::new(root, &spec.name, spec.columns.clone());
        disk.create_folder(&table.logs)?;
        columns::write(disk, &table.logs.join(COLUMNS_FILE), &spec.columns)?;
        Ok(table)
    }

    /// None when it was never created to the end.
    pub(super) fn open(disk: &Disk, root: &Path, name: &str) -> Result<Option<Self>, Error> {
        let logs = root.join(LOGS).join(name);
        let Some(columns) = columns::read(&logs.join(COLUMNS_FILE))? else { return Ok(None) };
        let table = Self::new(root, name, columns);
        let mut streams = BTreeMap::new();
        for (file, _) in disk::entries(&logs)? {
            if let Some(key) = file.strip_suffix(LOG_EXTENSION) {
                streams.insert(key.to_owned(), Stream::open(disk, logs.join(&file), key.to_owned())?);
            }
        }
        table.remove_leftovers(disk, &streams)?;
        let streams = streams.into_iter().map(|(key, stream)| (key, Arc::new(Mutex::new(stream)))).collect();
        Ok(Some(Self { streams: Mutex::new(streams), ..table }))
    }

    fn new(root: &Path, name: &str, columns: Columns) -> Self {
        let (folder, logs) = (root.join(name), root.join(LOGS).join(name));
        Self { folder, logs, columns: Mutex::new(Arc::new(columns)), streams: Mutex::default() }
    }

    /// Files of a fold that a crash interrupted. Their rows are still in the log.
    fn remove_leftovers(&self, disk: &Disk, streams: &BTreeMap<String, Stream>) -> Result<(), Error> {
        for (day, _) in disk::entries(&self.folder)? {
            for (name, _) in disk::entries(&self.folder.join(&day))? {
                let Some(file) = FileName::parse(&name) else { continue };
                let base = streams.get(file.stream).map(Stream::base);
                if base == Some(file.first) {
                    disk.remove(&self.folder.join(&day).join(&name))?;
                } else if base.is_none_or(|base| file.first > base) {
                    return Err(Error::Damaged {
                        path: self.logs.join(format!("{}{LOG_EXTENSION}", file.stream)),
                        what: format!("it is missing or older than the file `{day}/{name}` that was made of it"),
                        advice: "Bring the whole folder back from one copy; or move that Parquet file away, if it is the odd one out",
                        alone: false,
                    });
                }
            }
        }
        Ok(())
    }

    /// Adds the columns that the table lacks.
    pub(super) fn widen(&self, disk: &Disk, spec: &TableSpec) -> Result<(), Error> {
        let mut there = self.columns.lock().map_err(Error::poisoned)?;
        if let Some(wider) = columns::widened(&there, spec)? {
            columns::write(disk, &self.logs.join(COLUMNS_FILE), &wider)?;
            *there = Arc::new(wider);
        }
        Ok(())
    }

    pub(super) fn append(&self, disk: &Disk, stream: &str, first: u64, rows: Rows) -> Result<Appended, Error> {
        let columns = self.columns()?;
        for (number, row) in (first..).zip(&rows) {
            let table = self.name();
            columns::instant_of(row, &columns).map_err(|why| {
                Error::Refused(format!("row {number} of stream `{stream}` does not fit table `{table}`: {why}"))
            })?;
        }
        let stream = self.stream_or_new(disk, stream)?;
        let mut stream = stream.lock().map_err(Error::poisoned)?;
        let appended = stream.append(disk, first, &rows)?;
        if stream.is_due() {
            // The rows are safe in the log whether this works or not, and the next append tries again.
            let _ = stream.fold(disk, &self.folder, &columns);
        }
        Ok(appended)
    }

    pub(super) fn next_row(&self, disk: &Disk, stream: &str) -> Result<u64, Error> {
        let stream = self.streams.lock().map_err(Error::poisoned)?.get(stream).cloned();
        stream.map_or(Ok(0), |stream| stream.lock().map_err(Error::poisoned)?.next_row(disk))
    }

    pub(super) fn fold(&self, disk: &Disk, is_time: impl Fn() -> bool) -> Result<(), Error> {
        let columns = self.columns()?;
        for stream in self.all_streams()?.values().take_while(|_| is_time()) {
            stream.lock().map_err(Error::poisoned)?.fold(disk, &self.folder, &columns)?;
        }
        Ok(())
    }

    /// The rows of a day. Each log is read before the list of files: a file that is made of it meanwhile begins with a row that
    /// the log had, and is left out.
    pub(super) fn scan(&self, disk: &Disk, day: Day) -> Result<Rows, Error> {
        let mut found = Rows::new();
        let mut bases = BTreeMap::new();
        for (key, stream) in self.all_streams()? {
            let (base, rows) = stream.lock().map_err(Error::poisoned)?.rows(disk)?;
            bases.insert(key, base);
            found.extend(rows.into_iter().filter(|row| matches!(row[..], [Cell::Instant(at), ..] if files::day_of(at) == day)));
        }
        let columns = self.columns()?;
        for row in &mut found {
            row.resize(columns.len(), Cell::Null);
        }
        let folder = files::day_folder(&self.folder, day);
        for (name, _) in disk::entries(&folder)? {
            let Some(file) = FileName::parse(&name) else { continue };
            if bases.get(file.stream).is_some_and(|base| file.first < *base) {
                found.extend(read(&folder.join(&name), &file, &columns)?);
            }
        }
        Ok(found)
    }

    fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn columns(&self) -> Result<Arc<Columns>, Error> {
        Ok(Arc::clone(&*self.columns.lock().map_err(Error::poisoned)?))
    }

    fn all_streams(&self) -> Result<BTreeMap<String, Arc<Mutex<Stream>>>, Error> {
        Ok(self.streams.lock().map_err(Error::poisoned)?.clone())
    }

    fn stream_or_new(&self, disk: &Disk, key: &str) -> Result<Arc<Mutex<Stream>>, Error> {
        let mut streams = self.streams.lock().map_err(Error::poisoned)?;
        if let Some(stream) = streams.get(key) {
            return Ok(Arc::clone(stream));
        }
        let path = self.logs.join(format!("{key}{LOG_EXTENSION}"));
        let stream = Arc::new(Mutex::new(Stream::begin(disk, path, key.to_owned())?));
        streams.insert(key.to_owned(), Arc::clone(&stream));
        Ok(stream)
    }
}

/// The rows of a file; none when somebody deleted it just now.
fn read(path: &Path, name: &FileName<'_>, columns: &Columns) -> Result<Rows, Error> {
    let Some(bytes) = disk::read(path)? else { return Ok(Rows::new()) };
    if xxh3_64(&bytes) != name.checksum {
        return Err(parquet_file::damaged(path, "it does not match the checksum in its name".into()));
    }
    parquet_file::decode(columns, bytes.into()).map_err(|error| parquet_file::damaged(path, error.to_string()))
}
