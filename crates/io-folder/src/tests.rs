//! The contracts, and the bad days: crashes between any two steps, full disks, folders that may not be written, damaged files.

mod bad_days;
mod contracts;
mod crashes;
mod online;
mod parquet;

use std::{fs, path::Path};

use domain::Timestamp;
use ports::{AuditEntry, Cell, CellKind, Day, Deployed, Deployment, Models, TableSpec};

/// 2026-03-01.
const DAY: Day = Day(20_513);

fn table() -> TableSpec {
    let columns = [("at", CellKind::Instant), ("number", CellKind::Integer), ("words", CellKind::Text)];
    TableSpec { name: "outcomes".into(), columns: columns.map(|(name, kind)| (name.to_owned(), kind)).into() }
}

/// On `DAY`, or the day after when the number is odd.
fn row(number: u64) -> Vec<Cell> {
    let at = Timestamp((i64::from(DAY.0) + number.cast_signed() % 2) * 86_400_000 + number.cast_signed());
    vec![Cell::Instant(at), Cell::Integer(number.cast_signed()), Cell::Text(format!("row {number}"))]
}

fn deployment(revision: u64) -> Deployment {
    let groups = vec![Deployed { group: "stores".into(), generation: 1, definition: 7, replaces: None }];
    Deployment { pipeline: "one".into(), revision, spec: "a = 1\n".into(), groups, at: Timestamp(0), generations: Vec::new() }
}

fn models(revision: u64) -> Models {
    Models { revision, champion: Some("ab".repeat(32)), before: vec![None], ..Models::none("one") }
}

fn entry(number: u64) -> AuditEntry {
    let at = Timestamp(number.cast_signed());
    AuditEntry { at, actor: "features".into(), action: format!("act {number}"), detail: String::new() }
}

/// What another process would find if this one were killed now.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a listing") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("a kind").is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).expect("a copy");
        }
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}
