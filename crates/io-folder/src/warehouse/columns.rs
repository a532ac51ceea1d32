//! The columns of a table: what is allowed, how they are written down, and whether rows fit them. Never reads a row's file.

use std::path::Path;

use domain::Timestamp;
use ports::{Cell, CellKind, TableSpec};
use serde::{Deserialize, Serialize};

use super::files;
use crate::{Disk, Error, sealed};

/// So that a name still fits everywhere: BigQuery allows 300 characters, Postgres 63.
const NAME_BYTES_MAX: usize = 63;
/// Far above any table of ours; it bounds what a damaged or hostile file can ask for.
const COLUMNS_MAX: usize = 1024;
/// What the file of a table says that it is.
const KIND: &str = "table";
const ADVICE: &str = "Bring it back from a copy; the rows of the table stay where they are until then";

#[derive(Serialize, Deserialize)]
struct TableFile {
    columns: Vec<(String, KindName)>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KindName {
    Integer,
    Float,
    Text,
    Boolean,
    Instant,
}

/// Columns in the order in which they were added.
pub(super) type Columns = Vec<(String, CellKind)>;

pub(super) fn read(path: &Path) -> Result<Option<Columns>, Error> {
    let file: Option<TableFile> = sealed::read(path, KIND, ADVICE)?;
    let kind = |name| match name {
        KindName::Integer => CellKind::Integer,
        KindName::Float => CellKind::Float,
        KindName::Text => CellKind::Text,
        KindName::Boolean => CellKind::Boolean,
        KindName::Instant => CellKind::Instant,
    };
    Ok(file.map(|file| file.columns.into_iter().map(|(name, of)| (name, kind(of))).collect()))
}

pub(super) fn write(disk: &Disk, path: &Path, columns: &[(String, CellKind)]) -> Result<(), Error> {
    let kind = |kind| match kind {
        CellKind::Integer => KindName::Integer,
        CellKind::Float => KindName::Float,
        CellKind::Text => KindName::Text,
        CellKind::Boolean => KindName::Boolean,
        CellKind::Instant => KindName::Instant,
    };
    let columns = columns.iter().map(|(name, of)| (name.clone(), kind(*of))).collect();
    sealed::write(disk, path, KIND, &TableFile { columns })
}

/// Whether a table may look like this.
pub(super) fn check(spec: &TableSpec) -> Result<(), Error> {
    let refused = |what: String| Err(Error::Refused(format!("table `{}`: {what}", spec.name.escape_debug())));
    if !is_name(&spec.name) {
        return refused("its name is not of lower-case words joined by `_`, at most 63 bytes".into());
    }
    if !matches!(spec.columns.first(), Some((_, CellKind::Instant))) {
        return refused("its first column has to be an instant, since that decides the day of a row".into());
    }
    if spec.columns.len() > COLUMNS_MAX {
        return refused(format!("it has {} columns, at most {COLUMNS_MAX} are possible", spec.columns.len()));
    }
    for (place, (name, _)) in spec.columns.iter().enumerate() {
        if !is_name(name) {
            return refused(format!("`{}` is not of lower-case words joined by `_`, at most 63 bytes", name.escape_debug()));
        }
        if spec.columns[..place].iter().any(|(other, _)| other == name) {
            return refused(format!("it names the column `{name}` twice"));
        }
    }
    Ok(())
}

/// The columns that are there and behind them the new ones; none when nothing is new.
pub(super) fn widened(there: &[(String, CellKind)], spec: &TableSpec) -> Result<Option<Columns>, Error> {
    for ((name, kind), (wanted, wanted_kind)) in there.iter().zip(&spec.columns) {
        if name != wanted || kind != wanted_kind {
            return Err(Error::Refused(format!(
                "table `{}` has the column `{name}` ({kind:?}) where `{wanted}` ({wanted_kind:?}) is asked for: columns keep their \
                 kind and their order, and new ones come last",
                spec.name
            )));
        }
    }
    Ok((spec.columns.len() > there.len()).then(|| spec.columns.clone()))
}

/// Whether a row fits, and the instant that decides its day.
pub(super) fn instant_of(row: &[Cell], columns: &[(String, CellKind)]) -> Result<Timestamp, String> {
    if row.len() != columns.len() {
        return Err(format!("it has {} cells and the table {} columns", row.len(), columns.len()));
    }
    for (cell, (name, kind)) in row.iter().zip(columns) {
        let fits = match cell {
            Cell::Null => true,
            Cell::Integer(_) => *kind == CellKind::Integer,
            Cell::Float(_) => *kind == CellKind::Float,
            Cell::Text(_) => *kind == CellKind::Text,
            Cell::Boolean(_) => *kind == CellKind::Boolean,
            Cell::Instant(_) => *kind == CellKind::Instant,
        };
        if !fits {
            return Err(format!("{cell:?} does not fit its column `{name}` of kind {kind:?}"));
        }
    }
    match row.first() {
        Some(Cell::Instant(at)) if files::has_a_day(*at) => Ok(*at),
        Some(Cell::Instant(at)) => Err(format!("its instant {} is outside the years 0 to 9999", at.0)),
        _ => Err("its first cell is null, and with it the day".into()),
    }
}

fn is_name(name: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.len() <= NAME_BYTES_MAX && name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase()) && name.bytes().all(known)
}
