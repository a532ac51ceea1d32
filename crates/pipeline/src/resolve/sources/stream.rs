//! Sources that stand on their own: streams and files.

use domain::Span;

use crate::document::Path;
use crate::quantities::{self, show_span};
use crate::raw::{RawEncoding, RawSource, RawTable, SpanText};
use crate::report::Report;
use crate::resolve::check_file;
use crate::resolve::fields::Fields;
use crate::resolved::{Encoding, Field, FieldKind, Source, SourceKind, Stream};

/// Enough for most topics; memory arithmetic only.
const PEAK_PER_SECOND_DEFAULT: u64 = 1_000;
/// The names that CloudEvents gives to the parts of an identity.
const IDENTITY_DEFAULT: [&str; 2] = ["source", "id"];
const MINUTE_MS: i64 = 60_000;

/// Reads a stream.
pub(super) fn stream(name: &str, raw: &RawSource, path: &Path, report: &mut Report<'_>) -> (Source, Vec<String>) {
    report.missing(path, "key", "the field by which producers partition the topic");
    report.missing(path, "time", "the field that says when the event happened");
    report.missing(path, "skew", "how far in the future an event may be stamped");
    report.missing(path, "lateness", "how long after its time an event is still taken");
    check_topic(raw.topic.as_deref(), path, report);
    let mut span = |key: &str, text: &Option<SpanText>| {
        text.as_ref().and_then(|text| report.take(&path.key(key), "bad_span", quantities::span(&text.0)))
    };
    let skew = span("skew", &raw.skew);
    let lateness = span("lateness", &raw.lateness);
    let silent_after = span("silent_after", &raw.silent_after);
    let dedup = span("dedup", &raw.dedup);
    let dedup = dedup_span(skew, lateness, dedup, path, report);
    let fields_path = path.key("fields");
    let mut fields = Fields::read(&raw.fields, &fields_path, report);
    let identity = raw.identity.clone().unwrap_or_else(|| IDENTITY_DEFAULT.map(str::to_owned));
    if identity[0] == identity[1] {
        report
            .value(&path.key("identity"), "duplicate_name", "an identity is made of two different fields")
            .suggest("name the field of the producer and the field of the event");
    }
    let shown = |key: &str| if report.is_written(&fields_path.key(key)) { fields_path.key(key) } else { path.key("identity") };
    let shown = [shown(&identity[0]), shown(&identity[1])];
    for (field, place) in identity.iter().zip(&shown) {
        fields.need(field, FieldKind::Text, |kind| matches!(kind, FieldKind::Text), (place, "identity"), report);
    }
    if let Some(time) = &raw.time {
        fields.need(time, FieldKind::Time, |kind| matches!(kind, FieldKind::Time), (&path.key("time"), "time"), report);
    }
    let suits_key = |kind: &FieldKind| matches!(kind, FieldKind::Text | FieldKind::Integer { .. } | FieldKind::Category(_));
    if let Some(key) = &raw.key {
        fields.need(key, FieldKind::Text, suits_key, (&path.key("key"), "key"), report);
    }
    let (fields, broken) = fields.finish(&fields_path, report);
    // A place that is not found was reported above.
    let place = |name: &String| fields.iter().position(|field: &Field| field.name == *name).unwrap_or_default();
    let stream = Stream {
        topic: raw.topic.clone().unwrap_or_default(),
        encoding: encoding(raw.encoding),
        identity_source: place(&identity[0]),
        identity_id: place(&identity[1]),
        key: raw.key.as_ref().map(place).unwrap_or_default(),
        time: raw.time.as_ref().map(place).unwrap_or_default(),
        skew: skew.unwrap_or_default(),
        lateness: lateness.unwrap_or_default(),
        dedup,
        peak_per_second: raw.peak_per_second.unwrap_or(PEAK_PER_SECOND_DEFAULT),
    };
    (Source { name: name.into(), kind: SourceKind::Stream(stream), fields, silent_after }, broken)
}

/// Reads a table that comes from a file.
pub(super) fn file(
    name: &str,
    raw: &RawSource,
    table: &RawTable,
    path: &Path,
    exists: &dyn Fn(&str) -> bool,
    report: &mut Report<'_>,
) -> Option<(Source, Vec<String>)> {
    let inner = path.key("table");
    let document = report.document();
    for key in ["from", "gone", "longest", "where"].into_iter().filter(|key| document.contains(&inner.key(key))) {
        let message = format!("`{key}` says nothing about a table from a file");
        report.key(&inner.key(key), "misplaced_key", message).suggest("remove it");
    }
    let file = table.file.clone()?;
    check_file(&inner.key("file"), &file, exists, report);
    let fields_path = path.key("fields");
    let mut fields = Fields::read(&raw.fields, &fields_path, report);
    let key = table.key.clone()?;
    let suits = |kind: &FieldKind| matches!(kind, FieldKind::Text | FieldKind::Integer { .. } | FieldKind::Category(_));
    fields.need(&key, FieldKind::Text, suits, (&inner.key("key"), "key"), report);
    let (fields, broken) = fields.finish(&fields_path, report);
    let key = fields.iter().position(|field| field.name == key).unwrap_or_default();
    Some((Source { name: name.into(), kind: SourceKind::File { path: file, key }, fields, silent_after: None }, broken))
}

fn encoding(written: Option<RawEncoding>) -> Encoding {
    match written {
        None | Some(RawEncoding::Json) => Encoding::Json,
        Some(RawEncoding::Avro) => Encoding::Avro,
        Some(RawEncoding::Protobuf) => Encoding::Protobuf,
    }
}

pub(super) fn check_topic(topic: Option<&str>, path: &Path, report: &mut Report<'_>) {
    // What Kafka allows in a topic's name, less the room that the pipeline's prefix needs.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if let Some(topic) = topic
        && (topic.is_empty() || topic.len() > 128 || !topic.bytes().all(allowed))
    {
        let help = "use letters, digits, `.`, `_` and `-`, at most 128";
        report.value(&path.key("topic"), "bad_name", format!("`{topic}` is no name of a topic")).suggest(help);
    }
}

fn dedup_span(skew: Option<Span>, lateness: Option<Span>, dedup: Option<Span>, path: &Path, report: &mut Report<'_>) -> Span {
    let (Some(skew), Some(lateness)) = (skew, lateness) else { return Span(MINUTE_MS) };
    let least = Span(skew.0 + lateness.0);
    match dedup {
        Some(dedup) if dedup < least => {
            let (written, needed) = (show_span(dedup), show_span(least));
            let message =
                format!("`dedup` is {written}, and an event can come {needed} apart from its repetition (lateness + skew)");
            report
                .value(&path.key("dedup"), "dedup_too_short", message)
                .suggest(format!("write \"{needed}\" or more, or leave it out"));
            dedup
        }
        Some(dedup) => dedup,
        None => Span((least.0 + MINUTE_MS - 1) / MINUTE_MS * MINUTE_MS).max(Span(MINUTE_MS)),
    }
}
