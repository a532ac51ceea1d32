//! Promise, corrector and calibration: what is declared over what is taken otherwise, held against the ranges of the rules themselves.

use domain::Span;

use super::span;
use crate::document::Path;
use crate::parameter::OutOfRange;
use crate::raw::{RawCalibration, RawCase, RawCorrector, RawPromise, SpanText};
use crate::report::Report;
use crate::resolved::{CalibrationRules, CorrectorRules, PromiseRules};

/// Reads the three tables. Promises are made without one as well; what is to be learned from outcomes has to be declared.
pub(super) fn rules(
    raw: &RawCase,
    path: &Path,
    longest: Option<Span>,
    report: &mut Report<'_>,
) -> (PromiseRules, Option<CorrectorRules>, Option<CalibrationRules>) {
    let promise = raw.promise.as_ref().map(|raw| promise(raw, &path.key("promise"), report)).unwrap_or_default();
    let corrector = raw.corrector.as_ref().map(|raw| corrector(raw, &path.key("corrector"), longest, report));
    let calibration = raw.calibration.as_ref().map(|raw| calibration(raw, &path.key("calibration"), report));
    (promise, corrector, calibration)
}

fn promise(raw: &RawPromise, path: &Path, report: &mut Report<'_>) -> PromiseRules {
    let usual = PromiseRules::default();
    let rules = PromiseRules {
        quantile: raw.quantile,
        later_cost: raw.later_cost.unwrap_or(usual.later_cost),
        earlier_cost: raw.earlier_cost.unwrap_or(usual.earlier_cost),
        round_to: span("round_to", raw.round_to.as_ref(), path, report).unwrap_or(usual.round_to),
        change_min: span("change_min", raw.change_min.as_ref(), path, report).unwrap_or(usual.change_min),
    };
    report_all(rules.faults(), path, report);
    rules
}

fn corrector(raw: &RawCorrector, path: &Path, longest: Option<Span>, report: &mut Report<'_>) -> CorrectorRules {
    let usual = CorrectorRules::default();
    let (least, most) = CorrectorRules::LONGEST_RANGE.into_inner();
    let rules = CorrectorRules {
        half_life: span("half_life", raw.half_life.as_ref(), path, report).unwrap_or(usual.half_life),
        strength: raw.strength.unwrap_or(usual.strength),
        adjustment_max: seconds("adjustment_max", raw.adjustment_max.as_ref(), path, report).unwrap_or(usual.adjustment_max),
        longest: longest.map_or(usual.longest, |longest| longest.clamp(least, most)),
        ..usual
    };
    report_all(rules.faults(), path, report);
    rules
}

fn calibration(raw: &RawCalibration, path: &Path, report: &mut Report<'_>) -> CalibrationRules {
    let usual = CalibrationRules::default();
    let rules = CalibrationRules {
        step_first: seconds("step_first", raw.step_first.as_ref(), path, report).unwrap_or(usual.step_first),
        step_last: seconds("step_last", raw.step_last.as_ref(), path, report).unwrap_or(usual.step_last),
        offset_max: seconds("offset_max", raw.offset_max.as_ref(), path, report).unwrap_or(usual.offset_max),
        strength: raw.strength.unwrap_or(usual.strength),
    };
    report_all(rules.faults(), path, report);
    rules
}

fn seconds(key: &str, text: Option<&SpanText>, path: &Path, report: &mut Report<'_>) -> Option<f64> {
    span(key, text, path, report).map(|span| span.0 as f64 / 1000.0)
}

/// Each fault at the key that it names; one of two keys together at the first of them that is written.
fn report_all(faults: Vec<OutOfRange>, path: &Path, report: &mut Report<'_>) {
    for fault in faults {
        let written = fault.name.split(" / ").map(|key| path.key(key)).find(|key| report.document().contains(key));
        report
            .value(&written.unwrap_or_else(|| path.clone()), "out_of_range", fault.to_string())
            .suggest("write a value in this range, or leave it out for the usual one");
    }
}
