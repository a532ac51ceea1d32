//! What a sound spec means: names looked up, defaults filled in, everything in its promised order.

use domain::{Span, Timestamp, ValueKind};
use pipeline::{Aggregator, Encoding, Expr, FieldKind, InputKind, Pipeline, SourceKind, Stream, WhenOutdated, parse};

const SPEC: &str = r#"
# The derived sources come first on purpose.
[source.rides]
pair = { from = "events", start = "kind = 'start'", end = "kind = 'stop'", key = "ride", longest = "2h" }

[source.here]
table = { from = "events", key = "vehicle", longest = "1d", where = "kind <> 'noise'" }

[source.events]
topic = "events"
key = "vehicle"
time = "at"
skew = "30s"
lateness = "10m"
silent_after = "2m"

[source.events.fields]
kind = { category = ["start", "stop", "noise"] }
ride = "string"
north = { decimal = "0.0001", max = 90 }
zenith = { decimal = "0.0001", min = "-180", max = 180, round = true }
cell = { cell = ["north", "zenith"], resolution = 7 }
fare = { decimal = "0.01", max = "500.5" }

[group.vehicles]
entity = "vehicle"
key = "vehicle"
source = "rides"
hop = "15m"
entities = 100

[group.vehicles.features]
ride_mean = { mean = "seconds", windows = ["1h", "15m"], where = "fare > 0" }
long = { rate = "seconds > 600", per = "1h", windows = ["14d"], where = "fare > 0" }
euros = { sum = "fare * 2", step = "0.01", windows = ["15m"] }
kinds = { top = "kind", k = 2, windows = ["15m"] }
latest = { last = "at" }

[group.cells]
entity = "cell"
key = "cell"
source = "here"
when_outdated = "refuse"

[group.cells.features]
vehicles = { open_count = "*" }

[transform]
second = "first + 1"
first = "ride_mean_15m"
busy = "vehicles > 3"
favourite = "kinds_15m_1"

[[test]]
name = "all kinds of values"
events = "tests/a.jsonl"
at = "2026-11-21T10:00:00.5+01:00"
refused = { late = 2 }
expect = { "vehicle:1" = { kinds_15m_1 = "stop", latest = "2026-11-21T09:00:00Z", second = 3, ride_mean_1h = "null" }, "cell:x" = { busy = true } }
"#;

fn pipeline() -> Pipeline {
    parse("fleet", SPEC).unwrap_or_else(|faults| panic!("{faults}"))
}

fn stream(pipeline: &Pipeline) -> &Stream {
    match &pipeline.sources[0].kind {
        SourceKind::Stream(stream) => stream,
        other => panic!("bases come first, not {other:?}"),
    }
}

#[test]
fn sources_come_after_their_bases_and_fields_are_sorted() {
    let pipeline = pipeline();
    let names: Vec<&str> = pipeline.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["events", "rides", "here"]);
    assert_eq!(pipeline.base_of(1), Some(0));
    let fields: Vec<&str> = pipeline.sources[1].fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(fields, ["at", "cell", "fare", "id", "kind", "north", "ride", "seconds", "source", "vehicle", "zenith"]);
    assert!(pipeline.sources.iter().all(|source| source.silent_after == Some(Span(120_000))));
}

#[test]
fn a_topic_says_how_it_is_encoded() {
    for (written, encoding) in [("json", Encoding::Json), ("avro", Encoding::Avro), ("protobuf", Encoding::Protobuf)] {
        let spec = SPEC.replacen("topic = ", &format!("encoding = \"{written}\"\ntopic = "), 1);
        let pipeline = parse("fleet", &spec).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(stream(&pipeline).encoding, encoding);
        assert_eq!(encoding.name(), written);
    }
}

#[test]
fn defaults_are_filled_in() {
    let pipeline = pipeline();
    let stream = stream(&pipeline);
    assert_eq!(stream.dedup, Span(11 * 60_000), "lateness and skew, in whole minutes");
    assert_eq!(stream.peak_per_second, 1_000);
    assert_eq!(stream.encoding, Encoding::Json);
    let fields = &pipeline.sources[0].fields;
    let roles = [stream.identity_source, stream.identity_id, stream.key, stream.time];
    assert_eq!(roles.map(|place| fields[place].name.as_str()), ["source", "id", "vehicle", "at"]);
    assert!(roles.iter().all(|place| fields[*place].required));
    assert_eq!(fields[stream.time].kind, FieldKind::Time);
    let [vehicles, cells] = pipeline.groups.as_slice() else { panic!("two groups") };
    assert_eq!((vehicles.tolerance, vehicles.when_outdated), (Span(900_000), WhenOutdated::Serve));
    assert_eq!(vehicles.keep, Span(14 * 86_400_000), "as long as the widest window");
    assert_eq!((cells.keep, cells.when_outdated), (Span(7 * 86_400_000), WhenOutdated::Refuse));
    assert_eq!((cells.hop, cells.entities_max), (Span(60_000), 100_000));
    assert_eq!(pipeline.memory_max, 1 << 30);
}

#[test]
fn decimals_are_whole_numbers_of_steps() {
    let pipeline = pipeline();
    let kind = |name: &str| pipeline.sources[0].fields.iter().find(|field| field.name == name).map(|field| field.kind.clone());
    assert_eq!(kind("fare"), Some(FieldKind::Decimal { digits: 2, min: -50_050, max: 50_050, round: false }));
    assert_eq!(kind("zenith"), Some(FieldKind::Decimal { digits: 4, min: -1_800_000, max: 1_800_000, round: true }));
}

#[test]
fn cells_find_their_coordinates_in_a_pair_as_well() {
    let pipeline = pipeline();
    for source in &pipeline.sources[..2] {
        let FieldKind::Cell { latitude, longitude, resolution } = source.fields[1].kind else { panic!("a cell") };
        assert_eq!((source.fields[latitude].name.as_str(), source.fields[longitude].name.as_str()), ("north", "zenith"));
        assert_eq!(resolution, 7);
    }
}

#[test]
fn features_know_their_inputs_and_conditions() {
    let pipeline = pipeline();
    let features = &pipeline.groups[0].features;
    let labels: Vec<&str> = features[0].windows.iter().map(|window| window.label.as_str()).collect();
    assert_eq!(labels, ["15m", "1h"], "ascending");
    assert_eq!(features[0].inputs[0].expr, Expr::Field(7));
    assert_eq!((&features[0].inputs[0].kind, features[0].inputs[0].units_max), (&InputKind::Decimal { digits: 3 }, 7_200_000));
    assert_eq!(features[1].aggregator, Aggregator::Rate { per: Span(3_600_000) });
    assert!(matches!(&features[1].condition, Some(Expr::And(..))), "where and the counted condition");
    assert_eq!(features[2].inputs[0].units_max, 1 << 48, "computed numbers are bounded by their type only");
    assert!(matches!(&features[3].inputs[0].kind, InputKind::Category(labels) if labels.len() == 3));
    assert_eq!(features[4].inputs[0].kind, InputKind::Time);
    assert!(pipeline.groups[1].features[0].condition.is_none());
}

#[test]
fn transforms_come_after_what_they_use() {
    let pipeline = pipeline();
    let names: Vec<&str> = pipeline.transforms.iter().map(|transform| transform.name.as_str()).collect();
    assert_eq!(names, ["first", "second", "busy", "favourite"]);
    let row = pipeline.row_columns();
    let Expr::Arithmetic(_, first, _) = &pipeline.transforms[1].expr else { panic!("a sum") };
    assert!(matches!(**first, Expr::Field(place) if row[place].0 == "first"));
    assert_eq!(pipeline.transforms[2].kind, ValueKind::Boolean);
    assert!(matches!(&pipeline.transforms[3].kind, ValueKind::Category(labels) if labels[1] == "stop"));
}

#[test]
fn expected_values_become_numbers() {
    let case = &pipeline().tests[0];
    let expected = |column: &str| case.expect.iter().find(|(_, name, _)| name == column).map(|(_, _, value)| *value);
    assert_eq!(expected("kinds_15m_1"), Some(Some(1.0)));
    assert_eq!(expected("latest"), Some(Some(1_795_251_600_000.0)));
    assert_eq!(expected("ride_mean_1h"), Some(None));
    assert_eq!(expected("busy"), Some(Some(1.0)));
    assert_eq!(case.at, Some(Timestamp(1_795_251_600_500)));
    assert_eq!(case.refused, Some(vec![("late".to_owned(), 2)]));
}

#[test]
fn features_share_their_partials_in_the_memory_plan() {
    let plan = pipeline::memory(&pipeline());
    let group = plan.items.iter().find(|item| item.name == "group.vehicles").map(|item| item.bytes);
    // Per tile: mean 1 + 1, rate 1, sum 2, top 32; per entity: last 4 words. 14 days of quarters.
    assert_eq!(group, Some(100 * (160 + 24 + 8 * 4 + (14 * 96 + 1) * (8 + 8 * 37))));
}
