//! Features: which aggregator, over what, and whether the source and the windows suit it.

use domain::Span;

use super::check_name;
use super::expressions::{condition, optional_condition};
use super::inputs::{Accepts, input};
use crate::document::Path;
use crate::expression::Expr;
use crate::quantities::{self, show_span};
use crate::raw::{AGGREGATORS, RawFeature, RawGroup, Sql};
use crate::report::Report;
use crate::resolved::{Aggregator, Feature, Input, Source, SourceKind, Window};
use crate::sql::Scope;
use crate::suggestion::listed;

/// Hops in one window: a vector walks over all of them, so this bounds what one event may cost.
const TILES_MAX: i64 = 2000;
/// Counts everything.
const ALL: &str = "*";

/// What a feature needs to know of its group.
pub(super) struct GroupContext<'g> {
    pub(super) source: &'g Source,
    pub(super) scope: &'g Scope,
    /// None after a fault.
    pub(super) key: Option<&'g Expr>,
    /// None after a fault.
    pub(super) hop: Option<Span>,
}

/// Reads the features of a group; those at fault are named in `broken`.
pub(super) fn features(
    raw: &RawGroup,
    path: &Path,
    group: &GroupContext<'_>,
    broken: &mut Vec<String>,
    report: &mut Report<'_>,
) -> Vec<Feature> {
    let mut features = Vec::new();
    for name in report.document().keys(path) {
        let inner = path.key(&name);
        check_name(&inner, &name, report);
        match raw.features.get(&name).and_then(|raw| feature(&name, raw, &inner, group, report)) {
            Some(feature) => features.push(feature),
            None => broken.push(name),
        }
    }
    features
}

fn feature(name: &str, raw: &RawFeature, path: &Path, group: &GroupContext<'_>, report: &mut Report<'_>) -> Option<Feature> {
    let written: Vec<&str> = AGGREGATORS.into_iter().filter(|key| report.is_written(&path.key(key))).collect();
    let key = match written.as_slice() {
        [only] => *only,
        [] => {
            let message = format!("`{name}` does not say how it aggregates");
            report.value(path, "missing_aggregator", message).suggest(format!("add one of {}", listed(&AGGREGATORS)));
            return None;
        }
        several => {
            let message = format!("`{name}` has {} aggregators: {}", several.len(), listed(several));
            report.value(path, "two_aggregators", message).suggest("make a feature of each");
            return None;
        }
    };
    check_companions(key, path, report);
    let windows = windows(raw, path, group, report);
    // Everything is looked at before anything gives up, so that all faults are reported.
    let aggregator = aggregator(key, raw, path, report);
    let filter = optional_condition(&path.key("where"), raw.filter.as_ref(), group.scope, report);
    let counted = counted(key, raw, path, group.scope, report);
    let inputs = inputs(key, raw, path, group.scope, group.source, report);
    let windows = windows?;
    check_source(key, &windows, path, group, report);
    let condition = match (filter, counted?) {
        (Some(filter), Some(counted)) => Some(Expr::And(Box::new(filter), Box::new(counted))),
        (filter, counted) => filter.or(counted),
    };
    Some(Feature { name: name.into(), aggregator: aggregator?, condition, inputs: inputs?, windows })
}

/// Reports keys that belong to another aggregator, and missing ones that belong to this one.
fn check_companions(key: &str, path: &Path, report: &mut Report<'_>) {
    let own = match key {
        "rate" => Some(("per", "the span that the count is divided by, such as \"1m\"")),
        "ewma" => Some(("half_life", "the age at which a weight is one half, such as \"10m\"")),
        "quantile" => Some(("of", "the number that the quantile is of")),
        "top" => Some(("k", "how many values, 1 to 16")),
        _ => None,
    };
    if let Some((companion, why)) = own {
        report.missing(path, companion, why);
    }
    for other in ["per", "half_life", "of", "k"].into_iter().filter(|other| own.is_none_or(|(own, _)| own != *other)) {
        if report.document().contains(&path.key(other)) {
            let message = format!("`{other}` says nothing about `{key}`");
            report.key(&path.key(other), "misplaced_key", message).suggest("remove it");
        }
    }
}

fn aggregator(key: &str, raw: &RawFeature, path: &Path, report: &mut Report<'_>) -> Option<Aggregator> {
    let mut span = |key: &str, text: Option<&str>| {
        let span = report.take(&path.key(key), "bad_span", quantities::span(text?))?;
        if span == Span(0) {
            report
                .value(&path.key(key), "out_of_range", format!("`{key}` has to be longer than nothing"))
                .suggest("write \"1m\", for instance");
            return None;
        }
        Some(span)
    };
    Some(match key {
        "count" => Aggregator::Count,
        "rate" => Aggregator::Rate { per: span("per", raw.per.as_ref().map(|text| text.0.as_str()))? },
        "sum" => Aggregator::Sum,
        "mean" => Aggregator::Mean,
        "min" => Aggregator::Min,
        "max" => Aggregator::Max,
        "std" => Aggregator::Std,
        "first" => Aggregator::First,
        "last" => Aggregator::Last,
        "ewma" => Aggregator::Ewma { half_life: span("half_life", raw.half_life.as_ref().map(|text| text.0.as_str()))? },
        "quantile" => Aggregator::Quantile { q: quantile(raw.quantile?, path, report)? },
        "distinct" => Aggregator::Distinct,
        "top" => Aggregator::Top { k: raw.k? },
        "open_count" => Aggregator::OpenCount,
        "travel" => Aggregator::Travel,
        _ => return None,
    })
}

fn quantile(q: f64, path: &Path, report: &mut Report<'_>) -> Option<f64> {
    if q > 0.0 && q < 1.0 {
        return Some(q);
    }
    let message = format!("a quantile lies between 0 and 1, and {q} does not");
    report
        .value(&path.key("quantile"), "out_of_range", message)
        .suggest("write 0.9 for the value that nine of ten stay below; for the ends there are min and max");
    None
}

/// The condition that a count counts: none after a fault, `Some(None)` where there is nothing to meet.
fn counted(key: &str, raw: &RawFeature, path: &Path, scope: &Scope, report: &mut Report<'_>) -> Option<Option<Expr>> {
    let text = match key {
        "count" => raw.count.as_ref()?,
        "rate" => raw.rate.as_ref()?,
        "open_count" => raw.open_count.as_ref()?,
        _ => return Some(None),
    };
    if text.0.trim() == ALL {
        return Some(None);
    }
    condition(&path.key(key), text, scope, report).map(Some)
}

fn inputs(
    key: &str,
    raw: &RawFeature,
    path: &Path,
    scope: &Scope,
    source: &Source,
    report: &mut Report<'_>,
) -> Option<Vec<Input>> {
    let (place, text, accepts): (&str, &Option<Sql>, Accepts) = match key {
        "sum" => ("sum", &raw.sum, Accepts::NUMBERS),
        "mean" => ("mean", &raw.mean, Accepts { booleans: true, ..Accepts::NUMBERS }),
        "std" => ("std", &raw.std, Accepts::NUMBERS),
        "ewma" => ("ewma", &raw.ewma, Accepts::NUMBERS),
        "quantile" => ("of", &raw.of, Accepts::NUMBERS),
        "min" => ("min", &raw.min, Accepts { times: true, ..Accepts::NUMBERS }),
        "max" => ("max", &raw.max, Accepts { times: true, ..Accepts::NUMBERS }),
        "first" => ("first", &raw.first, Accepts::CARRIED),
        "last" => ("last", &raw.last, Accepts::CARRIED),
        "distinct" => ("distinct", &raw.distinct, Accepts { texts: true, categories: true, ..Accepts::NUMBERS }),
        "top" => ("top", &raw.top, Accepts::LISTED),
        "travel" => return travel(raw, path, scope, source, report),
        _ => return no_step(key, raw, path, report).map(|()| Vec::new()),
    };
    let text = text.as_ref()?;
    input(key, &path.key(place), text, (raw.step.as_ref(), path), &accepts, (scope, source), report).map(|input| vec![input])
}

fn travel(raw: &RawFeature, path: &Path, scope: &Scope, source: &Source, report: &mut Report<'_>) -> Option<Vec<Input>> {
    let positions = raw.travel.as_ref()?;
    let inner = path.key("travel");
    let read = [0, 1].map(|place| {
        let step = (raw.step.as_ref(), path);
        input("travel", &inner.index(place), &positions[place], step, &Accepts::DECIMALS, (scope, source), report)
    });
    let [latitude, longitude] = read;
    Some(vec![latitude?, longitude?])
}

fn no_step(key: &str, raw: &RawFeature, path: &Path, report: &mut Report<'_>) -> Option<()> {
    if raw.step.is_some() {
        report.key(&path.key("step"), "misplaced_key", format!("`step` says nothing about `{key}`")).suggest("remove it");
        return None;
    }
    Some(())
}

/// The windows, ascending; empty when none are written, none after a fault.
fn windows(raw: &RawFeature, path: &Path, group: &GroupContext<'_>, report: &mut Report<'_>) -> Option<Vec<Window>> {
    let path = path.key("windows");
    let Some(written) = &raw.windows else {
        return if report.is_written(&path) { None } else { Some(Vec::new()) };
    };
    if written.is_empty() {
        report
            .value(&path, "missing_key", "this list of windows is empty")
            .suggest("write [\"15m\", \"1h\"], or leave it out for the whole past");
        return None;
    }
    let mut windows: Vec<Window> = Vec::new();
    let mut sound = true;
    for (place, text) in written.iter().enumerate() {
        let inner = path.index(place);
        let Some(width) = report.take(&inner, "bad_span", quantities::span(&text.0)) else {
            sound = false;
            continue;
        };
        if windows.iter().any(|other| other.width == width) {
            let message = format!("a window of {} is listed twice", show_span(width));
            report.value(&inner, "duplicate_name", message).suggest("remove one of the two");
            sound = false;
        }
        sound &= check_multiple(width, group, &inner, report);
        windows.push(Window { label: text.0.clone(), width });
    }
    windows.sort_by_key(|window| window.width);
    sound.then_some(windows)
}

fn check_multiple(width: Span, group: &GroupContext<'_>, path: &Path, report: &mut Report<'_>) -> bool {
    let Some(hop) = group.hop else { return true };
    if width.0 > 0 && width.0 % hop.0 == 0 {
        let tiles = width.0 / hop.0;
        if tiles > TILES_MAX {
            let message =
                format!("a window of {} has {tiles} hops of {}; {TILES_MAX} are allowed", show_span(width), show_span(hop));
            let help = "put long windows into a group of their own, with a hop of minutes for hours and of hours for weeks";
            report.value(path, "too_many_hops", message).suggest(help);
        }
        return tiles <= TILES_MAX;
    }
    let message = format!("a window of {} is no multiple of the group's hop, {}", show_span(width), show_span(hop));
    let below = Span(width.0 / hop.0 * hop.0).max(hop);
    let above = Span(below.0 + hop.0);
    let help = format!("choose {} or {}, or another hop", show_span(below), show_span(above));
    report.value(path, "window_not_multiple", message).suggest(help);
    false
}

/// Whether the kind of source allows this aggregator with or without windows.
fn check_source(key: &str, windows: &[Window], path: &Path, group: &GroupContext<'_>, report: &mut Report<'_>) {
    let is_end = matches!(key, "first" | "last");
    let name = &group.source.name;
    let row_key = match &group.source.kind {
        SourceKind::Stream(_) | SourceKind::Pair(_) | SourceKind::Absence(_) => {
            if key == "open_count" {
                let message = format!("`open_count` counts the rows of a table, and `{name}` is none");
                report
                    .key(&path.key(key), "wrong_source", message)
                    .suggest("make a table of it: table = { from = …, key = …, longest = … }");
            } else if windows.is_empty() && !is_end {
                report.missing(path, "windows", "only `first` and `last` look at the whole past");
            }
            return;
        }
        SourceKind::Table(table) if is_end || key == "open_count" => table.key,
        SourceKind::File { key: row_key, .. } if is_end => *row_key,
        kind => {
            let (what, allowed) = match kind {
                SourceKind::File { .. } => ("a file", "`last`"),
                _ => ("a table", "`open_count`, `first` and `last`"),
            };
            let message = format!("`{key}` needs events, and `{name}` is {what} of rows");
            report.key(&path.key(key), "wrong_source", message).suggest(format!("use {allowed}, or a group over a stream"));
            return;
        }
    };
    if !windows.is_empty() {
        let message = format!("`{key}` over the table `{name}` reads the rows of now and has no windows");
        report.value(&path.key("windows"), "misplaced_key", message).suggest("remove `windows`");
    }
    if is_end && group.key.is_some_and(|key| *key != Expr::Field(row_key)) {
        let row_key = &group.source.fields[row_key].name;
        let message = format!("`{key}` reads the one row of an entity, so the group's key has to be the table's, `{row_key}`");
        report
            .key(&path.key(key), "wrong_source", message)
            .suggest(format!("write key = \"{row_key}\" in the group, or count rows with open_count"));
    }
}
