//! Bytes in and out: packed vectors, blocks between shards, snapshots.

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, Throughput};
use domain::{Header, Schema, Span, ValueKind, pack, unpack};
use features::{Block, Config, Engine, Output, Record, SnapshotKind};

use crate::{
    orders::{Orders, four_aggregates},
    stopwatch::START,
};

const COLUMNS: usize = 12;
const BATCH: usize = 16_384;
/// As much as a shard writes between two batches.
const FRAME_BYTES: usize = 1 << 20;

pub(crate) fn measure(criterion: &mut Criterion) {
    vectors(criterion);
    blocks(criterion);
    snapshots(criterion);
}

fn vectors(criterion: &mut Criterion) {
    let columns = (0..COLUMNS).map(|place| (format!("column_{place}"), ValueKind::Float)).collect();
    let schema = Schema { id: 7, columns, tolerance: Span(60_000) };
    let header = Header {
        schema: 7,
        generation: 1,
        position: 1,
        as_of: START,
        valid_until: START.plus(Span(60_000)),
        source_seen_at: Some(START),
        source_silent: false,
    };
    let values: Vec<Option<u64>> = (0..COLUMNS).map(|place| (place % 4 != 3).then(|| (place as f64).to_bits())).collect();
    let mut group = criterion.benchmark_group("vector");
    let mut bytes = Vec::new();
    group.bench_function("pack", |bencher| {
        bencher.iter(|| {
            bytes.clear();
            pack(&mut bytes, black_box(&header), black_box(&values));
            bytes.len()
        });
    });
    group.bench_function("unpack", |bencher| bencher.iter(|| unpack(black_box(&bytes), &schema).expect("a packed vector")));
    group.finish();
}

fn blocks(criterion: &mut Criterion) {
    let pipeline = Arc::new(four_aggregates(&["5m", "30m", "1h"]));
    let engine =
        |shard| Engine::new(Arc::clone(&pipeline), Config { shard, shards: 2, ..Config::default() }).expect("a sound pipeline");
    let mut sender = engine(0);
    let sent = ingest(&mut sender, &mut Orders::of(5000));
    let [Block { bytes, .. }] = sent.blocks.as_slice() else { panic!("one group sends one block to the other shard") };
    let mut receiver = engine(1);
    let mut group = criterion.benchmark_group("block");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    // The same partials again and again: values grow, the work stays the same. Writing the vectors is part of it.
    group.bench_function("receive", |bencher| bencher.iter(|| receiver.receive(bytes, START).expect("a block as it was made")));
    group.finish();
}

fn snapshots(criterion: &mut Criterion) {
    let pipeline = Arc::new(four_aggregates(&["5m", "30m", "1h"]));
    let mut engine = Engine::new(Arc::clone(&pipeline), Config::default()).expect("a sound pipeline");
    let mut orders = Orders::of(5000);
    (0..64).for_each(|_| drop(ingest(&mut engine, &mut orders)));
    let mut group = criterion.benchmark_group("snapshot");
    group.sample_size(20);
    let whole = written(&mut engine, SnapshotKind::Full);
    group.throughput(Throughput::Bytes(whole.len() as u64));
    group.bench_function("write", |bencher| bencher.iter(|| written(&mut engine, SnapshotKind::Full)));
    group.bench_function("restore", |bencher| {
        bencher.iter(|| Engine::restore(Arc::clone(&pipeline), Config::default(), &[&whole]).expect("a whole snapshot"));
    });
    group.finish();
}

fn written(engine: &mut Engine, kind: SnapshotKind) -> Vec<u8> {
    let mut bytes = Vec::new();
    engine.begin_snapshot(kind);
    while engine.write_snapshot(FRAME_BYTES, &mut bytes) {}
    bytes
}

fn ingest(engine: &mut Engine, orders: &mut Orders) -> Output {
    let (payloads, append_at) = orders.batch(BATCH);
    let record = |payload| Record { source: 0, offset: 0, append_at, payload };
    let records: Vec<Record<'_>> = payloads.iter().map(|payload| record(payload.as_bytes())).collect();
    engine.ingest(&records, append_at.plus(Span(1)))
}
