//! Triggers: at which stages and how often a prediction is made.

use domain::Span;

use super::moves::Moves;
use super::span;
use crate::document::Path;
use crate::quantities::show_span;
use crate::raw::RawTriggers;
use crate::report::Report;
use crate::resolved::Triggers;
use crate::suggestion::did_you_mean;

/// Every open case is predicted anew each time, and nothing that people look at changes faster.
const EVERY_MIN: Span = Span(10_000);

/// Reads the triggers; every stage but the last where none are written.
pub(super) fn triggers(
    raw: Option<&RawTriggers>,
    path: &Path,
    moves: &Moves,
    longest: Option<Span>,
    report: &mut Report<'_>,
) -> Triggers {
    let all = Triggers { stages: (0..moves.stage_names.len().saturating_sub(1)).collect(), every: None };
    let Some(raw) = raw else { return all };
    let every = span("every", raw.every.as_ref(), path, report);
    if let Some(every) = every {
        check_every(every, longest, path, report);
    }
    let stages = match &raw.stages {
        Some(names) => stages(names, &path.key("stages"), moves, report),
        None => all.stages,
    };
    if raw.stages.as_ref().is_some_and(Vec::is_empty) && !report.is_written(&path.key("every")) {
        let message = "nothing makes a prediction";
        report.value(&path.key("stages"), "missing_key", message).suggest("name a stage, or write every = \"2m\"");
    }
    Triggers { stages, every }
}

fn check_every(every: Span, longest: Option<Span>, path: &Path, report: &mut Report<'_>) {
    let path = path.key("every");
    if every < EVERY_MIN {
        let message = format!("`every` is {}, and the shortest is {}", show_span(every), show_span(EVERY_MIN));
        report
            .value(&path, "out_of_range", message)
            .suggest("write \"1m\" or \"2m\": a prediction moves no faster than its features");
    } else if let Some(longest) = longest.filter(|longest| every > *longest) {
        let message = format!("`every` is {}, and no case lasts longer than {}", show_span(every), show_span(longest));
        report.value(&path, "out_of_range", message).suggest("write a shorter time, or leave it out");
    }
}

fn stages(names: &[String], path: &Path, moves: &Moves, report: &mut Report<'_>) -> Vec<usize> {
    let mut stages = Vec::new();
    for (place, name) in names.iter().enumerate() {
        let path = path.index(place);
        let Some(stage) = moves.stage_names.iter().position(|known| known == name) else {
            let help = did_you_mean(name, moves.stage_names.iter().map(String::as_str));
            report.value(&path, "unknown_stage", format!("there is no stage `{name}`")).suggest_maybe(help);
            continue;
        };
        if stage + 1 == moves.stage_names.len() {
            let message = format!("when `{name}` comes nothing is left to predict: it is the last stage");
            report.value(&path, "out_of_range", message).suggest("remove it");
        } else if stages.contains(&stage) {
            report.value(&path, "duplicate_name", format!("`{name}` is listed twice")).suggest("remove one of the two");
        } else {
            stages.push(stage);
        }
    }
    stages
}
