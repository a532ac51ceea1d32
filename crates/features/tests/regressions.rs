//! Behaviour that was once wrong, each as the shortest run that shows it. Drives the public engine and nothing else.

mod run;

use domain::{Timestamp, Value};
use features::{Block, Config, Engine, SnapshotKind};
use pipeline::{Aggregator, Expr, FieldKind, Pipeline, Source, SourceKind};
use run::{MINUTE, Run, START, durations, of_two, order, orders_stream};
use testkit::pipelines::{
    build::{bare, decimal, feature, field, group, is, pipeline, place, required, span, stream, table, value},
    minimal,
};

/// Orders with a table of those that are open, counted by store.
fn open_orders(entities_max: u64) -> Pipeline {
    let orders = orders_stream();
    let open = table("open", &orders, 0, "order", Some(is(&orders, "type", "gone")), "1h");
    let mut store = group("store", 1, bare(&open, "store"), "1m", vec![feature("open", Aggregator::OpenCount, Vec::new(), &[])]);
    store.entities_max = entities_max;
    pipeline("open_orders", vec![orders, open], vec![store])
}

/// Sensors of which only the first reading ever is kept.
fn first_ever(keep: &str) -> Pipeline {
    let readings =
        stream("readings", "sensor", vec![required("sensor", FieldKind::Text), field("amount", decimal(0, 0, 1_000_000))]);
    let mut sensor = group(
        "sensor",
        0,
        bare(&readings, "sensor"),
        "1m",
        vec![feature("first", Aggregator::First, value(&readings, "amount"), &[])],
    );
    sensor.keep = span(keep);
    pipeline("first_ever", vec![readings], vec![sensor])
}

#[test]
fn a_row_that_found_no_room_is_not_counted_out() {
    let mut run = Run::new(open_orders(1));
    run.event(&order("a", "1", "new"), 0, 0).event(&order("b", "2", "new"), 1000, 1000);
    assert_eq!(run.out.dropped.len(), 1, "the second store is over capacity");
    run.event(&order("a", "1", "gone"), 2000, 2000).event(&order("b", "2", "gone"), 3000, 3000);
    assert_ne!(run.value(0, "b"), Some(Value::Integer(-1)), "a count below zero");
    assert_eq!(run.engine.keys(0).count(), 0, "nothing is open, so nothing is held");
}

/// Stores of a file, by their capacity.
fn stores(entities_max: u64) -> Pipeline {
    let fields = vec![field("capacity", FieldKind::Integer { min: 0, max: 1000 }), required("store", FieldKind::Text)];
    let kind = SourceKind::File { path: "stores.jsonl".into(), key: place(&fields, "store") };
    let stores = Source { name: "stores".into(), kind, fields, silent_after: None };
    let features = vec![feature("capacity", Aggregator::Last, value(&stores, "capacity"), &[])];
    let mut store = group("store", 0, bare(&stores, "store"), "1m", features);
    store.entities_max = entities_max;
    pipeline("stores", vec![stores], vec![store])
}

#[test]
fn a_file_that_is_loaded_again_replaces_what_it_said() {
    let mut run = Run::new(stores(10));
    run.engine.load_file(0, "{\"store\":\"a\",\"capacity\":1}\n{\"store\":\"b\",\"capacity\":5}\n", Timestamp(START));
    run.engine.load_file(0, "{\"store\":\"a\",\"capacity\":2}\n", Timestamp(START + 1));
    assert_eq!(run.value(0, "a"), Some(Value::Integer(2)));
    assert_eq!(run.value(0, "b"), None, "the line of b is gone");
}

#[test]
fn a_file_that_is_loaded_again_has_the_room_of_what_it_replaces() {
    let mut run = Run::new(stores(2));
    let lines =
        |stores: &[&str]| stores.iter().map(|store| format!("{{\"store\":\"{store}\",\"capacity\":1}}\n")).collect::<String>();
    run.engine.load_file(0, &lines(&["a", "b"]), Timestamp(START));
    let out = run.engine.load_file(0, &lines(&["b", "c"]), Timestamp(START + 1));
    assert_eq!((out.dropped.len(), run.value(0, "c")), (0, Some(Value::Integer(1))));
    assert_eq!(run.engine.replay_file(0, &lines(&["d", "e", "f"]), Timestamp(START + 2)), []);
    run.tick(3);
    assert_eq!(run.engine.keys(0).collect::<Vec<_>>(), ["d", "e"], "and no more than that");
    let out = run.engine.load_file(0, &lines(&["e", "g", "h"]), Timestamp(START + 4));
    assert_eq!(out.dropped.iter().map(|dropped| dropped.key.as_str()).collect::<Vec<_>>(), ["h"]);
}

#[test]
fn what_a_snapshot_that_was_given_up_held_is_in_the_next_one() {
    let mut run = Run::new(minimal());
    let first = run.snapshot(SnapshotKind::Full);
    run.event(r#""sensor":"a","amount":1"#, 0, 0);
    run.engine.begin_snapshot(SnapshotKind::Changes);
    run.engine.write_snapshot(1, &mut Vec::new());
    run.event(r#""sensor":"b","amount":1"#, 1000, 1000);
    let (kind, second) = run.any_snapshot(SnapshotKind::Changes);
    assert_eq!(kind, SnapshotKind::Full, "changes since the first one are not known any more");
    let kept = run.vector(0, "a");
    assert!(kept.is_some());
    run.restore(&[&second]);
    assert_eq!(run.vector(0, "a"), kept);
    let chained = Engine::restore(run.pipeline.clone(), Config::default(), &[&first, &second]);
    assert!(chained.is_err(), "a full snapshot begins a chain");
}

#[test]
fn what_was_removed_after_a_restore_stays_removed() {
    let mut run = Run::new(open_orders(10));
    run.event(&order("a", "1", "new"), 0, 0);
    let first = run.snapshot(SnapshotKind::Full);
    run.restore(&[&first]);
    run.event(&order("a", "1", "gone"), 1000, 1000);
    assert_eq!(run.engine.keys(0).count(), 0);
    let (kind, second) = run.any_snapshot(SnapshotKind::Changes);
    assert_eq!(kind, SnapshotKind::Full, "a restored engine does not know what was saved before");
    run.restore(&[&second]);
    assert_eq!(run.engine.keys(0).count(), 0, "the store had been forgotten");
}

#[test]
fn changes_do_not_stand_alone() {
    let mut run = Run::new(minimal());
    run.event(r#""sensor":"a","amount":1"#, 0, 0);
    run.snapshot(SnapshotKind::Full);
    run.event(r#""sensor":"b","amount":1"#, 1000, 1000);
    let changes = run.snapshot(SnapshotKind::Changes);
    let restored = Engine::restore(run.pipeline.clone(), Config::default(), &[&changes]);
    assert!(restored.is_err(), "a snapshot of changes was restored without the one it changes");
}

#[test]
fn a_restored_engine_has_forgotten_the_same_identities() {
    let mut run = Run::new(minimal());
    let reading = r#""sensor":"a","amount":1"#;
    run.named("x", reading, 0, 0);
    let first = run.snapshot(SnapshotKind::Full);
    // Two dedup slices later: nothing of the first one is remembered.
    run.named("y", reading, 33 * MINUTE, 33 * MINUTE);
    let second = run.snapshot(SnapshotKind::Changes);
    run.named("x", reading, 34 * MINUTE, 34 * MINUTE);
    let live = run.out.refused.clone();
    run.restore(&[&first, &second]).named("x", reading, 34 * MINUTE, 34 * MINUTE);
    assert_eq!(run.out.refused, live);
}

#[test]
fn a_row_that_is_renewed_has_one_timer() {
    let mut run = Run::new(open_orders(10));
    for second in 0..600 {
        run.event(&order("a", "1", "new"), second * 1000, second * 1000);
    }
    let ticks = run.follow_timers(70 * MINUTE);
    assert!(ticks < 10, "{ticks} ticks for one row that ends once");
}

#[test]
fn a_value_without_a_window_has_one_timer() {
    let mut run = Run::new(first_ever("1h"));
    for second in 0..600 {
        run.event(r#""sensor":"a","amount":1"#, second * 1000, second * 1000);
    }
    let ticks = run.follow_timers(75 * MINUTE);
    assert!(ticks < 10, "{ticks} ticks for one value that is forgotten once");
}

#[test]
fn an_idle_partition_does_not_ask_for_a_tick_every_millisecond() {
    let mut run = Run::new(open_orders(10));
    // As old as an event may be.
    run.event(&order("a", "1", "gone"), -10 * MINUTE, 0);
    run.tick(2 * 60 * MINUTE);
    let ticks = run.follow_timers(2 * 60 * MINUTE + 10_000);
    assert!(ticks < 100, "{ticks} ticks in ten seconds in which nothing happened");
}

#[test]
fn time_that_stands_still_does_not_let_held_events_in() {
    let mut spec = minimal();
    spec.sources[0].silent_after = Some(span("5s"));
    let mut run = Run::new(spec);
    let reading = r#""sensor":"a","amount":1"#;
    run.event(reading, 0, 0).event(reading, 20_000, 1);
    run.tick(25_000);
    let vector = run.vector(0, "a").expect("an entity with an event");
    assert_eq!((vector.source_silent, vector.as_of), (true, Timestamp(START + 5001)));
    assert_eq!(vector.values[0], Some(Value::Integer(1)), "the event of 20 s is not visible at 5 s");
}

#[test]
fn what_waits_for_a_silent_source_asks_for_nothing() {
    let mut spec = minimal();
    spec.sources[0].silent_after = Some(span("5s"));
    let mut run = Run::new(spec);
    let reading = r#""sensor":"a","amount":1"#;
    run.event(reading, 0, 0).event(reading, 20_000, 1);
    run.tick(25_000);
    assert_eq!(run.engine.load().held, 1, "time stands still before the event of 20 s");
    let ticks = run.follow_timers(10 * MINUTE);
    assert!(ticks < 10, "{ticks} ticks in which nothing could happen");
}

#[test]
fn a_gap_of_keep_begins_anew_without_a_tick_in_between() {
    let mut spec = durations(|durations| vec![feature("first", Aggregator::First, value(durations, "amount"), &[])]);
    spec.groups[0].keep = span("2h");
    let mut run = Run::new(spec);
    let of = |kind: &str, amount: i64| format!("{},\"amount\":{amount}", order("a", &format!("o{amount}"), kind));
    run.event(&of("start", 1), 0, 0).event(&of("end", 1), 1000, 1000).tick(30 * MINUTE);
    let later = 150 * MINUTE;
    run.batch(&[("s2", &of("start", 2), later, later), ("e2", &of("end", 2), later + 1000, later + 1000)]);
    assert_eq!(run.value(0, "a"), Some(Value::Float(2.0)));
}

#[test]
fn the_clock_of_another_shard_does_not_seal_what_is_accepted_here() {
    let spec = || durations(|_| vec![feature("count", Aggregator::Count, Vec::new(), &["1h"])]);
    let (mut fast, mut slow) = (Run::shard(spec(), of_two(0)), Run::shard(spec(), of_two(1)));
    // A store that lives on the slow shard: its rows leave the fast one in a block.
    let (mut at, mut block, mut store) = (20 * MINUTE, None, String::new());
    while block.is_none() {
        at += 1000;
        store = format!("k{at}");
        fast.event(&order(&store, &store, "start"), at, at).event(&order(&store, &store, "end"), at + 1, at + 1);
        block = fast.out.blocks.pop();
    }
    let bytes = block.map(|block| block.bytes).unwrap_or_default();
    slow.engine.receive(&bytes, Timestamp(START)).expect("a block as it was made");
    slow.event(&order(&store, "2", "start"), 0, 0).event(&order(&store, "2", "end"), 1000, 1000);
    assert_eq!(slow.out.dropped, []);
    assert_eq!(slow.value(0, &store), Some(Value::Integer(2)));
}

#[test]
fn the_schema_changes_with_what_a_source_is_made_of() {
    let schema = |change: &dyn Fn(&mut Pipeline)| {
        let mut spec = durations(|_| vec![feature("count", Aggregator::Count, Vec::new(), &["1h"])]);
        change(&mut spec);
        Run::new(spec).engine.schema(0).expect("a group").id
    };
    let ends_never = |spec: &mut Pipeline| {
        let SourceKind::Pair(pair) = &mut spec.sources[1].kind else { panic!("the second source is a pair") };
        pair.end = Expr::Boolean(false);
    };
    assert_ne!(schema(&|_| {}), schema(&ends_never));
}

#[test]
fn the_first_reason_is_told_for_numbers_that_have_two() {
    let mut run = Run::new(minimal());
    run.event(r#""sensor":"a","amount":12345678901234567890.123"#, 0, 0);
    assert_eq!(run.out.refused[0].reason.code(), "off_step", "it is off its step before it is out of range");
}

/// A block that the first of two shards made for the second.
fn foreign_block() -> Block {
    let mut sender = Run::shard(minimal(), of_two(0));
    let blocks =
        (0..64).find_map(|sensor| sender.event(&format!(r#""sensor":"k{sensor}","amount":1"#), 0, sensor).out.blocks.pop());
    blocks.expect("one of 64 sensors lives on the other shard")
}

#[test]
fn a_damaged_block_is_an_error_or_harmless() {
    let block = foreign_block();
    for (at, byte) in (0..block.bytes.len()).flat_map(|at| [0, 0x7F, 0x80, 0xFF].map(|byte| (at, byte))) {
        let mut bytes = block.bytes.clone();
        bytes[at] = byte;
        let mut receiver = Run::shard(minimal(), of_two(1)).engine;
        // A block that can be read may say anything; that it is survived is the point.
        if receiver.receive(&bytes, Timestamp(START)).is_ok() {
            receiver.tick(Timestamp(START + 10 * MINUTE));
        }
    }
}
