//! The smallest pipeline that is worth a test: one stream, one group, numbers only.

use pipeline::{Aggregator, FieldKind, Pipeline};

use super::build::{bare, decimal, feature, group, pipeline, required, stream, value};

/// `readings` of a `sensor`, each with an `amount` in hundredths; counts, sums and means over one and five minutes.
pub fn minimal() -> Pipeline {
    let fields = vec![required("sensor", FieldKind::Text), required("amount", decimal(2, -100_000_000, 100_000_000))];
    let readings = stream("readings", "sensor", fields);
    let features = vec![
        feature("events", Aggregator::Count, Vec::new(), &["1m", "5m"]),
        feature("total", Aggregator::Sum, value(&readings, "amount"), &["1m", "5m"]),
        feature("average", Aggregator::Mean, value(&readings, "amount"), &["1m", "5m"]),
    ];
    let sensor = group("sensor", 0, bare(&readings, "sensor"), "10s", features);
    pipeline("minimal", vec![readings], vec![sensor])
}
