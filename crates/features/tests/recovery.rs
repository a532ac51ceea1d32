//! Restarts and shards as the role drives them: silent replay, writing everything anew, and what shards tell each other of time.

mod run;

use std::collections::BTreeMap;

use domain::{Timestamp, Value, unpack};
use features::{Block, Output, Record, SnapshotKind};
use pipeline::{Aggregator, Pipeline};
use run::{MINUTE, Run, START, durations, of_two, order};
use testkit::pipelines::minimal;

fn counts() -> Pipeline {
    durations(|_| vec![pipeline_feature()])
}

fn pipeline_feature() -> pipeline::Feature {
    testkit::pipelines::build::feature("count", Aggregator::Count, Vec::new(), &["1h"])
}

fn sensor(key: usize) -> String {
    format!(r#""sensor":"k{key}","amount":1"#)
}

/// What a step wrote, by key.
fn written(run: &Run, out: &Output) -> BTreeMap<String, Vec<Option<Value>>> {
    let schema = run.engine.schema(0).expect("a group");
    let values = |packed| unpack(packed, schema).expect("what the engine packs can be read").values;
    out.vectors.iter().map(|vector| (vector.key.to_owned(), values(vector.packed))).collect()
}

/// A store of shard 0 whose preparation was seen by shard 1, in a block.
fn block_from_slow(slow: &mut Run, time: i64, append_at: i64) -> (String, Block) {
    for number in 0.. {
        let store = format!("s{number}-{time}");
        slow.event(&order(&store, &store, "start"), time, append_at).event(
            &order(&store, &store, "end"),
            time + 1,
            append_at + 1,
        );
        if let Some(block) = slow.out.blocks.pop() {
            return (store, block);
        }
    }
    unreachable!("half of all stores belong to the other shard")
}

#[test]
fn a_shard_that_is_behind_may_correct_what_is_old_for_the_others() {
    let (mut fast, mut slow) = (Run::shard(counts(), of_two(0)), Run::shard(counts(), of_two(1)));
    let (first, block) = block_from_slow(&mut slow, 0, 0);
    fast.engine.receive(&block.bytes, Timestamp(START)).expect("a block as it was made");
    // The fast one is far beyond its own lateness; what it has heard of the slow one keeps the tile open.
    fast.event(&order("x", "x", "start"), 40 * MINUTE, 40 * MINUTE);
    slow.event(&order(&first, "again", "start"), 2, 3000).event(&order(&first, "again", "end"), 4, 3001);
    let block = slow.out.blocks.pop().expect("a row for the fast shard");
    let out = fast.engine.receive(&block.bytes, Timestamp(START)).expect("a block as it was made");
    assert_eq!(out.dropped, []);
    assert_eq!(fast.value(0, &first), Some(Value::Integer(2)));
}

#[test]
fn a_sign_of_life_keeps_a_quiet_shard_from_calling_a_source_silent() {
    let spec = || {
        let mut pipeline = minimal();
        pipeline.sources[0].silent_after = Some(domain::Span(5 * MINUTE));
        pipeline
    };
    let (mut busy, mut quiet) = (Run::shard(spec(), of_two(0)), Run::shard(spec(), of_two(1)));
    quiet.event(&sensor(1), 0, 0);
    busy.event(&sensor(2), 9 * MINUTE, 9 * MINUTE);
    for block in busy.engine.signs_of_life() {
        assert_eq!(block.shard, 1);
        quiet.engine.receive(&block.bytes, Timestamp(START)).expect("a block as it was made");
    }
    quiet.tick(10 * MINUTE);
    let key = quiet.engine.keys(0).next().map(str::to_owned);
    if let Some(vector) = key.and_then(|key| quiet.vector(0, &key)) {
        assert!(!vector.source_silent);
        assert_eq!(vector.source_seen_at, Some(Timestamp(START + 9 * MINUTE)));
    }
    let mut alone = Run::shard(spec(), of_two(1));
    alone.event(&sensor(1), 0, 0).tick(10 * MINUTE);
    let silent =
        alone.engine.keys(0).next().map(str::to_owned).and_then(|key| alone.vector(0, &key)).map(|vector| vector.source_silent);
    assert_ne!(silent, Some(false), "without the sign the source would be silent");
}

#[test]
fn a_sign_of_life_of_another_pipeline_changes_nothing() {
    let mut sender = Run::shard(counts(), of_two(0));
    let block = sender.event(&order("a", "1", "start"), 0, 0).engine.signs_of_life().next().expect("one other shard");
    let mut receiver = Run::shard(minimal(), of_two(1));
    for length in 0..block.bytes.len() {
        assert!(receiver.engine.receive(&block.bytes[..length], Timestamp(START)).is_err(), "{length} bytes");
    }
    let mut long = block.bytes;
    long.push(0);
    assert!(receiver.engine.receive(&long, Timestamp(START)).is_err());
    assert_eq!(receiver.engine.position(), 0);
}

#[test]
fn a_replay_is_silent_and_what_it_touched_is_written_afterwards() {
    let mut live = Run::new(minimal());
    live.event(&sensor(1), 0, 0).event(&sensor(2), 1, 1);
    let snapshot = live.snapshot(SnapshotKind::Full);
    live.named("late", &sensor(2), 2, 2).named("new", &sensor(3), 3, 3);
    let mut restored = Run::new(minimal());
    restored.restore(&[&snapshot]);
    for (id, key, time) in [("late", 2, 2), ("new", 3, 3)] {
        let payload = format!(r#"{{"source":"s","id":"{id}","at":{},{}}}"#, START + time, sensor(key)).into_bytes();
        let record = Record { source: 0, offset: 0, append_at: Timestamp(START + time), payload: &payload };
        restored.engine.replay(&[record], Timestamp(START + time + 1));
    }
    assert_eq!(restored.engine.pending(), 2);
    assert_eq!(restored.engine.position(), live.engine.position());
    let out = restored.engine.tick(Timestamp(START + 10));
    let keys: Vec<String> = written(&restored, &out).into_keys().collect();
    assert_eq!(keys, ["k2", "k3"]);
    live.tick(10);
    for key in ["k1", "k2", "k3"] {
        assert_eq!(restored.vector(0, key), live.vector(0, key), "{key}");
    }
}

#[test]
fn everything_can_be_written_anew_in_bounded_steps() {
    let mut run = Run::new(minimal());
    let keys = 70_000;
    for from in (0..keys).step_by(10_000) {
        let members: Vec<(String, String)> = (from..from + 10_000).map(|key| (format!("e{key}"), sensor(key))).collect();
        let events: Vec<(&str, &str, i64, i64)> = members.iter().map(|(id, members)| (&**id, &**members, 0, 0)).collect();
        run.batch(&events);
    }
    run.engine.touch_all();
    assert_eq!(run.engine.pending(), keys);
    let mut seen = BTreeMap::new();
    let mut steps = 0;
    while run.engine.pending() > 0 {
        let out = run.tick(1000 + steps).engine.pending();
        assert!(run.out.vectors.len() <= 1 << 16, "{out} are left");
        seen.append(&mut written(&run, &run.out));
        steps += 1;
    }
    assert_eq!((seen.len(), steps), (keys, 2));
}

#[test]
fn a_group_that_is_no_longer_wanted_is_left_in_its_snapshot() {
    let spec = |names: &[&str]| {
        let mut pipeline = counts();
        let mut all = vec![pipeline.groups[0].clone(), pipeline.groups[0].clone()];
        (all[0].name, all[1].name) = ("narrow".into(), "wide".into());
        all[1].features[0].windows[0] = pipeline::Window { label: "2h".into(), width: domain::Span(120 * MINUTE) };
        pipeline.groups = all.into_iter().filter(|group| names.contains(&&*group.name)).collect();
        pipeline
    };
    let mut both = Run::new(spec(&["narrow", "wide"]));
    both.event(&order("a", "1", "start"), 0, 0).event(&order("a", "1", "end"), 1, 1);
    let snapshot = both.snapshot(SnapshotKind::Full);
    let mut one = Run::new(spec(&["wide"]));
    one.restore(&[&snapshot]).event(&order("a", "2", "start"), 90 * MINUTE, 90 * MINUTE);
    one.event(&order("a", "2", "end"), 90 * MINUTE + 1, 90 * MINUTE + 1);
    assert_eq!(one.value(0, "a"), Some(Value::Integer(2)));
    let narrow = Run::new(spec(&["narrow"])).snapshot(SnapshotKind::Full);
    let refused = features::Engine::restore(one.pipeline.clone(), features::Config::default(), &[&narrow]);
    assert!(matches!(refused, Err(features::Error::OtherSchema { .. })), "{refused:?}");
}

#[test]
fn a_vector_that_was_overdue_in_a_snapshot_is_written_after_it() {
    let mut live = Run::new(minimal());
    let keys: Vec<String> = (0..40).map(sensor).collect();
    for members in &keys {
        live.event(members, 0, 0);
    }
    // Within the tolerance some of them are written at once and others a little later.
    let (mut all, mut early) = (0, 0);
    while early == 0 || early == keys.len() {
        all += 1;
        early += live.tick(MINUTE + all * 100).out.vectors.len();
        assert!(all < 1000, "all of them are written at the same time");
    }
    let snapshot = live.snapshot(SnapshotKind::Full);
    let mut restored = Run::new(minimal());
    restored.restore(&[&snapshot]);
    let out = restored.engine.tick(Timestamp(START + 2 * MINUTE));
    assert!(out.vectors.len() >= keys.len() - early, "{} of {}", out.vectors.len(), keys.len() - early);
}

#[test]
fn a_vector_that_waited_for_its_source_when_a_snapshot_began_is_written_after_it() {
    let mut spec = minimal();
    spec.sources[0].silent_after = Some(domain::Span(MINUTE));
    let mut live = Run::new(spec.clone());
    live.event(&sensor(1), 0, 0).tick(MINUTE + 5000).engine.touch_all();
    live.tick(MINUTE + 6000);
    assert!(live.out.vectors.iter().any(|vector| vector.key == "k1"), "written while the source is silent");
    live.engine.begin_snapshot(SnapshotKind::Full);
    live.named("heard", &sensor(2), MINUTE + 7000, MINUTE + 7000);
    let mut snapshot = Vec::new();
    while live.engine.write_snapshot(1 << 16, &mut snapshot) {}
    let mut restored = Run::new(spec);
    restored.restore(&[&snapshot]).named("heard", &sensor(2), MINUTE + 7000, MINUTE + 7000);
    assert_eq!(written(&live, &live.out).into_keys().collect::<Vec<_>>(), ["k1", "k2"]);
    assert_eq!(written(&restored, &restored.out), written(&live, &live.out));
}

#[test]
fn a_vector_says_that_its_source_is_silent_only_as_long_as_it_is() {
    let mut spec = counts();
    spec.sources.iter_mut().for_each(|source| source.silent_after = Some(domain::Span(MINUTE)));
    let mut run = Run::new(spec);
    run.event(&order("a", "1", "start"), 0, 0).event(&order("a", "1", "end"), 1000, 1000).tick(2 * MINUTE).engine.touch_all();
    run.tick(2 * MINUTE + 1);
    let silent = |run: &Run| {
        let schema = run.engine.schema(0).expect("a group");
        let vector = run.out.vectors.iter().find(|vector| vector.key == "a");
        vector.map(|vector| unpack(vector.packed, schema).expect("what the engine packs can be read").source_silent)
    };
    assert_eq!(silent(&run), Some(true));
    run.event(&order("b", "2", "start"), 3 * MINUTE, 3 * MINUTE);
    assert_eq!(silent(&run), Some(false), "the source was heard again");
}

#[test]
fn an_entity_is_not_forgotten_before_its_source_is_heard_again() {
    let features = |orders: &pipeline::Source| {
        let open = testkit::pipelines::build::table("open", orders, 0, "order", None, "1m");
        let count = testkit::pipelines::build::feature("open", Aggregator::OpenCount, Vec::new(), &[]);
        let key = testkit::pipelines::build::bare(&open, "store");
        (testkit::pipelines::build::group("store", 1, key, "1m", vec![count]), open)
    };
    let mut orders = run::orders_stream();
    orders.silent_after = Some(domain::Span(MINUTE));
    let (group, open) = features(&orders);
    let mut run = Run::new(testkit::pipelines::build::pipeline("open_orders", vec![orders, open], vec![group]));
    // The row ends at the very instant at which time stands still.
    run.event(&order("a", "1", "new"), -1, 0).tick(5 * MINUTE);
    let last = |run: &Run| {
        let schema = run.engine.schema(0).expect("a group");
        let vector = run.out.vectors.iter().find(|vector| vector.key == "a")?;
        let vector = unpack(vector.packed, schema).expect("what the engine packs can be read");
        Some((vector.source_silent, vector.values))
    };
    assert_eq!(last(&run), Some((true, vec![Some(Value::Integer(0))])));
    run.event(&order("b", "2", "new"), 6 * MINUTE, 6 * MINUTE);
    assert_eq!(last(&run), Some((false, vec![Some(Value::Integer(0))])));
    assert_eq!(run.engine.keys(0).collect::<Vec<_>>(), ["b"], "now it is forgotten");
}

#[test]
fn a_shard_that_has_said_nothing_yet_may_send_what_is_old() {
    let (mut fast, mut slow) = (Run::shard(counts(), of_two(0)), Run::shard(counts(), of_two(1)));
    fast.event(&order("x", "x", "start"), 50 * MINUTE, 50 * MINUTE);
    let (store, block) = block_from_slow(&mut slow, 0, 0);
    let out = fast.engine.receive(&block.bytes, Timestamp(START)).expect("a block as it was made");
    assert_eq!(out.dropped, []);
    assert_eq!(fast.value(0, &store), Some(Value::Integer(1)));
}

#[test]
fn a_restored_engine_knows_what_the_other_shards_have_said() {
    let (mut fast, mut slow) = (Run::shard(counts(), of_two(0)), Run::shard(counts(), of_two(1)));
    let (store, block) = block_from_slow(&mut slow, 2 * 60 * MINUTE, 2 * 60 * MINUTE);
    fast.event(&order("x", "x", "start"), 2 * 60 * MINUTE, 2 * 60 * MINUTE);
    fast.engine.receive(&block.bytes, Timestamp(START)).expect("a block as it was made");
    for block in slow.engine.signs_of_life() {
        fast.engine.receive(&block.bytes, Timestamp(START)).expect("a block as it was made");
    }
    let snapshot = fast.snapshot(SnapshotKind::Full);
    let mut restored = Run::shard(counts(), of_two(0));
    restored.engine =
        features::Engine::restore(restored.pipeline.clone(), of_two(0), &[&snapshot]).expect("a snapshot as it was made");
    // From before what both have said that they may still send.
    let mut stray = Run::shard(counts(), of_two(1));
    let block = stray.event(&order(&store, "old", "start"), 80 * MINUTE, 80 * MINUTE).event(
        &order(&store, "old", "end"),
        80 * MINUTE + 1,
        80 * MINUTE + 1,
    );
    let block = block.out.blocks.pop().expect("a row for the fast shard");
    let [live, restored] = [&mut fast, &mut restored]
        .map(|run| run.engine.receive(&block.bytes, Timestamp(START)).expect("a block as it was made").dropped);
    assert_eq!(live.len(), 1, "that tile is closed");
    assert_eq!(restored, live);
}

#[test]
fn a_vector_moves_on_with_a_source_that_was_heard_and_is_silent_again() {
    let mut spec = minimal();
    spec.sources[0].silent_after = Some(domain::Span(MINUTE));
    let mut run = Run::new(spec);
    run.event(&sensor(1), 0, 0).tick(2 * MINUTE);
    // Heard by another shard, of which this one learns when it is silent again.
    run.engine.hear(0, Timestamp(START + 6 * MINUTE));
    run.tick(8 * MINUTE);
    let last = written(&run, &run.out).remove("k1");
    assert_eq!(last.map(|values| values[1]), Some(Some(Value::Integer(0))), "five minutes have passed since the event");
}
