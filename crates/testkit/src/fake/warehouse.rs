//! A warehouse in a map. Durable: every clone sees the same, and a crash is a clone.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use ports::{Appended, Cell, CellKind, Day, Error, ErrorKind, Rows, TableSpec, Warehouse};

use super::Hook;

const DAY_MS: i64 = 86_400_000;

/// A warehouse that lives as long as one of its clones.
#[derive(Clone, Debug, Default)]
pub struct MemoryWarehouse {
    hook: Hook,
    tables: Arc<Mutex<BTreeMap<String, Table>>>,
}

#[derive(Debug, Default)]
struct Table {
    columns: Vec<(String, CellKind)>,
    streams: BTreeMap<String, Rows>,
}

impl MemoryWarehouse {
    /// Empty; faults as the hook decides.
    pub fn new(hook: Hook) -> Self {
        Self { hook, tables: Arc::default() }
    }

    /// All rows of a table, those of each stream in their order.
    pub fn rows(&self, table: &str) -> Rows {
        let tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.get(table).map_or(Rows::new(), |table| table.streams.values().flatten().cloned().collect())
    }

    async fn run<T>(
        &self,
        operation: &'static str,
        happen: impl FnOnce(&mut BTreeMap<String, Table>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.hook.run(operation, |_| happen(&mut self.tables.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

impl Warehouse for MemoryWarehouse {
    async fn create(&self, spec: &TableSpec) -> Result<(), Error> {
        self.run("warehouse.create", |tables| {
            if !matches!(spec.columns.first(), Some((_, CellKind::Instant))) {
                return Err(invalid(format!("table `{}` does not begin with an instant", spec.name)));
            }
            let there = tables.get(&spec.name).map_or(&[][..], |table| &table.columns);
            if there.iter().zip(&spec.columns).any(|(there, wanted)| there != wanted) {
                return Err(invalid(format!("table `{}` has other columns", spec.name)));
            }
            if spec.columns.len() > there.len() {
                tables.entry(spec.name.clone()).or_default().columns.clone_from(&spec.columns);
            }
            Ok(())
        })
        .await
    }

    async fn append(&self, table: &str, stream: &str, first: u64, rows: Rows) -> Result<Appended, Error> {
        self.run("warehouse.append", |tables| {
            let table = found(tables, table)?;
            if let Some(row) = rows.iter().find(|row| !table.fits(row)) {
                return Err(invalid(format!("{row:?} does not fit the table")));
            }
            let there = table.streams.entry(stream.to_owned()).or_default();
            let Some(known) = (there.len() as u64).checked_sub(first) else {
                return Err(invalid(format!("stream `{stream}` lacks rows before {first}")));
            };
            let before = there.len();
            there.extend(rows.into_iter().skip(usize::try_from(known).unwrap_or(usize::MAX)));
            Ok(if there.len() > before { Appended::New } else { Appended::Repeated })
        })
        .await
    }

    async fn next_row(&self, table: &str, stream: &str) -> Result<u64, Error> {
        let count = |table: &mut Table| table.streams.get(stream).map_or(0, |rows| rows.len() as u64);
        self.run("warehouse.next_row", |tables| found(tables, table).map(count)).await
    }

    async fn scan(&self, table: &str, day: Day) -> Result<Rows, Error> {
        let is_of =
            |row: &Vec<Cell>| matches!(row.first(), Some(Cell::Instant(at)) if at.0.div_euclid(DAY_MS) == i64::from(day.0));
        self.run("warehouse.scan", |tables| {
            let table = found(tables, table)?;
            let mut rows: Rows = table.streams.values().flatten().filter(|row| is_of(row)).cloned().collect();
            rows.iter_mut().for_each(|row| row.resize(table.columns.len(), Cell::Null));
            Ok(rows)
        })
        .await
    }
}

impl Table {
    fn fits(&self, row: &[Cell]) -> bool {
        let of_kind = |((_, kind), cell): (&(String, CellKind), &Cell)| match cell {
            Cell::Null => true,
            Cell::Integer(_) => *kind == CellKind::Integer,
            Cell::Float(_) => *kind == CellKind::Float,
            Cell::Text(_) => *kind == CellKind::Text,
            Cell::Boolean(_) => *kind == CellKind::Boolean,
            Cell::Instant(_) => *kind == CellKind::Instant,
        };
        let begins = matches!(row.first(), Some(Cell::Instant(_)));
        begins && row.len() == self.columns.len() && self.columns.iter().zip(row).all(of_kind)
    }
}

fn found<'t>(tables: &'t mut BTreeMap<String, Table>, name: &str) -> Result<&'t mut Table, Error> {
    tables.get_mut(name).ok_or_else(|| invalid(format!("there is no table `{name}`: create it first")))
}

fn invalid(what: String) -> Error {
    Error::new(ErrorKind::Invalid, what)
}
