//! The case: what is predicted, by which events, from which row, and what is said without a model.

mod attributes;
mod fallbacks;
mod local;
mod model;
mod moves;
mod row;
mod rules;
mod triggers;

use std::collections::BTreeSet;

use domain::Span;

use self::attributes::Attributes;
use self::moves::Moves;
use self::row::CaseRow;
use super::check_name;
use super::computed::Computed;
use super::groups::Groups;
use super::sources::Sources;
use crate::document::Path;
use crate::quantities::{self, show_span};
use crate::raw::{RawCase, RawPipeline, SpanText};
use crate::report::Report;
use crate::resolved::Case;

/// Shorter cases are over before anything could be said.
const LONGEST_MIN: Span = Span(60_000);
/// Every open case is kept in memory; what takes longer than a month is no delivery.
const LONGEST_MAX: Span = Span(30 * 86_400_000);

/// What a case is made of beside its own table.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'s> {
    pub(super) sources: &'s Sources,
    pub(super) groups: &'s Groups,
    pub(super) transforms: &'s Computed,
}

/// Reads the case, if one is declared. Sources that it names are added to the used ones.
pub(super) fn resolve(
    raw: &RawPipeline,
    around: Surroundings<'_>,
    used: &mut BTreeSet<String>,
    report: &mut Report<'_>,
) -> Option<Case> {
    let raw = raw.case.as_ref()?;
    let path = Path::default().key("case");
    if let Some(entity) = &raw.entity {
        check_name(&path.key("entity"), entity, report);
    }
    let longest = longest(raw, &path, report);
    let moves = Moves::read(raw, &path, around.sources, report);
    used.extend(moves.used.iter().cloned());
    let attributes = Attributes::read(raw, &path, &moves, around.sources, report);
    let entities = attributes.entities(raw, &path, around.groups, report);
    let area = raw.area.as_ref().and_then(|name| attributes.key(name, &path.key("area"), report));
    let triggers = triggers::triggers(raw.triggers.as_ref(), &path.key("triggers"), &moves, longest, report);
    let (zone, holidays) = local::local(raw, &path, report);
    let mut row = CaseRow::new(&path, around, &moves, &attributes, report);
    let inputs = row.inputs(&raw.inputs, &path.key("inputs"), report);
    let model = raw.model.as_ref().and_then(|raw| model::model(raw, &path.key("model"), &row, &attributes, report));
    let fallbacks = fallbacks::fallbacks(raw.fallback.as_deref(), &path.key("fallback"), &mut row, report);
    let label = label(raw, &path, longest, report);
    let (promise, corrector, calibration) = rules::rules(raw, &path, longest, report);
    Some(Case {
        entity: raw.entity.clone()?,
        longest: longest?,
        stages: moves.stages,
        ends: moves.ends,
        attributes: attributes.found,
        entities,
        area,
        triggers,
        inputs,
        model,
        fallbacks,
        label,
        zone,
        holidays,
        promise,
        corrector,
        calibration,
    })
}

fn longest(raw: &RawCase, path: &Path, report: &mut Report<'_>) -> Option<Span> {
    let longest = span("longest", raw.longest.as_ref(), path, report)?;
    if !(LONGEST_MIN..=LONGEST_MAX).contains(&longest) {
        let (least, most) = (show_span(LONGEST_MIN), show_span(LONGEST_MAX));
        let message = format!("`longest` is {}; a case is over after {least} to {most}", show_span(longest));
        let help = "write the time after which nobody waits for its last stage any more, such as \"6h\"";
        report.value(&path.key("longest"), "out_of_range", message).suggest(help);
    }
    Some(longest)
}

/// From which and to which time, in seconds, a case teaches something.
fn label(raw: &RawCase, path: &Path, longest: Option<Span>, report: &mut Report<'_>) -> (f64, f64) {
    let seconds = |span: Span| span.0 as f64 / 1000.0;
    let whole = (0.0, seconds(longest.unwrap_or_default()));
    let Some([low, high]) = &raw.label else { return whole };
    let path = path.key("label");
    let low = report.take(&path.index(0), "bad_span", quantities::span(&low.0));
    let high = report.take(&path.index(1), "bad_span", quantities::span(&high.0));
    let (Some(low), Some(high)) = (low, high) else { return whole };
    if low >= high {
        let message = format!("no time is longer than {} and shorter than {}", show_span(low), show_span(high));
        let help = "write the shortest and the longest time that are no mistake, such as [\"1m\", \"4h\"]";
        report.value(&path, "out_of_range", message).suggest(help);
    }
    (seconds(low), seconds(high))
}

/// A length of time at a key of the table, where one is written.
fn span(key: &str, text: Option<&SpanText>, path: &Path, report: &mut Report<'_>) -> Option<Span> {
    report.take(&path.key(key), "bad_span", quantities::span(&text?.0))
}
