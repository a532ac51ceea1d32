//! Points about what became of predictions, what that teaches, and what of it is applied.

use dataplane::{
    outcomes::{Counts, Errors, Learned},
    warehouse,
};
use scoring::LEVELS;

use super::{Gatherer, Points};
use crate::{
    host::{Hosted, Outcomes},
    telemetry::{declared::outcomes as declared, family::Value},
};

impl Gatherer {
    pub(super) fn outcomes(&self, points: &mut Points, hosted: &Hosted) {
        let Some(outcomes) = &hosted.outcomes else { return };
        joined(points, &hosted.id, outcomes);
        hosted.rows.iter().for_each(|rows| written(points, &hosted.id, &rows.watch.counts()));
        if !outcomes.learns() {
            return;
        }
        learned(points, &hosted.id, &outcomes.learned());
        let Some(tuning) = hosted.scorers.as_ref().map(|scorers| scorers.predictors().now().tuning().clone()) else { return };
        if let Some(as_of) = tuning.as_of() {
            let age_ms = self.host.clock().now().0.saturating_sub(as_of.0).max(0).unsigned_abs();
            points.add(&declared::TUNING_AGE, vec![hosted.id.clone()], Value::Float(self.seconds(age_ms)));
        }
        points.add(&declared::TUNING_SLOTS, vec![hosted.id.clone()], Value::Integer(tuning.len() as u64));
    }
}

fn joined(points: &mut Points, pipeline: &str, outcomes: &Outcomes) {
    let counts = outcomes.counts();
    let Counts { outcomes: labels, errors, contradictions, cohorts, late, unreadable, pending, lessons: _ } = &counts;
    let whole = [
        (&declared::PENDING, pending),
        (&declared::COHORTS, cohorts),
        (&declared::LATE, late),
        (&declared::CONTRADICTIONS, contradictions),
        (&declared::UNREADABLE, unreadable),
    ];
    whole.into_iter().for_each(|(declared, count)| points.add(declared, vec![pipeline.to_owned()], Value::Integer(*count)));
    for (label, count) in labels {
        points.add(&declared::OUTCOMES, vec![pipeline.to_owned(), label.name().to_owned()], Value::Integer(*count));
    }
    for (stage, errors) in errors {
        measured(points, [pipeline.to_owned(), outcomes.stage(*stage)], errors);
    }
}

fn measured(points: &mut Points, labels: [String; 2], errors: &Errors) {
    points.add(&declared::MEASURED, labels.to_vec(), Value::Integer(errors.count));
    points.add(&declared::ERROR, labels.to_vec(), Value::Float(errors.absolute_seconds));
    points.add(&declared::BIAS, labels.to_vec(), Value::Float(errors.seconds));
    points.add(&declared::BROKEN, labels.to_vec(), Value::Integer(errors.broken_promises));
    for (level, covered) in LEVELS.iter().zip(errors.covered) {
        let level = format!("p{:.0}", level * 100.0);
        points.add(&declared::COVERED, [&labels[..], &[level]].concat(), Value::Integer(covered));
    }
}

fn written(points: &mut Points, pipeline: &str, counts: &warehouse::Counts) {
    let whole = [
        (&declared::WAREHOUSE_WAITING, counts.waiting),
        (&declared::WAREHOUSE_FAILURES, counts.failures),
        (&declared::WAREHOUSE_REFUSED, counts.refused),
    ];
    whole.into_iter().for_each(|(declared, count)| points.add(declared, vec![pipeline.to_owned()], Value::Integer(count)));
    for (table, rows) in &counts.rows {
        points.add(&declared::WAREHOUSE_ROWS, vec![pipeline.to_owned(), table.name().to_owned()], Value::Integer(*rows));
    }
}

fn learned(points: &mut Points, pipeline: &str, learned: &Learned) {
    let whole = [
        (&declared::LESSONS, learned.lessons),
        (&declared::TOLD, learned.told),
        (&declared::OPEN, learned.open),
        (&declared::UNREADABLE, learned.unreadable),
        (&declared::RELEARNED, learned.relearned),
        (&declared::OVERSIZED, learned.oversized),
    ];
    whole.into_iter().for_each(|(declared, count)| points.add(declared, vec![pipeline.to_owned()], Value::Integer(count)));
}
