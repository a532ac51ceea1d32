//! The engine against the naive oracle: same refusals, same values to the last bit.

use std::sync::Arc;

use domain::{FeatureVector, NEVER, Timestamp, Value};
use features::{Config, Engine, Record};
use pipeline::Pipeline;
use testkit::{Decision, Mode, Oracle, OracleVector};

use crate::fixture::engine;

/// Timers that are followed one by one before time is let pass at once: a few show that they fire.
const TIMERS_MAX: usize = 4;

/// Gives both of them the payloads, one a second from `start`, in one batch, and looks at all entities at each instant, ascending
/// and after the last record. The pipeline's first source is the stream.
pub(crate) fn check(pipeline: &Arc<Pipeline>, payloads: &[&[u8]], start: Timestamp, instants: &[Timestamp]) {
    let append_at = |place: usize| Timestamp(start.0 + 1000 * place as i64);
    let records = payloads.iter().enumerate();
    let records =
        records.map(|(place, payload)| testkit::Record { source: 0, append_at: append_at(place), payload: payload.to_vec() });
    let partitions = [records.collect::<Vec<testkit::Record>>()];
    let oracle = Oracle::new(pipeline);
    let history = oracle.history(&partitions);

    let mut engine = engine(pipeline, Config::default());
    let records = payloads.iter().enumerate();
    let records =
        records.map(|(place, payload)| Record { source: 0, offset: place as u64, append_at: append_at(place), payload });
    let records: Vec<Record<'_>> = records.collect();
    let out = engine.ingest(&records, append_at(payloads.len()));
    let decisions = history.decisions().swap_remove(0).into_iter().enumerate();
    let expected = decisions.filter_map(|(place, decision)| match decision {
        Decision::Refused(reason) => Some((place as u64, reason)),
        Decision::Accepted => None,
    });
    let refused: Vec<(u64, &str)> = out.refused.iter().map(|refused| (refused.offset, refused.reason.code())).collect();
    let shown = || payloads.iter().map(|payload| payload.escape_ascii().to_string()).collect::<Vec<String>>().join("\n");
    assert_eq!(refused, expected.collect::<Vec<(u64, &str)>>(), "reasons of the engine and of the oracle: {}", shown());
    assert_eq!(out.dropped, [], "nothing of an accepted record is dropped: {}", shown());
    for instant in instants {
        pass_until(&mut engine, *instant);
        let expected = history.vectors(*instant, Mode::Available);
        for ((group, key), expected) in &expected {
            let place = format!("{} {key} at {instant}", pipeline.groups[*group].name);
            compare(&place, pipeline, engine.vector(*group, key), expected);
        }
        for group in 0..pipeline.groups.len() {
            let unknown = engine.keys(group).find(|key| !expected.contains_key(&(group, (*key).to_owned())));
            assert_eq!(unknown, None, "the oracle does not know this entity of group {group} at {instant}");
        }
    }
}

/// Lets time pass from timer to timer.
pub(crate) fn pass_until(engine: &mut Engine, instant: Timestamp) {
    let mut next = engine.tick(engine.clock()).next_timer;
    for _ in 0..TIMERS_MAX {
        match next.filter(|next| *next < instant) {
            Some(timer) => next = engine.tick(timer).next_timer,
            None => break,
        }
    }
    engine.tick(instant);
}

fn compare(place: &str, pipeline: &Pipeline, found: Option<FeatureVector>, expected: &OracleVector) {
    let Some(found) = found else {
        // An entity whose values are all null or zero and stay so is as good as none.
        let nothing = expected.valid_until == NEVER && expected.values.iter().flatten().all(is_zero);
        assert!(expected.forgotten || nothing, "{place}: the engine forgot what the oracle knows: {expected:?}");
        return;
    };
    let same = found.values.len() == expected.values.len()
        && found.values.iter().zip(&expected.values).all(|(one, other)| bits(one.as_ref()) == bits(other.as_ref()));
    let names = || pipeline.groups.iter().flat_map(|group| group.columns()).map(|column| column.name).collect::<Vec<String>>();
    assert!(same, "{place}: engine {:?}, oracle {:?}, columns of all groups {:?}", found.values, expected.values, names());
    assert_eq!((found.as_of, found.valid_until), (expected.as_of, expected.valid_until), "{place}: as of, valid until");
}

fn is_zero(value: &Value) -> bool {
    *value == Value::Integer(0) || *value == Value::Float(0.0)
}

/// A value as bits, so that equal is equal to the last of them.
fn bits(value: Option<&Value>) -> Option<(bool, u64)> {
    value.map(|value| match value {
        Value::Float(number) => (true, number.to_bits()),
        Value::Integer(number) => (false, number.cast_unsigned()),
    })
}
