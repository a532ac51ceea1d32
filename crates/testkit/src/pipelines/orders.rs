//! A stream of orders with all that can be derived of it: a pair, a table, a file table beside it, and silence.

use pipeline::{Aggregator, Comparison, Expr, FieldKind, Pipeline, SourceKind};

use super::build::{
    bare, compare, decimal, feature, feature_if, field, group, is, is_one_of, pair, pipeline, place, required, span, stream,
    table, value,
};

/// Sources `orders` (0), `preparation` (1, from accepted to ready), `under_way` (2, until delivered or cancelled) and
/// `stores` (3, a file). Silent after two minutes.
pub fn orders() -> Pipeline {
    let fields = vec![
        required("order_id", FieldKind::Text),
        field("store_id", FieldKind::Text),
        required("type", FieldKind::Text),
        field("basket", decimal(2, 0, 10_000_000)),
    ];
    let mut orders = stream("orders", "order_id", fields);
    orders.silent_after = Some(span("2m"));
    let (accepted, ready) = (is(&orders, "type", "accepted"), is(&orders, "type", "ready"));
    let preparation = pair("preparation", &orders, 0, "order_id", accepted, ready, "20m");
    let gone = is_one_of(&orders, "type", &["delivered", "cancelled"]);
    let under_way = table("under_way", &orders, 0, "order_id", Some(gone), "15m");
    let stores_fields = vec![field("capacity", FieldKind::Integer { min: 0, max: 1000 }), required("store_id", FieldKind::Text)];
    let stores_key = place(&stores_fields, "store_id");
    let stores = pipeline::Source {
        name: "stores".into(),
        kind: SourceKind::File { path: "stores.jsonl".into(), key: stores_key },
        fields: stores_fields,
        silent_after: None,
    };

    let slow = compare(&preparation, "seconds", Comparison::Greater, Expr::Number(120.0));
    let store_preparation = group(
        "store_preparation",
        1,
        bare(&preparation, "store_id"),
        "1m",
        vec![
            feature("prep_mean", Aggregator::Mean, value(&preparation, "seconds"), &["5m", "15m"]),
            feature("prep_p90", Aggregator::Quantile { q: 0.9 }, value(&preparation, "seconds"), &["15m"]),
            feature_if(slow, feature("slow", Aggregator::Count, Vec::new(), &["15m"])),
            feature("basket_sum", Aggregator::Sum, value(&preparation, "basket"), &["15m"]),
        ],
    );
    let dear = compare(&under_way, "basket", Comparison::GreaterOrEqual, Expr::Number(10.0));
    let store_load = group(
        "store_load",
        2,
        bare(&under_way, "store_id"),
        "1m",
        vec![
            feature("open", Aggregator::OpenCount, Vec::new(), &[]),
            feature_if(dear, feature("open_dear", Aggregator::OpenCount, Vec::new(), &[])),
        ],
    );
    let order = group(
        "order",
        2,
        bare(&under_way, "order_id"),
        "1m",
        vec![feature("order_basket", Aggregator::Last, value(&under_way, "basket"), &[])],
    );
    let store_events = group(
        "store_events",
        0,
        bare(&orders, "store_id"),
        "10s",
        vec![
            feature("events", Aggregator::Count, Vec::new(), &["1m", "10m"]),
            feature("basket_ewma", Aggregator::Ewma { half_life: span("5m") }, value(&orders, "basket"), &["10m"]),
            feature("basket_first", Aggregator::First, value(&orders, "basket"), &["10m"]),
        ],
    );
    let store = group(
        "store",
        3,
        bare(&stores, "store_id"),
        "1m",
        vec![feature("capacity", Aggregator::Last, value(&stores, "capacity"), &[])],
    );
    let groups = vec![store_preparation, store_load, order, store_events, store];
    pipeline("orders", vec![orders, preparation, under_way, stores], groups)
}
