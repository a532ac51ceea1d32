//! The warehouse: tables as Parquet files, a folder for each day, and in front of them a log of rows for each stream.
//!
//! ```text
//! warehouse/<table>/day=2026-03-01/<stream>-<first row>-<checksum>.parquet     for every reader of Parquet
//! warehouse/.rows/<table>/table.json                                           the columns
//! warehouse/.rows/<table>/<stream>.rows                                        what is not folded into files yet
//! ```
//!
//! An append is acknowledged once it is in the log. When the log is long enough, or when asked, it is folded into one file for
//! each of its days. Never rewrites a Parquet file: days that nobody needs may be deleted by hand.

mod cells;
mod columns;
mod files;
mod frames;
mod parquet_file;
mod row_log;
mod stream;
mod table;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use ports::{Appended, Day, Rows, TableSpec, Warehouse};

use crate::{
    Disk, Error,
    disk::{self, blocking},
};
use table::Table;

/// Holds the logs, out of the way of whoever reads a table's folder.
const LOGS: &str = ".rows";

/// A warehouse in a folder. Cheap to clone.
#[derive(Clone, Debug)]
pub struct FolderWarehouse {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    disk: Disk,
    root: PathBuf,
    tables: Mutex<BTreeMap<String, Arc<Table>>>,
}

impl FolderWarehouse {
    pub(crate) fn open(disk: Disk, root: PathBuf) -> Result<Self, Error> {
        let mut tables = BTreeMap::new();
        for (name, is_folder) in disk::entries(&root.join(LOGS))? {
            // A folder without columns is a table whose creation was never acknowledged.
            if is_folder && let Some(table) = Table::open(&disk, &root, &name)? {
                tables.insert(name, Arc::new(table));
            }
        }
        Ok(Self { shared: Arc::new(Shared { disk, root, tables: Mutex::new(tables) }) })
    }

    /// Folds everything that is still in a log into Parquet files, so that other programs see it: before a query, and when the
    /// program ends. Not needed for safety.
    pub async fn fold(&self) -> Result<(), ports::Error> {
        self.fold_while(|| true).await
    }

    /// The same as far as it gets: before each stream it is asked whether there is time for it.
    pub async fn fold_while(&self, is_time: impl Fn() -> bool + Send + 'static) -> Result<(), ports::Error> {
        self.run(move |shared| {
            let tables: Vec<Arc<Table>> = shared.tables.lock().map_err(Error::poisoned)?.values().cloned().collect();
            tables.iter().try_for_each(|table| table.fold(&shared.disk, &is_time))
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ports::Error> {
        let shared = Arc::clone(&self.shared);
        blocking(move || work(&shared)).await
    }
}

impl Shared {
    fn table(&self, name: &str) -> Result<Arc<Table>, Error> {
        let tables = self.tables.lock().map_err(Error::poisoned)?;
        let unknown = || Error::Refused(format!("there is no table `{}`: create it first", name.escape_debug()));
        tables.get(name).cloned().ok_or_else(unknown)
    }

    fn create(&self, spec: &TableSpec) -> Result<(), Error> {
        columns::check(spec)?;
        let mut tables = self.tables.lock().map_err(Error::poisoned)?;
        if let Some(table) = tables.get(&spec.name) {
            return table.widen(&self.disk, spec);
        }
        let table = Table::create(&self.disk, &self.root, spec)?;
        tables.insert(spec.name.clone(), Arc::new(table));
        Ok(())
    }
}

impl Warehouse for FolderWarehouse {
    async fn create(&self, table: &TableSpec) -> Result<(), ports::Error> {
        let spec = table.clone();
        self.run(move |shared| shared.create(&spec)).await
    }

    async fn append(&self, table: &str, stream: &str, first: u64, rows: Rows) -> Result<Appended, ports::Error> {
        let (table, stream) = (table.to_owned(), files::stream_key(stream)?);
        self.run(move |shared| shared.table(&table)?.append(&shared.disk, &stream, first, rows)).await
    }

    async fn next_row(&self, table: &str, stream: &str) -> Result<u64, ports::Error> {
        let (table, stream) = (table.to_owned(), files::stream_key(stream)?);
        self.run(move |shared| shared.table(&table)?.next_row(&shared.disk, &stream)).await
    }

    async fn scan(&self, table: &str, day: Day) -> Result<Rows, ports::Error> {
        let table = table.to_owned();
        self.run(move |shared| shared.table(&table)?.scan(&shared.disk, day)).await
    }
}
