//! A crash between any two steps: while a script runs, the folder is copied before each step that changes it. Each copy has to
//! open, hold everything that was acknowledged by then, nothing twice, and go on.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use ports::{Appended, Artifacts, AuditEntry, Catalog, Cell, Rows, TableSpec, Warehouse};
use tempfile::TempDir;

use super::{DAY, copy, deployment, entry, models, row, table};
use crate::{Disk, Folder};

/// Copies of a folder, each with what had been acknowledged when it was made.
struct Copies<A> {
    at: TempDir,
    acknowledged: Arc<Mutex<A>>,
    made: Arc<Mutex<Vec<(PathBuf, A)>>>,
}

impl<A: Clone + Default + Send + 'static> Copies<A> {
    fn new() -> Self {
        Self { at: tempfile::tempdir().expect("a temporary folder"), acknowledged: Arc::default(), made: Arc::default() }
    }

    /// The folder under watch.
    fn open(&self) -> Folder {
        let path = self.at.path().join("folder");
        let (folder, copies) = (path.clone(), self.at.path().to_owned());
        let (acknowledged, made) = (Arc::clone(&self.acknowledged), Arc::clone(&self.made));
        let steps = AtomicUsize::new(0);
        let disk = Disk::new(path.join("unfinished")).watched(move |_, _| {
            let mut made = made.lock().expect("no panic");
            let to = copies.join(format!("copy-{}", steps.fetch_add(1, Ordering::SeqCst)));
            if folder.exists() {
                copy(&folder, &to);
                made.push((to, acknowledged.lock().expect("no panic").clone()));
            }
            Ok(())
        });
        Folder::open_on(disk, &path).expect("a folder that opens")
    }

    fn acknowledge(&self, change: impl FnOnce(&mut A)) {
        change(&mut self.acknowledged.lock().expect("no panic"));
    }

    fn take(&self) -> Vec<(PathBuf, A)> {
        std::mem::take(&mut self.made.lock().expect("no panic"))
    }
}

fn reopen(path: &Path) -> Folder {
    Folder::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn numbers(rows: &Rows) -> Vec<i64> {
    let mut numbers: Vec<i64> = rows
        .iter()
        .map(|row| match row[1] {
            Cell::Integer(number) => number,
            _ => panic!("{row:?}"),
        })
        .collect();
    numbers.sort_unstable();
    numbers
}

async fn all_rows(folder: &Folder) -> Rows {
    let mut rows = Rows::new();
    for day in [DAY, ports::Day(DAY.0 + 1)] {
        rows.extend(folder.warehouse().scan("outcomes", day).await.expect("a scan"));
    }
    rows
}

#[tokio::test]
async fn rows_are_neither_lost_nor_repeated() {
    let copies = Copies::<u64>::new();
    let warehouse = copies.open().warehouse();
    warehouse.create(&table()).await.expect("a table");
    let mut next = 0;
    for count in [2, 3, 0, 1, 0, 0, 4] {
        let rows: Rows = (next..next + count).map(row).collect();
        if count == 0 {
            warehouse.fold().await.expect("a fold");
        } else {
            assert_eq!(warehouse.append("outcomes", "s", next, rows).await.expect("an append"), Appended::New);
        }
        next += count;
        copies.acknowledge(|acknowledged| *acknowledged = next);
    }
    let made = copies.take();
    assert!(made.len() > 50, "only {} steps were seen", made.len());
    for (path, acknowledged) in made {
        let folder = reopen(&path);
        let warehouse = folder.warehouse();
        warehouse.create(&table()).await.expect("a table");
        let there = warehouse.next_row("outcomes", "s").await.expect("a number");
        assert!(there >= acknowledged, "{}: {there} of {acknowledged} rows", path.display());
        let found = all_rows(&folder).await;
        assert_eq!(numbers(&found), (0..there.cast_signed()).collect::<Vec<_>>(), "{}", path.display());
        // It goes on as if nothing had been.
        warehouse.append("outcomes", "s", acknowledged, (acknowledged..12).map(row).collect()).await.expect("an append");
        warehouse.fold().await.expect("a fold");
        drop((folder, warehouse));
        let found = all_rows(&reopen(&path)).await;
        assert_eq!(numbers(&found), (0..12).collect::<Vec<_>>(), "{}", path.display());
        assert!(found.iter().all(|found| *found == row(numbers(&vec![found.clone()])[0].cast_unsigned())), "{found:?}");
    }
}

#[tokio::test]
async fn a_wider_table_is_wide_or_not() {
    let copies = Copies::<bool>::new();
    let warehouse = copies.open().warehouse();
    warehouse.create(&table()).await.expect("a table");
    warehouse.append("outcomes", "s", 0, vec![row(0)]).await.expect("an append");
    let wider = TableSpec { columns: [table().columns, vec![("more".into(), ports::CellKind::Float)]].concat(), ..table() };
    copies.take();
    warehouse.create(&wider).await.expect("a wider table");
    let made = copies.take();
    assert!(made.len() >= 4, "only {} steps were seen", made.len());
    for (path, _) in made {
        let found = all_rows(&reopen(&path)).await;
        assert!(found == [row(0)] || found == [[row(0), vec![Cell::Null]].concat()], "{found:?}");
    }
}

#[tokio::test]
async fn a_revision_and_its_entry_are_there_together() {
    let copies = Copies::<([u64; 2], Vec<AuditEntry>)>::new();
    let catalog = copies.open().catalog();
    for number in 1..=9_u64 {
        let revision = number.div_ceil(3);
        match number % 3 {
            0 => catalog.record(&entry(number)).await.expect("a record"),
            1 => catalog.deploy(&deployment(revision), &entry(number)).await.expect("a deployment"),
            _ => catalog.choose(&models(revision), &entry(number)).await.expect("a choice"),
        }
        copies.acknowledge(|(revisions, trail)| {
            *revisions = [number.div_ceil(3), (number + 1) / 3];
            trail.insert(0, entry(number));
        });
    }
    let made = copies.take();
    assert!(made.len() > 45, "only {} steps were seen", made.len());
    for (path, (revisions, trail)) in made {
        let catalog = reopen(&path).catalog();
        let deployed = catalog.deployment("one").await.expect("a file").map_or(0, |deployment| deployment.revision);
        let chosen = catalog.models("one").await.expect("a file").map_or(0, |models| models.revision);
        let audit = catalog.audit(99).await.expect("a trail");
        assert!(audit.ends_with(&trail) && audit.len() <= trail.len() + 1, "{}: {audit:?}", path.display());
        for ((found, acknowledged), rest) in [deployed, chosen].into_iter().zip(revisions).zip(1..) {
            assert!(found == acknowledged || found == acknowledged + 1, "{}: {found} of {acknowledged}", path.display());
            let entries = audit.iter().filter(|entry| entry.at.0 % 3 == rest).count() as u64;
            assert_eq!(entries, found, "{}: a revision without its entry, or the other way round", path.display());
        }
        catalog.deploy(&deployment(deployed + 1), &entry(99)).await.expect("the next deployment");
        catalog.choose(&models(chosen + 1), &entry(98)).await.expect("the next choice");
    }
}

#[tokio::test]
async fn an_artifact_is_the_old_one_or_the_new_one() {
    let copies = Copies::<Option<Bytes>>::new();
    let artifacts = copies.open().artifacts();
    let versions = [Some("first"), Some("second, and longer"), None, Some("3")].map(|text| text.map(Bytes::from));
    let mut seen = Vec::new();
    for version in versions {
        match &version {
            Some(bytes) => artifacts.put("models/1/card", bytes.clone()).await.expect("a put"),
            None => artifacts.remove("models/1/card").await.expect("a removal"),
        }
        seen.extend(copies.take().into_iter().map(|(path, old)| (path, old, version.clone())));
        copies.acknowledge(|acknowledged| *acknowledged = version);
    }
    assert!(seen.len() > 20, "only {} steps were seen", seen.len());
    for (path, old, new) in seen {
        let artifacts = reopen(&path).artifacts();
        let found = artifacts.get("models/1/card").await.expect("whole or none");
        assert!(found == old || found == new, "{}: {found:?}", path.display());
        assert_eq!(artifacts.list("").await.expect("a list").len(), usize::from(found.is_some()));
        let left = std::fs::read_dir(path.join("unfinished")).expect("a folder").count();
        assert_eq!(left, 0, "{}: a crashed put left something behind", path.display());
    }
}
