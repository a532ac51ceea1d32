//! One stream with every kind of field, and every aggregator that a stream may have, with windows and without.

use pipeline::{Aggregator, Arithmetic, Comparison, Expr, Feature, FieldKind, Function, Pipeline, Source};

use super::build::{
    UNITS_MAX, bare, category, compare, computed, decimal, feature, feature_if, field, group, is, pipeline, place, required,
    span, stream, truth, value,
};

/// `readings` of a `sensor`, with groups by the sensor (a text), by the cell it is in, and by a computed number.
pub fn every_aggregator() -> Pipeline {
    let mut fields = vec![
        required("sensor", FieldKind::Text),
        field("amount", decimal(2, -10_000_000, 10_000_000)),
        field("flag", FieldKind::Boolean),
        field("latitude", decimal(6, -95_000_000, 95_000_000)),
        field("level", FieldKind::Integer { min: -UNITS_MAX, max: UNITS_MAX }),
        field("longitude", decimal(6, -185_000_000, 185_000_000)),
        field("mode", category(&["idle", "slow", "fast", "off"])),
        field("note", FieldKind::Text),
        field("rough", FieldKind::Decimal { digits: 3, min: -5_000_000, max: 5_000_000, round: true }),
        field("seen_at", FieldKind::Time),
        // Its places are set below, when all fields have theirs.
        field("cell", FieldKind::Cell { latitude: 0, longitude: 0, resolution: 7 }),
    ];
    fields.sort_by(|left, right| left.name.cmp(&right.name));
    let mut readings = stream("readings", "sensor", fields);
    let [cell, latitude, longitude] = ["cell", "latitude", "longitude"].map(|name| place(&readings.fields, name));
    readings.fields[cell].kind = FieldKind::Cell { latitude, longitude, resolution: 7 };

    let sensor = group("sensor", 0, bare(&readings, "sensor"), "10s", sensor_features(&readings));
    let mut area = group("area", 0, bare(&readings, "cell"), "1m", area_features(&readings));
    area.filter = Some(Expr::Not(Box::new(is(&readings, "mode", "off"))));
    let tens = Expr::Arithmetic(Arithmetic::Divide, Box::new(bare(&readings, "level")), Box::new(Expr::Number(500.0)));
    let band = group("band", 0, Expr::Call(Function::Floor, vec![tens]), "30s", band_features(&readings));
    pipeline("every_aggregator", vec![readings], vec![sensor, area, band])
}

/// Every aggregator over two windows; `first` and `last` without one as well, as only they may look at the whole past.
fn sensor_features(readings: &Source) -> Vec<Feature> {
    let half_life = span("2m");
    let aggregators = [
        ("count", Aggregator::Count, Vec::new()),
        ("sum", Aggregator::Sum, value(readings, "amount")),
        ("mean", Aggregator::Mean, value(readings, "rough")),
        ("std", Aggregator::Std, value(readings, "amount")),
        ("min", Aggregator::Min, value(readings, "amount")),
        ("max", Aggregator::Max, value(readings, "seen_at")),
        ("first", Aggregator::First, value(readings, "mode")),
        ("last", Aggregator::Last, value(readings, "level")),
        ("ewma", Aggregator::Ewma { half_life }, value(readings, "amount")),
        ("quantile", Aggregator::Quantile { q: 0.9 }, value(readings, "amount")),
        ("distinct", Aggregator::Distinct, value(readings, "note")),
        ("top", Aggregator::Top { k: 2 }, value(readings, "level")),
        ("travel", Aggregator::Travel, [value(readings, "latitude"), value(readings, "longitude")].concat()),
    ];
    let mut features = vec![feature("rate", Aggregator::Rate { per: span("1m") }, Vec::new(), &["30s", "5m"])];
    for (name, aggregator, inputs) in aggregators {
        features.push(feature(name, aggregator, inputs.clone(), &["30s", "5m"]));
        if matches!(aggregator, Aggregator::First | Aggregator::Last) {
            features.push(feature(&format!("{name}_ever"), aggregator, inputs, &[]));
        }
    }
    features
}

/// Other kinds of values, and conditions.
fn area_features(readings: &Source) -> Vec<Feature> {
    let fast = is(readings, "mode", "fast");
    let loud = compare(readings, "amount", Comparison::Greater, Expr::Number(10.5));
    vec![
        feature_if(fast.clone(), feature("fast", Aggregator::Count, Vec::new(), &["2m", "10m"])),
        feature("fast_share", Aggregator::Mean, truth(fast.clone()), &["2m"]),
        feature_if(loud.clone(), feature("loud_rate", Aggregator::Rate { per: span("1h") }, Vec::new(), &["10m"])),
        feature_if(loud, feature("loud_median", Aggregator::Quantile { q: 0.5 }, value(readings, "rough"), &["10m"])),
        feature("sensors", Aggregator::Distinct, value(readings, "sensor"), &["2m"]),
        feature("levels", Aggregator::Distinct, value(readings, "level"), &["10m"]),
        feature("modes", Aggregator::Top { k: 3 }, value(readings, "mode"), &["2m"]),
        feature("flags", Aggregator::Top { k: 1 }, value(readings, "flag"), &["2m"]),
        feature("flagged", Aggregator::Mean, value(readings, "flag"), &["2m"]),
        feature("level_sum", Aggregator::Sum, value(readings, "level"), &["10m"]),
        feature("level_std", Aggregator::Std, value(readings, "level"), &["10m"]),
        feature("seen_first", Aggregator::First, value(readings, "seen_at"), &["10m"]),
    ]
}

/// Computed values.
fn band_features(readings: &Source) -> Vec<Feature> {
    let number = |name: &str| Box::new(bare(readings, name));
    let ratio = Expr::Arithmetic(Arithmetic::Divide, number("amount"), number("rough"));
    let delay = Expr::Arithmetic(Arithmetic::Subtract, number("at"), number("seen_at"));
    let either = Expr::Call(Function::Coalesce, vec![bare(readings, "amount"), bare(readings, "rough"), Expr::Number(0.0)]);
    let by_mode = Expr::Case(
        vec![
            (is(readings, "mode", "idle"), Expr::Number(0.0)),
            (Expr::IsNull(number("mode")), Expr::Call(Function::Sqrt, vec![bare(readings, "amount")])),
        ],
        Box::new(Expr::Call(Function::Abs, vec![bare(readings, "amount")])),
    );
    vec![
        feature("ratio_sum", Aggregator::Sum, computed(ratio.clone(), 4), &["1m", "5m"]),
        feature("ratio_std", Aggregator::Std, computed(ratio, 4), &["5m"]),
        feature("delay_mean", Aggregator::Mean, computed(delay, 3), &["5m"]),
        feature("either_max", Aggregator::Max, computed(either, 1), &["1m"]),
        feature("by_mode_last", Aggregator::Last, computed(by_mode, 2), &["1m"]),
    ]
}
