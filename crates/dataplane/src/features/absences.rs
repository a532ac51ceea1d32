//! Absences as events: one when something did not come, and a retraction when a late record shows that it had.

use bytes::Bytes;
use features::AbsenceChange;
use pipeline::SourceKind;
use ports::Outgoing;

use super::Plan;
use crate::json::quoted;

/// The event of a change; none for an absence that is only counted.
pub(super) fn event(plan: &Plan, partition: u32, change: &AbsenceChange) -> Option<Outgoing> {
    let source = &plan.pipeline.sources[change.source];
    let SourceKind::Absence(declared) = &source.kind else { return None };
    let topic = plan.topics.input(declared.topic.as_ref()?).into();
    let kind = if change.raised { "absence.raised" } else { "absence.retracted" };
    // Both have the same id, so that a consumer knows what is taken back.
    let id = format!("{}:{}:{}:{:032x}", source.name, change.key, change.due.0, change.identity);
    let value = format!(
        r#"{{"type":"{kind}","id":{},"source":{},"key":{},"since":"{}","due":"{}"}}"#,
        quoted(&id),
        quoted(&source.name),
        quoted(&change.key),
        change.since,
        change.due,
    );
    let key = Bytes::copy_from_slice(change.key.as_bytes());
    Some(Outgoing { topic, partition, key, value: Bytes::from(value), headers: Vec::new() })
}
