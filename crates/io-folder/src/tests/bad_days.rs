//! Full disks, folders that may not be written, files that somebody changed: the message names the file and says what to do,
//! and nothing that was acknowledged is lost.

use std::{
    fs, io,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use ports::{Artifacts, Catalog, Error, ErrorKind, Warehouse};

use super::{DAY, block_on, deployment, entry, row, table};
use crate::{Disk, Folder};

mod damage;

/// A folder on a disk where the steps from this one on fail, until it is set to none.
struct Ailing {
    folder: Folder,
    fails_from: Arc<AtomicUsize>,
}

impl Ailing {
    fn open(path: &Path, fails_with: io::ErrorKind) -> Self {
        let fails_from = Arc::new(AtomicUsize::new(usize::MAX));
        let left = Arc::clone(&fails_from);
        let disk = Disk::new(path.join("unfinished")).watched(move |_, _| {
            // Counts down to zero and stays there: the disk does not get better by itself.
            let before = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| Some(left.saturating_sub(1)));
            if before == Ok(0) { Err(fails_with.into()) } else { Ok(()) }
        });
        Self { folder: Folder::open_on(disk, path).expect("a folder"), fails_from }
    }

    fn fail_after(&self, steps: usize) {
        self.fails_from.store(steps, Ordering::SeqCst);
    }

    /// Whether a step was refused; the disk is well again.
    fn heal(&self) -> bool {
        self.fails_from.swap(usize::MAX, Ordering::SeqCst) == 0
    }
}

/// What a person needs: the kind, a path within the folder, and a next step.
fn tells(error: &Error, folder: &Path, advice: &str) {
    let text = error.to_string();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{text}");
    assert!(text.contains(&folder.display().to_string()) && text.contains(advice), "{text}");
}

#[tokio::test]
async fn a_full_disk_loses_no_rows_at_whatever_step_it_strikes() {
    for steps in 0..40 {
        let place = tempfile::tempdir().expect("a temporary folder");
        let ailing = Ailing::open(place.path(), io::ErrorKind::StorageFull);
        let warehouse = ailing.folder.warehouse();
        warehouse.create(&table()).await.expect("a table");
        warehouse.append("outcomes", "s", 0, vec![row(0), row(1)]).await.expect("an append");
        ailing.fail_after(steps);
        let first = warehouse.append("outcomes", "s", 2, vec![row(2)]).await;
        let second = warehouse.fold().await;
        let third = warehouse.append("outcomes", "s", 3, vec![row(3)]).await;
        for error in [first.err(), second.err(), third.err()].into_iter().flatten() {
            if error.to_string().contains("append from row") {
                continue;
            }
            tells(&error, place.path(), "Free some space");
        }
        let struck = ailing.heal();
        let next = warehouse.next_row("outcomes", "s").await.expect("a number");
        assert!(next >= 2 && (struck || next == 4), "{steps} steps: {next} rows");
        warehouse.append("outcomes", "s", 0, (0..6).map(row).collect()).await.expect("an append");
        check_rows(&ailing.folder, 6, steps).await;
        warehouse.fold().await.expect("a fold");
        check_rows(&ailing.folder, 6, steps).await;
        drop((ailing, warehouse));
        check_rows(&Folder::open(place.path()).expect("a folder"), 6, steps).await;
        if !struck {
            assert!(steps > 20, "the script takes only {steps} steps");
            return;
        }
    }
    panic!("the script does not come to its end");
}

async fn check_rows(folder: &Folder, count: u64, steps: usize) {
    let mut found = folder.warehouse().scan("outcomes", DAY).await.expect("a scan");
    found.extend(folder.warehouse().scan("outcomes", ports::Day(DAY.0 + 1)).await.expect("a scan"));
    let mut expected: Vec<_> = (0..count).map(row).map(|row| format!("{row:?}")).collect();
    let mut found: Vec<_> = found.iter().map(|row| format!("{row:?}")).collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected, "{steps} steps");
}

#[tokio::test]
async fn a_full_disk_keeps_catalog_and_artifacts_whole_at_whatever_step_it_strikes() {
    for steps in 0..40 {
        let place = tempfile::tempdir().expect("a temporary folder");
        let ailing = Ailing::open(place.path(), io::ErrorKind::StorageFull);
        let (catalog, artifacts) = (ailing.folder.catalog(), ailing.folder.artifacts());
        catalog.deploy(&deployment(1), &entry(1)).await.expect("a deployment");
        artifacts.put("a/b", Bytes::from_static(b"old")).await.expect("a put");
        ailing.fail_after(steps);
        let deployed = catalog.deploy(&deployment(2), &entry(2)).await;
        let put = artifacts.put("a/b", Bytes::from_static(b"new")).await;
        let recorded = catalog.record(&entry(3)).await;
        for error in [deployed.as_ref().err(), put.as_ref().err(), recorded.as_ref().err()].into_iter().flatten() {
            tells(error, place.path(), "Free some space");
        }
        let struck = ailing.heal();
        for folder in [ailing.folder.clone(), Folder::open(place.path()).expect("a folder")] {
            let revision = folder.catalog().deployment("one").await.expect("a file").map_or(0, |there| there.revision);
            assert!(revision == 2 || deployed.is_err() && revision == 1, "{steps} steps: revision {revision}");
            let mut trail: Vec<i64> = folder.catalog().audit(9).await.expect("a trail").iter().map(|entry| entry.at.0).collect();
            trail.reverse();
            let mut expected: Vec<i64> = (1..=revision.cast_signed()).collect();
            // What failed may have been written all the same; it must not be there in part or twice.
            expected.extend(trail.contains(&3).then_some(3));
            assert_eq!(trail, expected, "{steps} steps");
            assert!(recorded.is_err() || trail.contains(&3), "{steps} steps: {trail:?}");
            let found = folder.artifacts().get("a/b").await.expect("whole").expect("there");
            assert!(found == "new" || put.is_err() && found == "old", "{steps} steps: {found:?}");
        }
        if !struck {
            assert!(steps > 12, "the script takes only {steps} steps");
            return;
        }
    }
    panic!("the script does not come to its end");
}

#[tokio::test]
async fn a_folder_that_may_not_be_written_says_so() {
    for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem] {
        let place = tempfile::tempdir().expect("a temporary folder");
        let ailing = Ailing::open(place.path(), kind);
        ailing.fail_after(0);
        let error = ailing.folder.catalog().deploy(&deployment(1), &entry(1)).await.expect_err("no right to write");
        tells(&error, place.path(), "Give the user that runs Headway the right to write there");
        let error = ailing.folder.artifacts().put("a", Bytes::new()).await.expect_err("no right to write");
        tells(&error, place.path(), "choose another folder");
        assert_eq!(ailing.folder.artifacts().list("").await.expect("reading goes on"), Vec::<String>::new());
    }
}

#[test]
fn a_folder_below_a_file_says_where() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let file = place.path().join("file");
    fs::write(&file, "x").expect("a file");
    let error = Folder::open(file.join("folder")).expect_err("a file is no folder").to_string();
    assert!(error.contains(&file.display().to_string()), "{error}");
}

/// Set in the process that runs under a limit, to where its folder is.
const LIMITED: &str = "IO_FOLDER_LIMITED";

/// The system itself refuses to write: this test runs a second time in a process whose files may have 64 KiB.
#[test]
fn a_limit_of_the_system_is_told_like_a_full_disk() {
    if let Ok(place) = std::env::var(LIMITED) {
        return under_a_limit(Path::new(&place));
    }
    let place = tempfile::tempdir().expect("a temporary folder");
    let script =
        "trap '' XFSZ; ulimit -f 128; exec \"$0\" --exact tests::bad_days::a_limit_of_the_system_is_told_like_a_full_disk";
    let this = std::env::current_exe().expect("this test");
    let child = Command::new("sh").arg("-c").arg(script).arg(this).env(LIMITED, place.path()).output().expect("a shell");
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    let done = fs::read_to_string(place.path().join("log")).expect("the other process came to its end");
    assert_eq!(done, "done");
}

fn under_a_limit(place: &Path) {
    block_on(async {
        let folder = Folder::open(place).expect("a folder");
        folder.artifacts().put("big", Bytes::from(vec![1; 1000])).await.expect("a put");
        let error = folder.artifacts().put("big", Bytes::from(vec![2; 1 << 20])).await.expect_err("too big");
        tells(&error, place, "the disk is full");
        assert_eq!(folder.artifacts().get("big").await.expect("whole"), Some(Bytes::from(vec![1; 1000])));

        let warehouse = folder.warehouse();
        warehouse.create(&table()).await.expect("a table");
        let mut next = 0;
        let error = loop {
            match warehouse.append("outcomes", "s", next, (next..next + 100).map(row).collect()).await {
                Ok(_) => next += 100,
                Err(error) => break error,
            }
        };
        tells(&error, place, "the disk is full");
        assert!(next > 500, "only {next} rows fit");
        check_rows(&folder, next, 0).await;
        // A fold needs less room than the log, and makes room in it.
        warehouse.fold().await.expect("a fold");
        warehouse.append("outcomes", "s", next, vec![row(next)]).await.expect("an append");
        check_rows(&Folder::open(place).expect("a folder"), next + 1, 0).await;
    });
    fs::write(place.join("log"), "done").expect("a word to the other process");
}
