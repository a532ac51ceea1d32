//! Any bytes as a block, a snapshot or a packed vector, and sound ones after damage: they are refused, or what they say is
//! taken and the engine goes on with it.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use domain::{FeatureVector, Span};
use features::{Config, Engine, Output, Record, SnapshotKind};
use pipeline::Pipeline;

use crate::{
    agreement::pass_until,
    choices::Choices,
    fixture::{CLOCK, engine, every_field, sound},
    patches::{damaged, damaged_frames},
};

/// Bytes of a frame: small, so that a snapshot has many.
const FRAME_BYTES: usize = 512;
const SENDER: Config = Config { shard: 0, shards: 2, generation: 1, stopwatch: None };
const RECEIVER: Config = Config { shard: 1, ..SENDER };
/// What devices go through.
const MODES: [&str; 5] = ["idle", "slow", "fast", "slow", "off"];

/// What sound engines wrote.
struct Written {
    blocks: Vec<Vec<u8>>,
    full: Vec<u8>,
    /// What changed after the full one.
    changes: Vec<u8>,
    /// With the group that each is of.
    vectors: Vec<(usize, Vec<u8>)>,
}

/// Checks one input: the first byte says what the others are.
pub fn check(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    let mut choices = Choices::new(rest);
    match kind % 6 {
        0 => receive(rest),
        1 => restore(&[rest]),
        2 => unpack(usize::from(kind / 6), rest),
        3 => {
            let block = choices.pick(&written().blocks);
            receive(&damaged(&mut choices, block));
        }
        4 if choices.one_in(2) => restore(&[&written().full, &damaged_frames(&mut choices, &written().changes)]),
        4 => restore(&[&damaged_frames(&mut choices, &written().full)]),
        _ => {
            let (group, vector) = choices.pick(&written().vectors);
            unpack(*group, &damaged(&mut choices, vector));
        }
    }
}

thread_local! {
    /// A receiver that has refused all that it was given: feeding one takes longer than most refusals.
    static RECEIVING: RefCell<Option<Engine>> = const { RefCell::new(None) };
}

fn receive(block: &[u8]) {
    let mut engine = RECEIVING.take().unwrap_or_else(|| {
        let mut engine = engine(&every_field(), RECEIVER);
        feed(&mut engine, 2, &MODES);
        engine
    });
    let before = (engine.clock(), engine.position(), engine.load());
    if engine.receive(block, engine.clock().plus(Span(1000))).is_err() {
        assert_eq!((engine.clock(), engine.position(), engine.load()), before, "a refused block changed something");
        RECEIVING.set(Some(engine));
    } else {
        go_on(engine, RECEIVER);
    }
}

fn restore(snapshots: &[&[u8]]) {
    let config = Config::default();
    if let Ok(engine) = Engine::restore(every_field(), config, snapshots) {
        go_on(engine, config);
    }
}

fn unpack(group: usize, bytes: &[u8]) {
    let engine = engine(&every_field(), Config::default());
    let groups = every_field().groups.len();
    let Some(schema) = engine.schema(group % groups) else { panic!("every group has a schema") };
    let header = domain::unpack_header(bytes);
    if let Ok(vector) = domain::unpack(bytes, schema) {
        assert_eq!(vector.values.len(), schema.columns.len());
        assert_eq!(header.map(|(header, _)| header.as_of), Ok(vector.as_of));
    }
}

/// Whatever an engine took in: it takes events, lets time pass, and is saved and restored as it is.
fn go_on(mut engine: Engine, config: Config) {
    let from = engine.clock();
    feed(&mut engine, 1, &MODES[3..]);
    pass_until(&mut engine, from.plus(Span(600_000)));
    let snapshot = save(&mut engine, SnapshotKind::Full);
    let restored = Engine::restore(every_field(), config, &[&snapshot]);
    let restored = restored.unwrap_or_else(|error| panic!("an engine does not read what it wrote: {error}"));
    assert_eq!(state(&restored), state(&engine), "restored to another state");
    pass_until(&mut engine, from.plus(Span(4_000 * 86_400_000)));
}

/// The vectors of all entities.
fn state(engine: &Engine) -> BTreeMap<(usize, String), Option<Vec<u8>>> {
    let groups = 0..every_field().groups.len();
    let keys = groups.flat_map(|group| engine.keys(group).map(move |key| (group, key.to_owned())));
    keys.map(|(group, key)| ((group, key.clone()), engine.vector(group, &key).map(|vector| packed(&vector)))).collect()
}

fn packed(vector: &FeatureVector) -> Vec<u8> {
    // Debug keeps every bit of what matters, and says NaN for NaN.
    format!("{:?} {:?} {:?}", vector.as_of, vector.valid_until, vector.values).into_bytes()
}

/// Gives an engine events of some devices, every ten seconds one of each: rides, devices that come and go, one event ahead of
/// its time.
fn feed(engine: &mut Engine, devices: usize, modes: &[&str]) -> Output {
    let start = engine.clock().max(CLOCK);
    let mut payloads = Vec::new();
    for (place, mode) in modes.iter().enumerate() {
        let append_at = start.plus(Span(1 + 10_000 * place as i64));
        for device in 0..devices {
            let ahead = if *mode == "fast" && device == 0 { Span(90_000) } else { Span(-1000) };
            let id = format!("{place}-{device}-{}", start.0);
            payloads.push((append_at, sound(&id, &format!("device-{device}"), mode, append_at.plus(ahead))));
        }
    }
    let records =
        payloads.iter().map(|(at, payload)| Record { source: 0, offset: 0, append_at: *at, payload: payload.as_bytes() });
    engine.ingest(&records.collect::<Vec<Record<'_>>>(), start.plus(Span(2 + 10_000 * modes.len() as i64)))
}

fn save(engine: &mut Engine, kind: SnapshotKind) -> Vec<u8> {
    let mut out = Vec::new();
    engine.begin_snapshot(kind);
    while engine.write_snapshot(FRAME_BYTES, &mut out) {}
    out
}

fn written() -> &'static Written {
    static WRITTEN: OnceLock<Written> = OnceLock::new();
    WRITTEN.get_or_init(|| {
        let pipeline: Arc<Pipeline> = every_field();
        let sent = feed(&mut engine(&pipeline, SENDER), 5, &MODES);
        let blocks: Vec<Vec<u8>> = sent.blocks.into_iter().map(|block| block.bytes).collect();
        let mut kept = engine(&pipeline, Config::default());
        let first = feed(&mut kept, 3, &MODES);
        let full = save(&mut kept, SnapshotKind::Full);
        feed(&mut kept, 2, &MODES);
        let changes = save(&mut kept, SnapshotKind::Changes);
        let vectors = first.vectors.iter().map(|vector| (vector.group, vector.packed.to_vec()));
        let written = Written { blocks, full, changes, vectors: vectors.collect() };
        let soundly = Engine::restore(pipeline, Config::default(), &[&written.full, &written.changes]);
        assert!(soundly.is_ok() && !written.blocks.is_empty(), "sound engines write what is read: {:?}", soundly.err());
        written
    })
}
