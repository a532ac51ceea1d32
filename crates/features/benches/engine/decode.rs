//! Payloads to typed columns, beside what `serde_json` takes to read the same members and do nothing with them.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use serde::Deserialize;

use crate::{
    orders::{Orders, four_aggregates},
    stopwatch::Fed,
};

const BATCH: usize = 4096;

/// The members that the pipeline uses; the number stays text, as the engine reads it exactly.
#[derive(Deserialize)]
struct Order<'a> {
    id: &'a str,
    source: &'a str,
    occurred_at: &'a str,
    store_id: &'a str,
    #[serde(borrow)]
    basket: &'a serde_json::value::RawValue,
}

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(BATCH as u64));
    let mut fed = Fed::new(four_aggregates(&["5m"]), Orders::of(5000), 8, BATCH);
    group.bench_function("engine", |bencher| bencher.iter_custom(|batches| fed.time_of("decode", batches, BATCH)));
    let (payloads, _) = Orders::of(5000).batch(BATCH);
    group.bench_function("serde_json alone", |bencher| {
        bencher.iter(|| payloads.iter().map(|payload| members_bytes(payload)).sum::<usize>());
    });
    group.finish();
}

/// Something that needs every member, so that none of them is left unread.
fn members_bytes(payload: &str) -> usize {
    let order: Order<'_> = serde_json::from_str(black_box(payload)).expect("an order");
    let Order { id, source, occurred_at, store_id, basket } = order;
    id.len() + source.len() + occurred_at.len() + store_id.len() + basket.get().len()
}
