//! Metrics of what became of predictions, of what that teaches, and of both as rows.

use super::{Declared, Kind, PIPELINE, SCORER_PLACE, metric};

const STAGE: &[&str] = &["pipeline", "stage"];

pub(in crate::telemetry) static LAG_RECORDS: Declared = metric(
    "headway.outcomes.lag.records",
    "{record}",
    Kind::Gauge,
    SCORER_PLACE,
    "Records in the log that the outcomes role has not committed yet: predictions and cases that are not joined, and lessons that are \
     not learned. Lessons are committed when what was learned is told, every ten seconds.",
);
pub(in crate::telemetry) static LAG_TIME: Declared = metric(
    "headway.outcomes.lag.time",
    "s",
    Kind::Gauge,
    SCORER_PLACE,
    "For how long the oldest of them has been in the log; 0 when there is none.",
);
pub(in crate::telemetry) static OUTCOMES: Declared = metric(
    "headway.outcomes",
    "{outcome}",
    Kind::Counter,
    &["pipeline", "label"],
    "Outcomes of predictions by what they are worth: `taken`, `censored`, `out_of_range`, `contradiction` or `unfollowed`.",
);
pub(in crate::telemetry) static PENDING: Declared = metric(
    "headway.outcomes.pending",
    "{prediction}",
    Kind::Gauge,
    PIPELINE,
    "Predictions that wait for their outcome in the partitions of this process.",
);
pub(in crate::telemetry) static COHORTS: Declared = metric(
    "headway.outcomes.cohorts",
    "{cohort}",
    Kind::Counter,
    PIPELINE,
    "Hours of predictions that were closed, one for each partition.",
);
pub(in crate::telemetry) static LATE: Declared = metric(
    "headway.outcomes.late",
    "{prediction}",
    Kind::Counter,
    PIPELINE,
    "Predictions that came when their hour was closed already, and are in no cohort.",
);
pub(in crate::telemetry) static CONTRADICTIONS: Declared = metric(
    "headway.outcomes.contradictions",
    "{case}",
    Kind::Counter,
    PIPELINE,
    "Cases of which another end was told after their outcomes were written.",
);
pub(in crate::telemetry) static UNREADABLE: Declared = metric(
    "headway.outcomes.refused",
    "{record}",
    Kind::Counter,
    PIPELINE,
    "Records that are no prediction, no case or no lesson. Anything but 0 is a fault, or a case that was declared anew.",
);
pub(in crate::telemetry) static MEASURED: Declared = metric(
    "headway.outcomes.measured",
    "{outcome}",
    Kind::Counter,
    STAGE,
    "Outcomes that say how long it really took, by the stage of the prediction.",
);
pub(in crate::telemetry) static ERROR: Declared = metric(
    "headway.outcomes.error",
    "s",
    Kind::Counter,
    STAGE,
    "By how much those differ from the median that was served, added up without their sign.",
);
pub(in crate::telemetry) static BIAS: Declared = metric(
    "headway.outcomes.bias",
    "s",
    Kind::Gauge,
    STAGE,
    "The same added up with their sign, since the start: it rises while cases take longer than predicted.",
);
pub(in crate::telemetry) static COVERED: Declared = metric(
    "headway.outcomes.covered",
    "{outcome}",
    Kind::Counter,
    &["pipeline", "stage", "level"],
    "How many of them took no longer than this quantile.",
);
pub(in crate::telemetry) static BROKEN: Declared =
    metric("headway.outcomes.promises.broken", "{outcome}", Kind::Counter, STAGE, "How many of them came later than promised.");
pub(in crate::telemetry) static LESSONS: Declared = metric(
    "headway.learner.lessons",
    "{lesson}",
    Kind::Counter,
    PIPELINE,
    "What this process has learned from. In one of the processes that share a pipeline it grows.",
);
pub(in crate::telemetry) static TOLD: Declared = metric(
    "headway.learner.told",
    "{record}",
    Kind::Counter,
    PIPELINE,
    "How often what was learned was told to those that predict.",
);
pub(in crate::telemetry) static OPEN: Declared = metric(
    "headway.learner.open",
    "{case}",
    Kind::Gauge,
    PIPELINE,
    "Cases that the corrector follows, counted once for each slot.",
);
pub(in crate::telemetry) static RELEARNED: Declared = metric(
    "headway.learner.relearned",
    "{time}",
    Kind::Counter,
    PIPELINE,
    "How often what was learned before had to be learned again, because it was missing or damaged.",
);
pub(in crate::telemetry) static OVERSIZED: Declared = metric(
    "headway.learner.oversized",
    "{record}",
    Kind::Counter,
    PIPELINE,
    "How often what was learned was not told because it does not fit into a record. Anything but 0 asks for fewer areas.",
);
pub(in crate::telemetry) static TUNING_AGE: Declared = metric(
    "headway.tuning.age",
    "s",
    Kind::Gauge,
    PIPELINE,
    "How old what this process applies of outcomes is. Told once there is something; the corrector is left out beyond its half-life.",
);
pub(in crate::telemetry) static TUNING_SLOTS: Declared =
    metric("headway.tuning.slots", "{slot}", Kind::Gauge, PIPELINE, "Of how many speakers and stages it says something.");
pub(in crate::telemetry) static MOVED: Declared = metric(
    "headway.predictions.moved",
    "s",
    Kind::Counter,
    PIPELINE,
    "By how much corrector and calibration have moved the medians of predictions, added up without their sign.",
);
pub(in crate::telemetry) static WAREHOUSE_ROWS: Declared = metric(
    "headway.warehouse.rows",
    "{row}",
    Kind::Counter,
    &["pipeline", "table"],
    "Rows that were written to the warehouse and committed.",
);
pub(in crate::telemetry) static WAREHOUSE_WAITING: Declared = metric(
    "headway.warehouse.waiting",
    "{row}",
    Kind::Gauge,
    PIPELINE,
    "Rows that are taken and not written yet; at most some ten thousand for each partition, the others wait in the log.",
);
pub(in crate::telemetry) static WAREHOUSE_FAILURES: Declared = metric(
    "headway.warehouse.failures",
    "{failure}",
    Kind::Counter,
    PIPELINE,
    "Attempts to write rows that failed and are made again.",
);
pub(in crate::telemetry) static WAREHOUSE_REFUSED: Declared = metric(
    "headway.warehouse.refused",
    "{record}",
    Kind::Counter,
    PIPELINE,
    "Records that have no row. Anything but 0 is a fault.",
);
pub(in crate::telemetry) static WAREHOUSE_LAG_RECORDS: Declared = metric(
    "headway.warehouse.lag.records",
    "{record}",
    Kind::Gauge,
    SCORER_PLACE,
    "Records in the log that are not in the warehouse yet. Rows are gathered for five seconds.",
);
pub(in crate::telemetry) static WAREHOUSE_LAG_TIME: Declared = metric(
    "headway.warehouse.lag.time",
    "s",
    Kind::Gauge,
    SCORER_PLACE,
    "For how long the oldest of them has been in the log; 0 when there is none.",
);

/// All of them, in the order in which they are told.
pub(super) static ALL: [&Declared; 27] = [
    &MOVED,
    &LAG_RECORDS,
    &LAG_TIME,
    &OUTCOMES,
    &PENDING,
    &COHORTS,
    &LATE,
    &CONTRADICTIONS,
    &UNREADABLE,
    &MEASURED,
    &ERROR,
    &BIAS,
    &COVERED,
    &BROKEN,
    &LESSONS,
    &TOLD,
    &OPEN,
    &RELEARNED,
    &OVERSIZED,
    &TUNING_AGE,
    &TUNING_SLOTS,
    &WAREHOUSE_ROWS,
    &WAREHOUSE_WAITING,
    &WAREHOUSE_FAILURES,
    &WAREHOUSE_REFUSED,
    &WAREHOUSE_LAG_RECORDS,
    &WAREHOUSE_LAG_TIME,
];
