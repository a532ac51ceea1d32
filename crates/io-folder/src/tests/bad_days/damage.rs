//! Files that were changed after they were written: told by name, never taken for good.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use ports::{Artifacts, Catalog, ErrorKind, Warehouse};
use tempfile::TempDir;

use super::super::{DAY, block_on, deployment, entry, row, table};
use crate::{Error, Folder};

/// A folder with something of everything.
async fn filled() -> (TempDir, Folder) {
    let place = tempfile::tempdir().expect("a temporary folder");
    let folder = Folder::open(place.path()).expect("a folder");
    folder.catalog().deploy(&deployment(1), &entry(1)).await.expect("a deployment");
    for number in 2..5 {
        folder.catalog().record(&entry(number)).await.expect("a record");
    }
    folder.artifacts().put("models/1", Bytes::from_static(b"a model")).await.expect("a put");
    folder.warehouse().create(&table()).await.expect("a table");
    folder.warehouse().append("outcomes", "s", 0, vec![row(0), row(2)]).await.expect("an append");
    folder.warehouse().fold().await.expect("a fold");
    for number in [4, 6] {
        folder.warehouse().append("outcomes", "s", number / 2, vec![row(number)]).await.expect("an append");
    }
    (place, folder)
}

fn parquet_file(place: &TempDir) -> PathBuf {
    let mut files = fs::read_dir(place.path().join("warehouse/outcomes/day=2026-03-01")).expect("a day");
    files.next().expect("a file").expect("an entry").path()
}

/// Changes one byte after the other and hears what came of it; none means that everything was as before.
fn each_byte(path: &PathBuf, mut check: impl FnMut(usize)) {
    let good = fs::read(path).expect("a file");
    for place in 0..good.len() {
        let mut bad = good.clone();
        bad[place] ^= 0x40;
        fs::write(path, bad).expect("a worse file");
        check(place);
    }
    fs::write(path, good).expect("the file as it was");
}

/// It names the file, and says what to do.
fn names(error: &impl std::fmt::Display, path: &std::path::Path) {
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()), "{text}");
    assert!(text.contains("Bring it back from a copy") || text.contains("run the version that wrote it"), "{text}");
}

#[test]
fn a_changed_deployment_is_never_believed() {
    let (place, folder) = block_on(filled());
    let path = place.path().join("catalog/one.json");
    each_byte(&path, |byte| {
        let error = block_on(folder.catalog().deployment("one")).expect_err("a changed file");
        assert_eq!(error.kind(), ErrorKind::Invalid, "byte {byte}");
        names(&error, &path);
        names(&Folder::open(place.path()).expect_err("a changed file"), &path);
    });
}

#[test]
fn a_changed_audit_entry_is_told_with_its_line_unless_it_may_be_torn() {
    let (place, folder) = block_on(filled());
    let path = place.path().join("catalog/audit.jsonl");
    let good = fs::read(&path).expect("a trail");
    let last_line = good[..good.len() - 1].iter().rposition(|byte| *byte == b'\n').expect("several lines") + 1;
    each_byte(&path, |byte| {
        let error = block_on(folder.catalog().audit(9)).expect_err("a changed trail");
        names(&error, &path);
        let opened = Folder::open(place.path());
        if byte < last_line - 1 {
            let line = good[..byte].iter().filter(|byte| **byte == b'\n').count() + 1;
            let error = opened.expect_err("a changed trail");
            assert!(error.to_string().contains(&format!("line {line} ")), "byte {byte}: {error}");
        } else if byte >= last_line {
            let left = block_on(opened.expect("a torn end is cut off").catalog().audit(9)).expect("a trail");
            assert_eq!(left, [entry(3), entry(2), entry(1)], "byte {byte}");
        }
    });
}

#[test]
fn a_changed_artifact_is_poison_and_stops_nothing_else() {
    let (place, folder) = block_on(filled());
    let path = place.path().join("artifacts/models/1@1");
    each_byte(&path, |byte| {
        let error = block_on(folder.artifacts().get("models/1")).expect_err("a changed file");
        assert_eq!(error.kind(), ErrorKind::Poison, "byte {byte}");
        assert!(error.to_string().contains("models/1@1") && error.to_string().contains("Put this artifact again"), "{error}");
    });
    fs::write(&path, "short").expect("a file");
    assert!(block_on(folder.artifacts().get("models/1")).is_err());
    assert_eq!(block_on(Folder::open(place.path()).expect("a folder").artifacts().list("")).expect("a list"), ["models/1"]);
}

#[test]
fn a_changed_parquet_file_is_never_believed() {
    let (place, folder) = block_on(filled());
    let path = parquet_file(&place);
    each_byte(&path, |byte| {
        let error = block_on(folder.warehouse().scan("outcomes", DAY)).expect_err("a changed file");
        assert_eq!(error.kind(), ErrorKind::Invalid, "byte {byte}");
        names(&error, &path);
    });
    assert_eq!(block_on(folder.warehouse().scan("outcomes", DAY)).expect("the file as it was").len(), 4);
}

#[test]
fn a_changed_log_of_rows_is_told_unless_it_may_be_torn() {
    let (place, folder) = block_on(filled());
    drop(folder);
    let path = place.path().join("warehouse/.rows/outcomes/s.rows");
    let good = fs::read(&path).expect("a log");
    let last_frame = good.windows(4).rposition(|four| four == b"\nROW").expect("two frames");
    each_byte(&path, |byte| match Folder::open(place.path()) {
        Err(error) => {
            assert!(byte < last_frame, "byte {byte}: {error}");
            names(&error, &path);
        }
        Ok(folder) => {
            assert!(byte >= last_frame, "byte {byte} of the rows in the middle was changed unnoticed");
            assert_eq!(block_on(folder.warehouse().next_row("outcomes", "s")).expect("a number"), 3);
        }
    });
}

#[test]
fn a_lost_log_of_rows_does_not_take_the_files_with_it() {
    let (place, folder) = block_on(filled());
    drop(folder);
    let path = place.path().join("warehouse/.rows/outcomes/s.rows");
    fs::remove_file(&path).expect("a log");
    let error = Folder::open(place.path()).expect_err("a log is missing").to_string();
    assert!(error.contains("s.rows") && error.contains("it is missing or older"), "{error}");
    assert!(parquet_file(&place).exists());
}

#[test]
fn a_day_may_be_deleted_and_foreign_files_are_left_alone() {
    let (place, folder) = block_on(filled());
    drop(folder);
    let day = place.path().join("warehouse/outcomes/day=2026-03-01");
    fs::write(day.join("notes.txt"), "mine").expect("a file");
    fs::write(day.join("copy-of-7-x.parquet"), "mine").expect("a file");
    let folder = Folder::open(place.path()).expect("a folder");
    assert_eq!(block_on(folder.warehouse().scan("outcomes", DAY)).expect("rows").len(), 4);
    fs::remove_dir_all(&day).expect("a day");
    assert_eq!(block_on(folder.warehouse().scan("outcomes", DAY)).expect("rows"), [row(4), row(6)]);
    let folder = Folder::open(place.path()).expect("a folder");
    assert_eq!(block_on(folder.warehouse().next_row("outcomes", "s")).expect("a number"), 4);
}

#[test]
fn a_newer_folder_and_somebody_elses_are_left_alone() {
    let (place, folder) = block_on(filled());
    drop(folder);
    let format = place.path().join("format");
    fs::write(&format, "headway folder 2\n").expect("a newer format");
    let error = Folder::open(place.path()).expect_err("a newer format");
    assert!(matches!(error, Error::Newer { found: 2, known: 1, .. }) && error.kind() == ErrorKind::Invalid, "{error}");
    names(&error, &format);
    fs::write(&format, "?").expect("a damaged format");
    let error = Folder::open(place.path()).expect_err("no format").to_string();
    assert!(error.contains("write the line `headway folder 1`"), "{error}");

    let home = tempfile::tempdir().expect("a temporary folder");
    fs::write(home.path().join("thesis.txt"), "years of work").expect("a file");
    let error = Folder::open(home.path()).expect_err("somebody else's folder").to_string();
    assert!(error.contains("thesis.txt") && error.contains("name an empty folder"), "{error}");
    assert_eq!(fs::read_dir(home.path()).expect("a listing").count(), 1, "something was written all the same");
}

#[test]
fn the_log_may_be_there_first_and_the_folder_explains_itself() {
    let place = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(place.path().join("log")).expect("a folder");
    fs::write(place.path().join("log/segment"), "events").expect("a file");
    drop(Folder::open(place.path()).expect("a folder"));
    drop(Folder::open(place.path()).expect("the same folder"));
    assert_eq!(fs::read_to_string(place.path().join("log/segment")).expect("a file"), "events");
    let readme = fs::read_to_string(place.path().join("README.txt")).expect("a readme");
    assert!(readme.contains("whole uninstall"), "{readme}");
}
