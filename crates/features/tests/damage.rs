//! Blocks, snapshots and packed vectors that were damaged on their way: they are refused, or what they say is taken, and in both
//! cases the engine goes on. Every place of sound bytes is overwritten with every number at which arithmetic turns over.

use std::sync::Arc;

use domain::Span;
use features::{Config, Engine, Error, Output, Record, SnapshotKind};
use pipeline::Pipeline;
use testkit::{
    generate,
    pipelines::{absences, every_aggregator, orders},
};
use xxhash_rust::xxh3::xxh3_64;

/// Bytes of a frame: small, so that a snapshot has many.
const FRAME_BYTES: usize = 2048;
const EDGES: [i64; 6] = [i64::MIN, i64::MAX, -1, 1 << 62, (1 << 48) + 1, 0];
const ALONE: Config = Config { shard: 0, shards: 1, generation: 1, stopwatch: None };
const SENDER: Config = Config { shards: 2, ..ALONE };
const RECEIVER: Config = Config { shard: 1, ..SENDER };

fn pipelines() -> [Arc<Pipeline>; 2] {
    [Arc::new(every_aggregator()), Arc::new(orders())]
}

/// An engine that has taken some records, and what came of them.
fn fed(pipeline: &Arc<Pipeline>, config: Config) -> (Engine, Output) {
    let mut engine = Engine::new(pipeline.clone(), config).expect("a fixture without faults");
    let knobs = generate::Stream { events: 60, keys: 12, ..generate::Stream::default() };
    let records = generate::records(pipeline, &knobs, 7);
    let records = records.iter().map(|record| Record {
        source: record.source,
        offset: 0,
        append_at: record.append_at,
        payload: &record.payload,
    });
    let records: Vec<Record<'_>> = records.collect();
    let now = records.last().expect("at least one record").append_at.plus(Span(1));
    let out = engine.ingest(&records, now);
    (engine, out)
}

fn save(engine: &mut Engine) -> Vec<u8> {
    let mut out = Vec::new();
    engine.begin_snapshot(SnapshotKind::Full);
    while engine.write_snapshot(FRAME_BYTES, &mut out) {}
    out
}

/// Sound bytes with a number written over each place in turn.
fn overwritten(sound: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let each = (0..sound.len()).flat_map(|at| EDGES.map(|edge| (at, edge)));
    each.map(|(at, edge)| {
        let mut bytes = sound.to_vec();
        bytes[at..].iter_mut().zip(edge.to_le_bytes()).for_each(|(byte, new)| *byte = new);
        bytes
    })
}

/// Lets time pass and saves: everything that was taken in is looked at.
fn go_on(mut engine: Engine, pipeline: &Arc<Pipeline>, config: Config) {
    let from = engine.clock();
    for later in [1, 60_000, 86_400_000] {
        engine.tick(from.plus(Span(later)));
    }
    Engine::restore(pipeline.clone(), config, &[&save(&mut engine)]).expect("an engine reads what it wrote");
}

#[test]
fn a_damaged_block_is_refused_whole_or_taken() {
    for pipeline in pipelines() {
        let sent = fed(&pipeline, SENDER).1.blocks;
        assert!(sent.len() >= 3, "the records of two shards are of both");
        let (mut receiver, _) = fed(&pipeline, RECEIVER);
        let mut refused = 0;
        for block in &sent {
            let item_at = block.bytes.len().min(200);
            for bytes in overwritten(&block.bytes[..item_at]).map(|head| [&head, &block.bytes[item_at..]].concat()) {
                let before = (receiver.clock(), receiver.position(), receiver.load());
                if receiver.receive(&bytes, receiver.clock()).is_err() {
                    refused += 1;
                    assert_eq!((receiver.clock(), receiver.position(), receiver.load()), before);
                }
            }
        }
        assert!(refused > 100, "only {refused} blocks were refused");
        go_on(receiver, &pipeline, RECEIVER);
    }
}

#[test]
fn a_damaged_snapshot_is_refused_or_restored_even_when_its_checksums_fit() {
    for pipeline in pipelines().into_iter().chain([Arc::new(absences())]) {
        let snapshot = save(&mut fed(&pipeline, ALONE).0);
        let mut at = 0;
        while at < snapshot.len() {
            let length =
                usize::try_from(u64::from_le_bytes(snapshot[at..at + 8].try_into().expect("eight bytes"))).expect("a length");
            let (before, rest) = snapshot.split_at(at);
            let (frame, after) = rest[16..].split_at(length);
            for bytes in overwritten(&frame[..length.min(400)]).step_by(3) {
                let bytes = [&bytes, &frame[length.min(400)..]].concat();
                let head = [(bytes.len() as u64).to_le_bytes(), xxh3_64(&bytes).to_le_bytes()].concat();
                if let Ok(engine) = Engine::restore(pipeline.clone(), ALONE, &[&[before, &head, &bytes, after].concat()]) {
                    go_on(engine, &pipeline, ALONE);
                }
            }
            at += 16 + length;
        }
    }
}

#[test]
fn a_snapshot_that_lost_bytes_or_checksums_is_refused() {
    let pipeline = Arc::new(orders());
    let snapshot = save(&mut fed(&pipeline, ALONE).0);
    let refusal = |bytes: &[u8]| Engine::restore(pipeline.clone(), ALONE, &[bytes]).err();
    assert_eq!(refusal(&snapshot), None);
    for length in (0..snapshot.len()).step_by(7) {
        assert!(matches!(refusal(&snapshot[..length]), Some(Error::Incomplete)), "the first {length} bytes");
    }
    for at in (16..snapshot.len()).step_by(11) {
        let mut bytes = snapshot.clone();
        bytes[at] ^= 0x10;
        assert!(refusal(&bytes).is_some(), "a bit at {at}");
    }
}

#[test]
fn state_without_a_header_is_refused() {
    let pipeline = Arc::new(orders());
    let snapshot = save(&mut fed(&pipeline, ALONE).0);
    let header = usize::try_from(u64::from_le_bytes(snapshot[..8].try_into().expect("eight bytes"))).expect("a length");
    let refusal = Engine::restore(pipeline, ALONE, &[&snapshot[16 + header..]]).err().map(|error| error.to_string());
    assert_eq!(refusal.as_deref(), Some("the bytes are damaged or from another version: no such group"));
}

#[test]
fn a_vector_of_any_bytes_is_read_or_refused() {
    let pipeline = Arc::new(every_aggregator());
    let (engine, out) = fed(&pipeline, ALONE);
    let vector = out.vectors.iter().next().expect("a vector");
    let schema = engine.schema(vector.group).expect("a schema");
    let taken = overwritten(vector.packed).filter(|bytes| domain::unpack(bytes, schema).is_ok()).count();
    assert!(taken > 0 && taken < vector.packed.len() * EDGES.len());
}
