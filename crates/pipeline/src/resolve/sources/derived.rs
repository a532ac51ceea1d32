//! Sources made from a stream: pairs and tables.

use domain::Span;

use super::{Sources, field_place, is_stream};
use crate::document::Path;
use crate::expression::Expr;
use crate::quantities;
use crate::raw::{RawPair, RawSource, RawTable, SpanText};
use crate::report::Report;
use crate::resolve::expressions::{condition, optional_condition};
use crate::resolved::{Field, FieldKind, Pair, Source, SourceKind, Table};

/// The field that a pair adds.
const SECONDS: &str = "seconds";
/// A pair's duration is exact to the millisecond.
const SECONDS_DIGITS: u8 = 3;
/// Stands in for a condition at fault.
const NEVER: Expr = Expr::Boolean(false);

/// Reads a pair or a table.
pub(super) fn derived(
    name: &str,
    raw: &RawSource,
    path: &Path,
    sources: &mut Sources,
    report: &mut Report<'_>,
) -> Option<(Source, Vec<String>)> {
    match (&raw.pair, &raw.table) {
        (Some(raw), _) => pair(name, raw, &path.key("pair"), sources, report),
        (None, Some(raw)) => table(name, raw, &path.key("table"), sources, report),
        (None, None) => None,
    }
}

fn pair(name: &str, raw: &RawPair, path: &Path, sources: &mut Sources, report: &mut Report<'_>) -> Option<(Source, Vec<String>)> {
    let longest = longest(&raw.longest, path, report);
    let from = sources.base(raw.from.as_ref()?, &path.key("from"), report)?;
    let (base, scope) = (sources.get(from), sources.scope(from));
    let start = raw.start.as_ref().and_then(|text| condition(&path.key("start"), text, scope, report));
    let end = raw.end.as_ref().and_then(|text| condition(&path.key("end"), text, scope, report));
    let key = raw.key.as_ref().and_then(|key| field_place(base, scope, key, &path.key("key"), report));
    let mut fields = base.fields.clone();
    if fields.iter().any(|field| field.name == SECONDS) {
        let message = format!("`{}` has a field `seconds` already, which is what a pair adds", base.name);
        report.value(path, "duplicate_name", message).suggest("rename that field");
        return None;
    }
    let seconds = fields.partition_point(|field| field.name.as_str() < SECONDS);
    let kind = FieldKind::Decimal { digits: SECONDS_DIGITS, min: 0, max: longest.unwrap_or_default().0, round: false };
    fields.insert(seconds, Field { name: SECONDS.into(), kind, required: true });
    shift_coordinates(&mut fields, seconds);
    let pair = Pair {
        from,
        start: start.unwrap_or(NEVER),
        end: end.unwrap_or(NEVER),
        key: key.unwrap_or_default(),
        longest: longest.unwrap_or_default(),
        seconds,
    };
    let source = Source { name: name.into(), kind: SourceKind::Pair(pair), fields, silent_after: base.silent_after };
    Some((source, scope.broken.clone()))
}

fn table(
    name: &str,
    raw: &RawTable,
    path: &Path,
    sources: &mut Sources,
    report: &mut Report<'_>,
) -> Option<(Source, Vec<String>)> {
    if !report.is_written(&path.key("from")) && !report.is_written(&path.key("file")) {
        let message = "`from` or `file` is missing: where the rows come from";
        report.value(path, "missing_key", message).suggest("write from = \"a stream\" or file = \"facts/some.jsonl\"");
    }
    report.missing(path, "longest", "after which time a row without a successor ends");
    let longest = longest(&raw.longest, path, report);
    let from = sources.base(raw.from.as_ref()?, &path.key("from"), report)?;
    let (base, scope) = (sources.get(from), sources.scope(from));
    let filter = optional_condition(&path.key("where"), raw.filter.as_ref(), scope, report);
    let gone = optional_condition(&path.key("gone"), raw.gone.as_ref(), scope, report);
    let key = raw.key.as_ref().and_then(|key| field_place(base, scope, key, &path.key("key"), report));
    let table = Table { from, filter, key: key?, gone, longest: longest.unwrap_or_default() };
    let kind = SourceKind::Table(table);
    let source = Source { name: name.into(), kind, fields: base.fields.clone(), silent_after: base.silent_after };
    debug_assert!(is_stream(base), "only streams are bases");
    Some((source, scope.broken.clone()))
}

pub(super) fn longest(text: &Option<SpanText>, path: &Path, report: &mut Report<'_>) -> Option<Span> {
    let path = path.key("longest");
    let longest = report.take(&path, "bad_span", quantities::span(&text.as_ref()?.0))?;
    if longest == Span(0) {
        report
            .value(&path, "out_of_range", "`longest` has to be longer than nothing")
            .suggest("write how long it may take, such as \"3h\"");
    }
    Some(longest)
}

/// Cells know their coordinates by place, and the places after the new field have moved.
pub(super) fn shift_coordinates(fields: &mut [Field], inserted: usize) {
    for field in fields {
        if let FieldKind::Cell { latitude, longitude, .. } = &mut field.kind {
            *latitude += usize::from(*latitude >= inserted);
            *longitude += usize::from(*longitude >= inserted);
        }
    }
}
