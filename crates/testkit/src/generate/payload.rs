//! One payload: a member for each declared field, and some that are not declared. Knows nothing of clocks.

use pipeline::{FieldKind, Pipeline, SourceKind};

use super::dice::Dice;
use super::hints::Hints;
use super::stream::Stream;
use super::value;

/// Members that no pipeline declares, to be skipped by whoever reads them.
const UNDECLARED: [&str; 4] = ["\"~x\": null", "\"~x\": [1, {\"~y\": \"}\"}]", "\"~x\": 1e999", "\"~x\": \"\\u00e9\\\"\""];

/// Who an event is: the texts of its identity.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) source: String,
    pub(crate) id: String,
}

/// A payload of a stream with this identity and event time.
///
/// # Panics
/// When the source is no stream: records are generated for streams only.
pub(crate) fn payload(
    pipeline: &Pipeline,
    source: usize,
    hints: &Hints,
    knobs: &Stream,
    identity: &Identity,
    event_time: i64,
    dice: &mut Dice,
) -> Vec<u8> {
    let source = &pipeline.sources[source];
    let SourceKind::Stream(stream) = &source.kind else {
        panic!("source {} is no stream: generate records of streams only", source.name);
    };
    let mut members = Vec::new();
    for (index, field) in source.fields.iter().enumerate() {
        if matches!(field.kind, FieldKind::Cell { .. }) {
            continue;
        }
        let needed = field.required || [stream.key, stream.time, stream.identity_id, stream.identity_source].contains(&index);
        let written = if dice.chance(knobs.extreme_share) {
            value::extreme(field, dice)
        } else if !needed && dice.chance(knobs.null_share) {
            if dice.chance(0.5) {
                continue;
            }
            "null".into()
        } else if index == stream.time {
            value::time(event_time, dice)
        } else if index == stream.identity_source {
            value::text(&identity.source, dice)
        } else if index == stream.identity_id {
            value::text(&identity.id, dice)
        } else {
            value::ordinary(field, index, hints, knobs, event_time, dice)
        };
        members.push(format!("{}:{}{written}", value::text(&field.name, dice), dice.pick(&["", " ", "\t"])));
    }
    if dice.chance(0.1) {
        members.push((*dice.pick(&UNDECLARED)).into());
    }
    dice.shuffle(&mut members);
    format!("{{{}}}", members.join(dice.pick::<&str>(&[",", ", ", "\n,"]))).into_bytes()
}
