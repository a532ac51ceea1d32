//! `ExportMetricsServiceRequest`. Sums and histograms are cumulative, since the process began.

use domain::Timestamp;
use opentelemetry_sdk::Resource;

use super::{Message, attribute, resource_message, scope_message, text_value};
use crate::telemetry::family::{Family, Kind, Point, Value};

const CUMULATIVE: u64 = 2;

/// Between which instants values were counted.
#[derive(Clone, Copy)]
struct Time {
    begun: u64,
    now: u64,
}

/// Resource metrics 1, of these resource 1 and scope metrics 2, of these scope 1 and metrics 2.
pub(in crate::telemetry) fn metrics(resource: &Resource, families: &[Family], begun_at: Timestamp, now: Timestamp) -> Vec<u8> {
    let nanoseconds = |at: Timestamp| at.0.max(0).unsigned_abs() * 1_000_000;
    let time = Time { begun: nanoseconds(begun_at), now: nanoseconds(now) };
    let mut scope = Message::default();
    scope.message(1, &scope_message());
    for family in families.iter().filter(|family| !family.points.is_empty()) {
        scope.message(2, &metric(family, time));
    }
    let mut all = Message::default();
    all.message(1, &resource_message(resource));
    all.message(2, &scope);
    let mut request = Message::default();
    request.message(1, &all);
    request.into_bytes()
}

/// `Metric`: name 1, description 2, unit 3, and one of gauge 5, sum 7, histogram 9. In each of these data points 1; in the latter
/// two the temporality 2; in a sum whether it is monotonic 3.
fn metric(family: &Family, time: Time) -> Message {
    let mut data = Message::default();
    for point in &family.points {
        data.message(1, &data_point(family, point, time));
    }
    if family.declared.kind != Kind::Gauge {
        data.integer(2, CUMULATIVE);
    }
    if family.declared.kind == Kind::Counter {
        data.integer(3, 1);
    }
    let mut metric = Message::default();
    metric.text(1, family.declared.name);
    metric.text(2, family.declared.says);
    metric.text(3, family.declared.unit);
    let field = match family.declared.kind {
        Kind::Gauge => 5,
        Kind::Counter => 7,
        Kind::Histogram => 9,
    };
    metric.message(field, &data);
    metric
}

/// `NumberDataPoint`: start 2, time 3, double 4 or integer 6, attributes 7. `HistogramDataPoint`: start 2, time 3, count 4, sum 5,
/// counts 6, bounds 7, attributes 9.
fn data_point(family: &Family, point: &Point, time: Time) -> Message {
    let mut message = Message::default();
    message.fixed64(2, time.begun);
    message.fixed64(3, time.now);
    let attributes = match &point.value {
        Value::Integer(value) => {
            message.fixed64(6, *value);
            7
        }
        Value::Float(value) => {
            message.fixed64(4, value.to_bits());
            7
        }
        Value::Buckets { bounds, counts, sum } => {
            message.fixed64(4, counts.iter().sum());
            message.fixed64(5, sum.to_bits());
            message.packed(6, counts.iter().copied());
            message.packed(7, bounds.iter().map(|bound| bound.to_bits()));
            9
        }
    };
    for (name, value) in family.labels(point) {
        message.message(attributes, &attribute(name, &text_value(value)));
    }
    message
}
