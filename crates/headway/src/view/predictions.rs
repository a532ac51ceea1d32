//! The cases under way as a person wants to see them: when each is expected, what was promised, and who says so.

use dataplane::scorer::Prediction;
use domain::{Span, Timestamp};
use pipeline::Case;

use crate::{
    host::{Host, Hosted},
    view::{
        frame::{Cell, Condition, Outcomes, Panel, Predictions, Row},
        text,
    },
};

/// What is said of a case, in this order.
const COLUMNS: [&str; 5] = ["stage", "left", "arrives", "promise", "says"];
/// Why a prediction that the model made is not of what is so now.
const SILENT: &str = "silent";
const OUTDATED: [&str; 3] = ["outdated", "unreadable", "remembered"];

/// The figures of all pipelines that predict; none when there are none.
pub(super) fn figures(host: &Host) -> Option<Predictions> {
    let hosted = host.hosted();
    let case = hosted.iter().find_map(|hosted| hosted.scorers.as_ref()?.plan.pipeline.case.as_ref())?;
    let counts = host.predictions()?;
    let lost = counts.ended.get("lost").copied().unwrap_or_default();
    Some(Predictions { entity: case.entity.clone(), made: counts.predictions, open: counts.open, lost })
}

/// How predictions came out, of all pipelines.
pub(super) fn outcomes(host: &Host) -> Option<Outcomes> {
    let errors = host.outcomes()?.errors();
    let count = errors.count as f64;
    (errors.count > 0).then(|| Outcomes {
        error_minutes: errors.absolute_seconds / 60.0 / count,
        bias_minutes: errors.seconds / 60.0 / count,
        late_percent: errors.broken_promises as f64 * 100.0 / count,
    })
}

/// One for each pipeline that predicts, with as many cases as there is room for.
pub(super) fn panels(host: &Host, rows_max: usize) -> Vec<Panel> {
    let hosted = host.hosted();
    hosted.iter().filter_map(|one| panel(one, hosted.len() > 1, host.clock().now(), rows_max)).collect()
}

fn panel(hosted: &Hosted, is_one_of_several: bool, now: Timestamp, rows_max: usize) -> Option<Panel> {
    let scorers = hosted.scorers.as_ref()?;
    let case = scorers.plan.pipeline.case.as_ref()?;
    let count = usize::try_from(scorers.watch.counts().open).unwrap_or(usize::MAX);
    let entity = if is_one_of_several { format!("{} {}", hosted.id, case.entity) } else { case.entity.clone() };
    Some(Panel {
        entity,
        count,
        more: false,
        order: "predicted last".to_owned(),
        columns: COLUMNS.map(str::to_owned).into(),
        rows: scorers.watch.newest(rows_max).iter().map(|prediction| row(case, prediction, now)).collect(),
    })
}

fn row(case: &Case, prediction: &Prediction, now: Timestamp) -> Row {
    let condition = match prediction.degraded.as_deref() {
        Some(SILENT) => Condition::Silent,
        Some(reason) if OUTDATED.contains(&reason) => Condition::Outdated,
        _ => Condition::Good,
    };
    let says = match (&prediction.degraded, &prediction.model) {
        (Some(fallback), _) if condition == Condition::Good => fallback,
        (_, Some(model)) => &model.name,
        (_, None) => "",
    };
    let stage = prediction.stage.map_or("", |stage| &case.stages[stage].name);
    let arrives_at = prediction.arrives_at();
    let texts = [
        stage.to_owned(),
        text::minutes(Span(arrives_at.0.saturating_sub(now.0))),
        text::time_of_day(arrives_at),
        text::time_of_day(prediction.promise_at),
        says.to_owned(),
    ];
    let cell = |(place, text): (usize, String)| {
        // Whoever reads a time should see beside it what to think of it.
        let condition = if place == 2 { condition } else { Condition::Good };
        Cell { text, condition }
    };
    Row {
        key: prediction.key.clone(),
        cells: texts.into_iter().enumerate().map(cell).collect(),
        age: Some(Span(now.0.saturating_sub(prediction.at.0))),
    }
}
