//! One micro-batch to partials: what a batch costs by itself, and what each event and each kind of aggregate adds.

use criterion::{BenchmarkId, Criterion, Throughput};

use crate::{
    orders::{Orders, four_aggregates, one_aggregate},
    stopwatch::Fed,
};

/// From a quiet line in 50 ms to a full micro-batch.
const SIZES: [usize; 3] = [64, 1024, 16_384];
const BATCH: usize = 4096;

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tile");
    for size in SIZES {
        group.throughput(Throughput::Elements(size as u64));
        let mut fed = Fed::new(four_aggregates(&["5m"]), Orders::of(5000), 4, size);
        group.bench_function(BenchmarkId::new("batch", size), |bencher| {
            bencher.iter_custom(|batches| fed.time_of("tile", batches, size));
        });
    }
    group.throughput(Throughput::Elements(BATCH as u64));
    let aggregates = [
        ("count", "count = \"*\""),
        ("std", "std = \"basket\""),
        ("last", "last = \"basket\""),
        ("quantile", "quantile = 0.9, of = \"basket\""),
        ("distinct", "distinct = \"id\""),
        ("condition", "count = \"basket > 20 AND source = 'order-service'\""),
    ];
    for (name, aggregate) in aggregates {
        let mut fed = Fed::new(one_aggregate(aggregate), Orders::of(500), 4, BATCH);
        group.bench_function(name, |bencher| bencher.iter_custom(|batches| fed.time_of("tile", batches, BATCH)));
    }
    group.finish();
}
