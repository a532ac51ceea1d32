//! What came of a run, for programs and for people. Never prints.

use serde_json::{Value, json};

use crate::{
    host::Status,
    table::{bytes, grouped},
    view::figures::real_ms,
};

/// How long it ran, and how fast its clock went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    pub(super) seconds: f64,
    pub(super) speed: f64,
}

impl Summary {
    /// One object.
    pub(crate) fn object(&self, status: &Status, clean: bool) -> Value {
        let counts = &status.counts;
        let mut object = json!({
            "seconds": self.seconds,
            "records": counts.records,
            "events_per_second": counts.records as f64 / self.seconds,
            "freshness_p50_ms": real_ms(counts.freshness.quantile(0.5), self.speed),
            "freshness_p99_ms": real_ms(counts.freshness.quantile(0.99), self.speed),
            "lag_records": status.lag_records,
            "entities": counts.entities,
            "vectors": counts.vectors,
            "refused": counts.refused,
            "commits": counts.commits,
            "snapshots": counts.snapshots,
            "rebuilds": counts.rebuilds,
            "replayed": counts.replayed,
            "peak_rss_bytes": workbench::peak_memory_bytes(),
            "stopped_cleanly": clean,
        });
        if let Some(predictions) = &status.predictions {
            object["predictions"] = json!(predictions.predictions);
            object["degraded"] = json!(predictions.degraded);
            object["cases_ended"] = json!(predictions.ended);
            object["cases_open"] = json!(predictions.open);
        }
        if let Some(outcomes) = &status.outcomes {
            let labels = outcomes.outcomes.iter().map(|(label, count)| (label.name().to_owned(), json!(count)));
            object["outcomes"] = Value::Object(labels.collect());
            object["outcomes_pending"] = json!(outcomes.pending);
        }
        object
    }

    /// Two sentences; `what` is what happened to the run.
    pub(crate) fn words(&self, what: &str, status: &Status, clean: bool) -> String {
        let counts = &status.counts;
        let how = if clean {
            "Everything that was taken is committed."
        } else {
            "Stopped in the middle of a step; the next start goes on from the last commit."
        };
        let said = status.predictions.as_ref();
        let said = said.map_or(String::new(), |said| format!("{} predictions made, ", grouped(said.predictions)));
        format!(
            "{what} after {:.1} s: {} records taken, {} vectors written, {said}{} entities live, {} of memory at most. {how}",
            self.seconds,
            grouped(counts.records),
            grouped(counts.vectors),
            grouped(counts.entities),
            bytes(workbench::peak_memory_bytes())
        )
    }
}
