//! What every warehouse promises.

use std::collections::BTreeMap;

use domain::Timestamp;
use ports::{Appended, Cell, CellKind, Day, ErrorKind, Rows, TableSpec, Warehouse};

use super::harness::{CRASH_SHARES, Harness, bad, good};
use crate::generate::dice::Dice;

/// Runs every case and a few random runs.
pub async fn suite<H: Harness<Port: Warehouse>>(harness: &mut H) {
    a_table_has_to_be_created(harness).await;
    a_column_keeps_its_kind(harness).await;
    what_was_appended_survives_a_crash(harness).await;
    an_append_that_is_tried_again_is_not_counted_twice(harness).await;
    missing_rows_are_invalid(harness).await;
    streams_and_tables_do_not_touch_each_other(harness).await;
    rows_are_found_by_their_day(harness).await;
    every_kind_comes_back_as_it_was(harness).await;
    rows_that_do_not_fit_are_invalid(harness).await;
    old_rows_have_null_in_new_columns(harness).await;
    for seed in 0..6 {
        random(harness, seed, 60).await;
    }
}

const DAY_MS: i64 = 86_400_000;
/// 2026-03-01.
const DAY: Day = Day(20_513);

/// Nothing can be done with one that was not; creating it again changes nothing.
pub async fn a_table_has_to_be_created<H: Harness<Port: Warehouse>>(harness: &mut H) {
    let port = harness.fresh().await;
    bad(port.append("outcomes", "s", 0, vec![row(0, 1)]).await, ErrorKind::Invalid, "appending to no table");
    bad(port.next_row("outcomes", "s").await, ErrorKind::Invalid, "the next row of no table");
    bad(port.scan("outcomes", DAY).await, ErrorKind::Invalid, "scanning no table");
    good(port.create(&table("outcomes")).await);
    assert_eq!(good(port.next_row("outcomes", "s").await), 0);
    assert_eq!(good(port.scan("outcomes", DAY).await), Rows::new());
    good(port.append("outcomes", "s", 0, vec![row(0, 1)]).await);
    good(port.create(&table("outcomes")).await);
    let port = harness.crash(port).await;
    good(port.create(&table("outcomes")).await);
    assert_eq!(good(port.scan("outcomes", DAY).await), [row(0, 1)]);
}

/// Of an existing table, before and after a crash; the first one is always an instant.
pub async fn a_column_keeps_its_kind<H: Harness<Port: Warehouse>>(harness: &mut H) {
    let port = harness.fresh().await;
    good(port.create(&table("outcomes")).await);
    let port = harness.crash(port).await;
    let mut other = table("outcomes");
    other.columns[1].1 = CellKind::Text;
    bad(port.create(&other).await, ErrorKind::Invalid, "another kind");
    let mut no_day = table("no_day");
    no_day.columns.remove(0);
    bad(port.create(&no_day).await, ErrorKind::Invalid, "a table without an instant");
    good(port.append("outcomes", "s", 0, vec![row(0, 1)]).await);
}

/// Durable when it returns.
pub async fn what_was_appended_survives_a_crash<H: Harness<Port: Warehouse>>(harness: &mut H) {
    let mut port = harness.fresh().await;
    good(port.create(&table("outcomes")).await);
    let mut expected = Rows::new();
    for number in 0..5 {
        assert_eq!(good(port.append("outcomes", "s", number, vec![row(0, number)]).await), Appended::New);
        expected.push(row(0, number));
        port = harness.crash(port).await;
        assert_eq!(good(port.next_row("outcomes", "s").await), number + 1);
        assert_eq!(sorted(good(port.scan("outcomes", DAY).await)), expected);
    }
}

/// As a whole, or with new rows behind the old ones.
pub async fn an_append_that_is_tried_again_is_not_counted_twice<H: Harness<Port: Warehouse>>(harness: &mut H) {
    let port = harness.fresh().await;
    good(port.create(&table("outcomes")).await);
    let rows = |numbers: std::ops::Range<u64>| numbers.map(|number| row(0, number)).collect::<Rows>();
    assert_eq!(good(port.append("outcomes", "s", 0, rows(0..3)).await), Appended::New);
    assert_eq!(good(port.append("outcomes", "s", 0, rows(0..3)).await), Appended::Repeated);
    let port = harness.crash(port).await;
    assert_eq!(good(port.append("outcomes", "s", 1, rows(1..3)).await), Appended::Repeated);
    assert_eq!(good(port.append("outcomes", "s", 1, rows(1..5)).await), Appended::New);
    assert_eq!(good(port.next_row("outcomes", "s").await), 5);
    assert_eq!(sorted(good(port.scan("outcomes", DAY).await)), rows(0..5));
}

/// A gap means that somebody lost rows: nothing is written.
pub async fn missing_rows_are_invalid<H: Harness<Port: Warehouse>>(harness: &mut H) {
    let port = harness.fresh().await;
    good(port.create(&table("outcomes")).await);
    bad(port.append("outcomes", "s", 1, vec![row(0, 1)]).await, ErrorKind::Invalid, "a first row that is not number 0");
    good(port.append("outcomes", "s", 0, vec![row(0, 0)]).await);
    bad(port.append("outcomes", "s", 2, vec![row(0, 2)]).await, ErrorKind::Invalid, "a gap");
    let port = harness.crash(port).await;
    assert_eq!(good(port.next_row("outcomes", "s").await), 1);
    assert_eq!(good(port.scan("outcomes", DAY).await), [row(0, 0)]);
}

/// Each counts its own rows, whatever its name looks like.
pub async fn streams_and_tables_do_not_touch_each_other<H: Harness<Port: Warehouse>>(harness: &mut H) {
    let port = harness.fresh().await;
    let streams = ["s", "s-1", "S", "outcomes/0", "a b", "ü"];
    for name in ["outcomes", "outcomes_2"] {
        good(port.create(&table(name)).await);
        for (number, stream) in (0..).zip(streams) {
            assert_eq!(good(port.append(name, stream, 0, vec![row(0, number)]).await), Appended::New, "{stream}");
        }
    }
    good(port.append("outcomes_2", "s", 1, vec![row(0, 9)]).await);
    let port = harness.crash(port).await;
    assert_eq!(good(port.scan("outcomes", DAY).await).len(), 6);
    assert_eq!(good(port.scan("outcomes_2", DAY).await).len(), 7);
    for stream in streams {
        assert_eq!(good(port.next_row("outcomes", stream).await), 1, "{stream}");
    }
}

/// The first column decides, to the millisecond; rows may come in any order of time.
pub async fn rows_are_found_by_their_day<H: Harness<Port: Warehouse>>(harness: &mut H) {
    let port = harness.fresh().await;
    good(port.create(&table("outcomes")).await);
    let rows = vec![row(DAY_MS, 0), row(-1, 1), row(DAY_MS - 1, 2), row(0, 3), row(-30 * DAY_MS, 4)];
    good(port.append("outcomes", "s", 0, rows).await);
    let port = harness.crash(port).await;
    let of = |day: i32| Day(DAY.0 + day);
    assert_eq!(sorted(good(port.scan("outcomes", of(0)).await)), [row(DAY_MS - 1, 2), row(0, 3)]);
    assert_eq!(good(port.scan("outcomes", of(1)).await), [row(DAY_MS, 0)]);
    assert_eq!(good(port.scan("outcomes", of(-1)).await), [row(-1, 1)]);
    assert_eq!(good(port.scan("outcomes", of(-30)).await), [row(-30 * DAY_MS, 4)]);
    assert_eq!(good(port.scan("outcomes", of(2)).await), Rows::new());
}

/// The ends of each range, text of any kind, and no value.
pub async fn every_kind_comes_back_as_it_was<H: Harness<Port: Warehouse>>(harness: &mut H) {
    let port = harness.fresh().await;
    let kinds = [CellKind::Instant, CellKind::Integer, CellKind::Float, CellKind::Text, CellKind::Boolean, CellKind::Instant];
    let columns = ["at", "number", "share", "words", "yes", "other_at"].map(String::from).into_iter().zip(kinds).collect();
    good(port.create(&TableSpec { name: "kinds".into(), columns }).await);
    let at = |number: i64| Cell::Instant(Timestamp(i64::from(DAY.0) * DAY_MS + number));
    let text = |text: &str| Cell::Text(text.into());
    let mut rows = vec![
        vec![at(0), Cell::Integer(i64::MIN), Cell::Float(-0.1), text(""), Cell::Boolean(false), at(-5)],
        vec![at(1), Cell::Null, Cell::Null, Cell::Null, Cell::Null, Cell::Null],
        vec![at(2), Cell::Integer(i64::MAX), Cell::Float(f64::INFINITY), text("配達\n\"\0"), Cell::Boolean(true), at(5)],
        vec![at(3), Cell::Integer(0), Cell::Float(f64::MIN_POSITIVE), text(&"long ".repeat(5000)), Cell::Null, Cell::Null],
    ];
    good(port.append("kinds", "s", 0, rows.clone()).await);
    let mut port = port;
    for _ in 0..3 {
        port = harness.crash(port).await;
        let mut found = good(port.scan("kinds", DAY).await);
        found.sort_by_key(|row| instant(row));
        rows.sort_by_key(|row| instant(row));
        assert_eq!(found, rows);
    }
}

/// One that does not fit keeps the others of its append out as well.
pub async fn rows_that_do_not_fit_are_invalid<H: Harness<Port: Warehouse>>(harness: &mut H) {
    let port = harness.fresh().await;
    good(port.create(&table("outcomes")).await);
    let [at, number] = &row(0, 1)[..] else { panic!("a row of this suite has two cells") };
    let odd = [
        vec![at.clone()],
        vec![at.clone(), number.clone(), Cell::Null],
        vec![at.clone(), Cell::Text("1".into())],
        vec![Cell::Null, number.clone()],
        vec![Cell::Integer(0), number.clone()],
        vec![],
    ];
    for odd in odd {
        let what = format!("{odd:?}");
        bad(port.append("outcomes", "s", 0, vec![row(0, 1), odd]).await, ErrorKind::Invalid, &what);
    }
    let port = harness.crash(port).await;
    assert_eq!(good(port.next_row("outcomes", "s").await), 0);
    assert_eq!(good(port.scan("outcomes", DAY).await), Rows::new());
}

/// Wherever they are kept: appended before a crash, after it, and after the column came.
pub async fn old_rows_have_null_in_new_columns<H: Harness<Port: Warehouse>>(harness: &mut H) {
    let port = harness.fresh().await;
    good(port.create(&table("outcomes")).await);
    good(port.append("outcomes", "s", 0, vec![row(0, 0)]).await);
    let port = harness.crash(port).await;
    good(port.append("outcomes", "s", 1, vec![row(0, 1)]).await);
    let mut wider = table("outcomes");
    wider.columns.push(("words".into(), CellKind::Text));
    good(port.create(&wider).await);
    let with = |number, cell: Cell| [row(0, number), vec![cell]].concat();
    good(port.append("outcomes", "s", 2, vec![with(2, Cell::Text("new".into()))]).await);
    let expected = vec![with(0, Cell::Null), with(1, Cell::Null), with(2, Cell::Text("new".into()))];
    assert_eq!(sorted(good(port.scan("outcomes", DAY).await)), expected);
    let port = harness.crash(port).await;
    assert_eq!(sorted(good(port.scan("outcomes", DAY).await)), expected);
    bad(port.append("outcomes", "s", 3, vec![row(0, 3)]).await, ErrorKind::Invalid, "a row that lacks the new column");
}

/// Random appends, repeated ones among them, beside lists.
pub async fn random<H: Harness<Port: Warehouse>>(harness: &mut H, seed: u64, operations: usize) {
    let mut dice = Dice::new(seed);
    let crash_share = *dice.pick(&CRASH_SHARES);
    let mut streams: BTreeMap<&str, Rows> = BTreeMap::new();
    let mut port = harness.fresh().await;
    good(port.create(&table("outcomes")).await);
    for operation in 0..operations {
        let at = format!("seed {seed}, operation {operation}");
        let stream = *dice.pick(&["s", "t/1"]);
        let there = streams.entry(stream).or_default();
        assert_eq!(good(port.next_row("outcomes", stream).await), there.len() as u64, "{at}");
        let first = there.len() - dice.place(there.len().min(4) + 1);
        let mut rows = there[first..].to_vec();
        let fresh = dice.place(5);
        rows.extend((0..fresh).map(|place| row(dice.between(-1, 1) * DAY_MS, (there.len() + place) as u64)));
        if !rows.is_empty() {
            let expected = if fresh == 0 { Appended::Repeated } else { Appended::New };
            assert_eq!(good(port.append("outcomes", stream, first as u64, rows.clone()).await), expected, "{at}");
            there.splice(first.., rows);
        }
        if dice.chance(crash_share) {
            port = harness.crash(port).await;
        }
        let day = Day(DAY.0 + i32::try_from(dice.between(-1, 1)).unwrap_or(0));
        let expected = streams.values().flatten().filter(|row| instant(row).div_euclid(DAY_MS) == i64::from(day.0));
        assert_eq!(sorted(good(port.scan("outcomes", day).await)), sorted(expected.cloned().collect()), "{at}");
    }
}

fn table(name: &str) -> TableSpec {
    TableSpec { name: name.into(), columns: vec![("at".into(), CellKind::Instant), ("number".into(), CellKind::Integer)] }
}

fn row(of_day_ms: i64, number: u64) -> Vec<Cell> {
    let at = Timestamp(i64::from(DAY.0) * DAY_MS + of_day_ms);
    vec![Cell::Instant(at), Cell::Integer(number.cast_signed())]
}

fn instant(row: &[Cell]) -> i64 {
    match row.first() {
        Some(Cell::Instant(at)) => at.0,
        other => panic!("a row begins with {other:?}"),
    }
}

/// By their second cell, which numbers them, and then their instant.
fn sorted(mut rows: Rows) -> Rows {
    rows.sort_by_key(|row| match &row[1] {
        Cell::Integer(number) => (*number, instant(row)),
        other => panic!("the second cell is {other:?}"),
    });
    rows
}
