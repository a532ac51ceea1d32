//! Short ways to write resolved pipelines by hand. Names are looked up at once, so a mistyped one fails where it stands.

use domain::Span;
use pipeline::{
    Aggregator, Comparison, Expr, Feature, Field, FieldKind, Group, Input, InputKind, Pair, Pipeline, Source, SourceKind, Stream,
    Table, WhenOutdated, Window,
};

/// 2^48, the largest magnitude of units.
pub const UNITS_MAX: i64 = 1 << 48;

/// A span from text such as `250ms`, `10s`, `5m`, `1h` or `35d`.
///
/// # Panics
/// When the text is none of these.
pub fn span(text: &str) -> Span {
    let unit = text.trim_start_matches(|character: char| character.is_ascii_digit());
    let factor = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => panic!("span {text}: write a number and one of ms, s, m, h, d"),
    };
    let number: i64 = text[..text.len() - unit.len()].parse().unwrap_or_else(|_| panic!("span {text}: begin with a number"));
    Span(number * factor)
}

/// A pipeline of these parts, with an id and nothing else.
pub fn pipeline(id: &str, sources: Vec<Source>, groups: Vec<Group>) -> Pipeline {
    Pipeline { id: id.into(), memory_max: 1 << 30, sources, groups, transforms: Vec::new(), case: None, tests: Vec::new() }
}

/// A field that may be null.
pub fn field(name: &str, kind: FieldKind) -> Field {
    Field { name: name.into(), kind, required: false }
}

/// A field that may not.
pub fn required(name: &str, kind: FieldKind) -> Field {
    Field { name: name.into(), kind, required: true }
}

/// The kind of decimals with these bounds in units, refused between two steps.
pub fn decimal(digits: u8, min: i64, max: i64) -> FieldKind {
    FieldKind::Decimal { digits, min, max, round: false }
}

/// The kind of categories with these labels.
pub fn category(labels: &[&str]) -> FieldKind {
    FieldKind::Category(labels.iter().map(|label| (*label).to_owned()).collect())
}

/// A stream that is partitioned by the field `key`, identified by the texts `source` and `id`, and timed by `at`; these
/// three are added to the fields. Skew 30 s, lateness 10 min, dedup slices of 11 min; never silent.
pub fn stream(name: &str, key: &str, mut fields: Vec<Field>) -> Source {
    fields.push(required("source", FieldKind::Text));
    fields.push(required("id", FieldKind::Text));
    fields.push(required("at", FieldKind::Time));
    fields.sort_by(|left, right| left.name.cmp(&right.name));
    let kind = SourceKind::Stream(Stream {
        encoding: pipeline::Encoding::Json,
        topic: name.into(),
        identity_source: place(&fields, "source"),
        identity_id: place(&fields, "id"),
        key: place(&fields, key),
        time: place(&fields, "at"),
        skew: span("30s"),
        lateness: span("10m"),
        dedup: span("11m"),
        peak_per_second: 1000,
    });
    Source { name: name.into(), kind, fields, silent_after: None }
}

/// A pair over the stream at index `from`, which it gets its fields and its silence from.
pub fn pair(name: &str, base: &Source, from: usize, key: &str, start: Expr, end: Expr, longest: &str) -> Source {
    let mut fields = base.fields.clone();
    fields.push(required("seconds", decimal(3, 0, span(longest).0)));
    fields.sort_by(|left, right| left.name.cmp(&right.name));
    // Cells name their positions by place, and `seconds` has moved the places behind it.
    let moved = |old: usize| place(&fields, &base.fields[old].name);
    let kinds = fields.iter().map(|field| match &field.kind {
        FieldKind::Cell { latitude, longitude, resolution } => {
            FieldKind::Cell { latitude: moved(*latitude), longitude: moved(*longitude), resolution: *resolution }
        }
        other => other.clone(),
    });
    let kinds = kinds.collect::<Vec<_>>();
    fields.iter_mut().zip(kinds).for_each(|(field, kind)| field.kind = kind);
    let seconds = place(&fields, "seconds");
    let kind = SourceKind::Pair(Pair { from, start, end, key: place(&base.fields, key), longest: span(longest), seconds });
    Source { name: name.into(), kind, fields, silent_after: base.silent_after }
}

/// A table over the stream at index `from`, which it gets its fields and its silence from.
pub fn table(name: &str, base: &Source, from: usize, key: &str, gone: Option<Expr>, longest: &str) -> Source {
    let kind = SourceKind::Table(Table { from, filter: None, key: place(&base.fields, key), gone, longest: span(longest) });
    Source { name: name.into(), kind, fields: base.fields.clone(), silent_after: base.silent_after }
}

/// The place of a field.
///
/// # Panics
/// When there is no field of that name.
pub fn place(fields: &[Field], name: &str) -> usize {
    fields.iter().position(|field| field.name == name).unwrap_or_else(|| panic!("no field {name}: see the names in the fixture"))
}

/// The expression that is a bare field.
pub fn bare(source: &Source, name: &str) -> Expr {
    Expr::Field(place(&source.fields, name))
}

/// `name = 'text'`
pub fn is(source: &Source, name: &str, text: &str) -> Expr {
    compare(source, name, Comparison::Equal, Expr::Text(text.into()))
}

/// `name < literal` and its like.
pub fn compare(source: &Source, name: &str, comparison: Comparison, literal: Expr) -> Expr {
    Expr::Compare(comparison, Box::new(bare(source, name)), Box::new(literal))
}

/// `name IN ('text', …)`
pub fn is_one_of(source: &Source, name: &str, texts: &[&str]) -> Expr {
    Expr::In(Box::new(bare(source, name)), texts.iter().map(|text| Expr::Text((*text).into())).collect())
}

/// A group of the source at an index, with entities of its own name; values without a window are kept for 35 days.
pub fn group(name: &str, source: usize, key: Expr, hop: &str, features: Vec<Feature>) -> Group {
    Group {
        name: name.into(),
        entity: name.into(),
        key,
        source,
        filter: None,
        hop: span(hop),
        tolerance: span(hop),
        when_outdated: WhenOutdated::LastGood,
        keep: span("35d"),
        entities_max: 1_000_000,
        features,
    }
}

/// A feature without a condition.
pub fn feature(name: &str, aggregator: Aggregator, inputs: Vec<Input>, windows: &[&str]) -> Feature {
    let windows = windows.iter().map(|label| Window { label: (*label).into(), width: span(label) }).collect();
    Feature { name: name.into(), aggregator, condition: None, inputs, windows }
}

/// A feature of events that meet a condition.
pub fn feature_if(condition: Expr, feature: Feature) -> Feature {
    Feature { condition: Some(condition), ..feature }
}

/// A bare field as the value of a feature.
pub fn value(source: &Source, name: &str) -> Vec<Input> {
    let (kind, units_max) = match &source.fields[place(&source.fields, name)].kind {
        FieldKind::Decimal { digits, min, max, .. } => (InputKind::Decimal { digits: *digits }, min.abs().max(max.abs())),
        FieldKind::Integer { min, max } => (InputKind::Integer, min.abs().max(max.abs())),
        FieldKind::Boolean => (InputKind::Boolean, 1),
        FieldKind::Time => (InputKind::Time, domain::LATEST.0),
        FieldKind::Category(labels) => (InputKind::Category(labels.clone()), labels.len() as i64 - 1),
        FieldKind::Text | FieldKind::Cell { .. } => (InputKind::Text, 0),
    };
    vec![Input { expr: bare(source, name), kind, units_max }]
}

/// An expression as the value of a feature, quantised to `10^-digits`.
pub fn computed(expr: Expr, digits: u8) -> Vec<Input> {
    vec![Input { expr, kind: InputKind::Decimal { digits }, units_max: UNITS_MAX }]
}

/// The truth of a condition as the value of a feature.
pub fn truth(expr: Expr) -> Vec<Input> {
    vec![Input { expr, kind: InputKind::Boolean, units_max: 1 }]
}
