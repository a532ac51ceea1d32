//! The files as other programs see them: names, types, and values by the readers of the format.

use std::fs::File;

use parquet::{
    basic::{Compression, Repetition},
    file::reader::{FileReader, SerializedFileReader},
};
use ports::{CellKind, TableSpec, Warehouse};

use super::row;
use crate::Folder;

#[tokio::test]
async fn a_file_is_typed_compressed_and_found_below_its_day() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let warehouse = Folder::open(place.path()).expect("a folder").warehouse();
    let names = ["at", "number", "words", "share", "yes", "other_at"];
    let kinds = [CellKind::Instant, CellKind::Integer, CellKind::Text, CellKind::Float, CellKind::Boolean, CellKind::Instant];
    let columns: Vec<_> = names.map(String::from).into_iter().zip(kinds).collect();
    warehouse.create(&TableSpec { name: "kinds".into(), columns }).await.expect("a table");
    let rest = [ports::Cell::Float(0.5), ports::Cell::Boolean(true), ports::Cell::Null];
    let rows = [0, 2, 4].map(|number| [row(number), rest.to_vec()].concat()).to_vec();
    warehouse.append("kinds", "scorer/0", 0, rows).await.expect("an append");
    warehouse.fold().await.expect("a fold");

    let day = place.path().join("warehouse/kinds/day=2026-03-01");
    let files: Vec<_> = std::fs::read_dir(day).expect("a day").map(|entry| entry.expect("an entry").path()).collect();
    let [path] = &files[..] else { panic!("{files:?}") };
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    assert!(name.starts_with("scorer%2f0-00000000000000000000-") && name.ends_with(".parquet"), "{name}");

    let reader = SerializedFileReader::new(File::open(path).expect("a file")).expect("a Parquet file");
    let group = reader.metadata().row_group(0);
    let seen = group.columns().iter().map(|column| {
        let kind = column.column_descr();
        assert_eq!(column.compression(), Compression::SNAPPY);
        let required = kind.self_type().get_basic_info().repetition() == Repetition::REQUIRED;
        format!("{} {:?} {:?} {required}", kind.name(), kind.physical_type(), kind.converted_type())
    });
    let expected = [
        "at INT64 TIMESTAMP_MILLIS true",
        "number INT64 NONE false",
        "words BYTE_ARRAY UTF8 false",
        "share DOUBLE NONE false",
        "yes BOOLEAN NONE false",
        "other_at INT64 TIMESTAMP_MILLIS false",
    ];
    assert_eq!(seen.collect::<Vec<_>>(), expected);
    let texts: Vec<String> = reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row").to_string()).collect();
    assert_eq!(texts.len(), 3);
    assert!(texts[1].contains("number: 2, words: \"row 2\", share: 0.5, yes: true, other_at: null"), "{texts:?}");
}

#[tokio::test]
async fn a_long_log_is_folded_without_being_asked() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let warehouse = Folder::open(place.path()).expect("a folder").warehouse();
    warehouse.create(&super::table()).await.expect("a table");
    let long = |number: u64| {
        let mut row = row(number * 2);
        row[2] = ports::Cell::Text("long ".repeat(200_000));
        row
    };
    for number in 0..12 {
        warehouse.append("outcomes", "s", number, vec![long(number)]).await.expect("an append");
    }
    let files = std::fs::read_dir(place.path().join("warehouse/outcomes/day=2026-03-01")).expect("a day").count();
    assert_eq!(files, 1, "one file for the first 8 MiB");
    let log = place.path().join("warehouse/.rows/outcomes/s.rows").metadata().expect("a log").len();
    assert!(log < 8 << 20, "the log has {log} bytes");
    assert_eq!(warehouse.scan("outcomes", super::DAY).await.expect("a scan").len(), 12);
}

#[tokio::test]
async fn a_fold_that_has_no_time_leaves_rows_where_they_are() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let warehouse = Folder::open(place.path()).expect("a folder").warehouse();
    warehouse.create(&super::table()).await.expect("a table");
    warehouse.append("outcomes", "s", 0, vec![row(0)]).await.expect("an append");
    warehouse.fold_while(|| false).await.expect("nothing to do");
    assert!(!place.path().join("warehouse/outcomes").exists());
    assert_eq!(warehouse.scan("outcomes", super::DAY).await.expect("a scan"), [row(0)]);
}

/// What one of them folds would be taken for what a crash left, if the others looked into the same warehouse.
#[tokio::test]
async fn processes_that_share_a_folder_have_a_warehouse_each() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let mut opened = Vec::new();
    for (name, rows) in [("a", 3), ("b", 2)] {
        let warehouse = Folder::open_among(place.path(), name).expect("a folder").warehouse();
        warehouse.create(&super::table()).await.expect("a table");
        assert_eq!(warehouse.next_row("outcomes", "0").await.expect("a number"), 0);
        warehouse.append("outcomes", "0", 0, (0..rows).map(|number| row(number * 2)).collect()).await.expect("an append");
        opened.push((warehouse, rows));
    }
    for (warehouse, rows) in opened {
        warehouse.fold().await.expect("a fold");
        assert_eq!(warehouse.scan("outcomes", super::DAY).await.expect("a scan").len() as u64, rows);
    }
    let files = |name: &str| {
        std::fs::read_dir(place.path().join(format!("warehouses/{name}/outcomes/day=2026-03-01"))).expect("a day").count()
    };
    assert_eq!((files("a"), files("b")), (1, 1));
}
