//! Partials into rings, and rings into vectors: how both grow with the number of windows and of entities.

use criterion::{BenchmarkId, Criterion, Throughput};

use crate::{
    orders::{Orders, four_aggregates},
    stopwatch::Fed,
};

const BATCH: usize = 16_384;
/// Enough batches for an hour of orders, so that the widest window is full.
const WARM_BATCHES: usize = 64;
const TWELVE: [&str; 12] = ["5m", "10m", "15m", "20m", "25m", "30m", "35m", "40m", "45m", "50m", "55m", "1h"];

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("roll");
    group.throughput(Throughput::Elements(BATCH as u64)).sample_size(20);
    for stores in [100, 5000, 100_000] {
        let mut fed = Fed::new(four_aggregates(&["5m", "30m", "1h"]), Orders::of(stores), WARM_BATCHES, BATCH);
        group.bench_function(BenchmarkId::new("entities", stores), |bencher| {
            bencher.iter_custom(|batches| fed.time_of("roll", batches, BATCH));
        });
    }
    group.finish();

    let mut group = criterion.benchmark_group("finish");
    group.throughput(Throughput::Elements(BATCH as u64)).sample_size(20);
    for windows in [&TWELVE[11..], &["5m", "30m", "1h"], &TWELVE] {
        let mut fed = Fed::new(four_aggregates(windows), Orders::of(5000), WARM_BATCHES, BATCH);
        group.bench_function(BenchmarkId::new("windows", windows.len()), |bencher| {
            bencher.iter_custom(|batches| fed.time_of("finish", batches, BATCH));
        });
    }
    group.finish();
}
