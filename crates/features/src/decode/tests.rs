use pipeline::{SourceKind, Stream};

use super::*;

fn decoder() -> (Decoder, Columns) {
    let decimal = |digits, max: i64, round| FieldKind::Decimal { digits, min: -max, max, round };
    let kinds = [
        ("at", FieldKind::Time),
        ("basket", decimal(2, 10_000_000, false)),
        ("cell", FieldKind::Cell { latitude: 4, longitude: 5, resolution: 8 }),
        ("id", FieldKind::Text),
        ("lat", decimal(6, 90_000_000, true)),
        ("lon", decimal(6, 180_000_000, true)),
        ("sky", FieldKind::Category(vec!["clear".into(), "rain".into()])),
        ("source", FieldKind::Text),
        ("store", FieldKind::Text),
    ];
    let fields = kinds.map(|(name, kind)| Field { name: name.into(), kind, required: false }).to_vec();
    let span = domain::Span(60_000);
    let stream = Stream {
        topic: "orders".into(),
        encoding: pipeline::Encoding::Json,
        identity_source: 7,
        identity_id: 3,
        key: 8,
        time: 0,
        skew: span,
        lateness: span,
        dedup: span,
        peak_per_second: 1,
    };
    let used = vec![true; fields.len()];
    let columns = Columns::new(&fields, &used);
    let source = Source { name: "orders".into(), kind: SourceKind::Stream(stream.clone()), fields, silent_after: None };
    (Decoder::new(&source, &stream), columns)
}

fn check(payload: &[u8], expected: &str) {
    let (mut decoder, mut columns) = decoder();
    let shown = match decoder.decode(payload, &mut Scratch::new(), &mut columns) {
        Ok(()) => format!("{:?}", &columns.row(0)[1..7]),
        Err(fault) => fault.code().to_owned(),
    };
    assert_eq!(shown, expected, "{}", String::from_utf8_lossy(payload));
    let left = usize::from(!expected.contains('_') && expected != "malformed");
    assert_eq!(columns.len(), left, "a refused record leaves no row");
}

/// An event with additional members.
fn event(more: &str) -> Vec<u8> {
    format!(r#"{{"id":"1","source":"s","at":"2026-03-01T10:00:00Z","store":"42"{more}}}"#).into_bytes()
}

#[test]
fn typed_fields_become_units_and_texts() {
    check(
        &event(r#","basket":12.5,"lat":48.137154,"lon":11.5761240001,"sky":"rain","extra":[1,{"a":"}"}]"#),
        r#"[Units(1250), Text("881f8d7a49fffff"), Text("1"), Units(48137154), Units(11576124), Units(1)]"#,
    );
    check(&event(r#","basket":null"#), r#"[Null, Null, Text("1"), Null, Null, Null]"#);
}

#[test]
fn each_fault_has_its_reason() {
    check(&event(r#","basket":"12.5""#), "wrong_type");
    check(&event(r#","basket":12.345"#), "off_step");
    check(&event(r#","basket":1e300"#), "out_of_range");
    check(&event(r#","basket":100000.01"#), "out_of_range");
    check(&event(r#","basket":NaN"#), "malformed");
    check(&event(r#","sky":"snow""#), "wrong_type");
    check(&event(r#","id":"2""#), "malformed");
    check(br#"{"id":"1","source":"s","store":"42"}"#, "missing_field");
    check(br#"{"id":"1","source":"s","store":"42","at":null}"#, "missing_field");
    check(br#"{"id":"","source":"s","store":"42","at":1772359200000}"#, "missing_field");
    check(br#"{"id":"1","source":"s","store":"42","at":"1970-01-01T00:00:00Z"}"#, "out_of_range");
    check(br#"{"id":"1","source":"s","store":"42","at":4102444800000}"#, "out_of_range");
    check(br#"{"id":"1","source":"s","store":"42","at":"yesterday"}"#, "wrong_type");
    check(b"\xff\xfe", "not_utf8");
    check(&vec![b' '; PAYLOAD_BYTES_MAX + 1], "too_large");
    check(&event(&format!(r#","extra":{}"#, "[".repeat(50_000))), "malformed");
}

#[test]
fn of_several_faults_the_first_field_by_name_decides() {
    check(&event(r#","basket":12.345,"sky":7"#), "off_step");
    check(&event(r#","lat":true,"basket":12.3"#), "wrong_type");
}
