//! The warehouse: tables that only grow, for questions about the past.
//!
//! A writer has a stream of its own in each table and numbers its rows, so that an append that is tried again is not counted
//! twice.

use std::future::Future;

use domain::Timestamp;

use crate::Error;

/// A table as it should be. Its first column is the instant by which it is partitioned into days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSpec {
    /// Lower-case words joined by `_`.
    pub name: String,
    /// Names and kinds; the first is an instant and never null.
    pub columns: Vec<(String, CellKind)>,
}

/// The kinds of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellKind {
    /// 64 bits, signed.
    Integer,
    /// A double.
    Float,
    /// UTF-8.
    Text,
    /// True or false.
    Boolean,
    /// Milliseconds.
    Instant,
}

/// One value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// No value.
    Null,
    /// See [`CellKind`], for this and all others.
    Integer(i64),
    /// A double.
    Float(f64),
    /// UTF-8.
    Text(String),
    /// True or false.
    Boolean(bool),
    /// Milliseconds.
    Instant(Timestamp),
}

/// Rows of one table, each with a cell for each column.
pub type Rows = Vec<Vec<Cell>>;

/// Days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// What came of an append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// The rows are there now.
    New,
    /// They were there already.
    Repeated,
}

/// A warehouse.
pub trait Warehouse: Clone + Send + Sync + 'static {
    /// Creates a table, or adds the columns that it lacks; their old rows are null. A column of another kind is `Invalid`.
    fn create(&self, table: &TableSpec) -> impl Future<Output = Result<(), Error>> + Send;

    /// Appends rows of which the first is number `first` of this writer's stream. `Invalid` when rows before it are missing or
    /// the rows do not fit the table. When it returns they survive a crash.
    fn append(&self, table: &str, stream: &str, first: u64, rows: Rows) -> impl Future<Output = Result<Appended, Error>> + Send;

    /// The number of the next row of a stream.
    fn next_row(&self, table: &str, stream: &str) -> impl Future<Output = Result<u64, Error>> + Send;

    /// The rows of a day, in no particular order.
    fn scan(&self, table: &str, day: Day) -> impl Future<Output = Result<Rows, Error>> + Send;
}
