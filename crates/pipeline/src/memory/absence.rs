//! What the keys of an absence may take: their number, and the events between which a late one could still come.

use super::ROW_BYTES;
use crate::resolved::{Absence, AbsenceRule, Pipeline, SourceKind, Zone};

/// Bytes of a key beside its events: the key, its timers and its place in the index.
const KEY_BYTES: u64 = 128;
/// Bytes of an event of which only time and identity are kept.
const EVENT_BYTES: u64 = 48;
/// The last event, and the one before everything that may still come.
const ENDS: u64 = 2;
const DAY_MS: u64 = 86_400_000;

/// Bytes, and how they were worked out.
pub(super) fn absence(pipeline: &Pipeline, absence: &Absence) -> (u64, String) {
    let (reach_ms, peak) = match &pipeline.sources[absence.from].kind {
        SourceKind::Stream(stream) => (stream.lateness.0.saturating_add(stream.skew.0).unsigned_abs(), stream.peak_per_second),
        _ => (0, 0),
    };
    // Of the events between two instants at which something begins or is due, the first and the last are kept.
    let stretches = match absence.rule {
        AbsenceRule::Within { span, .. } => reach_ms.div_ceil(span.0.unsigned_abs().max(1)),
        AbsenceRule::By { .. } => 2 * (reach_ms.div_ceil(DAY_MS) + 1),
    };
    let rows = ENDS + 2 * stretches;
    let keys = absence.entities_max;
    let bytes = rows.saturating_mul(ROW_BYTES).saturating_add(KEY_BYTES).saturating_mul(keys);
    let arithmetic = format!("{keys} keys × ({KEY_BYTES} + {rows} rows × {ROW_BYTES} B)");
    match (&absence.rule, &absence.zone) {
        // Any of them may turn out to be in another zone than the one before, so none can stand for another.
        (AbsenceRule::By { .. }, Zone::Field(_)) => {
            let seconds = reach_ms.div_ceil(1_000);
            let events = peak.saturating_mul(seconds).saturating_mul(EVENT_BYTES);
            (bytes.saturating_add(events), format!("{arithmetic} + {peak}/s × {seconds} s × {EVENT_BYTES} B"))
        }
        _ => (bytes, arithmetic),
    }
}
