//! The generators: the same seed gives the same bytes, and what they make is worth feeding on.

use std::collections::BTreeSet;

use domain::{Span, Timestamp, Value};
use pipeline::Pipeline;
use testkit::generate::{Stream, partition, permute_within_lateness, records};
use testkit::pipelines::{every_aggregator, minimal, orders};
use testkit::{Decision, Mode, Oracle, Record};

fn fixtures() -> [Pipeline; 3] {
    [minimal(), every_aggregator(), orders()]
}

fn last(records: &[Record]) -> Timestamp {
    records.iter().map(|record| record.append_at).max().expect("there are records")
}

#[test]
fn a_seed_gives_the_same_records_every_time() {
    for pipeline in fixtures() {
        let first = records(&pipeline, &Stream::default(), 7);
        assert_eq!(first, records(&pipeline, &Stream::default(), 7));
        assert_ne!(first, records(&pipeline, &Stream::default(), 8));
        assert_eq!(first.len(), Stream::default().events);
        assert!(first.is_sorted_by_key(|record| record.append_at), "append times never fall");
        assert_eq!(permute_within_lateness(&pipeline, &first, 1), permute_within_lateness(&pipeline, &first, 1));
        assert_ne!(permute_within_lateness(&pipeline, &first, 1), permute_within_lateness(&pipeline, &first, 2));
        assert_eq!(partition(&pipeline, &first, 3, 0.1), partition(&pipeline, &first, 3, 0.1));
    }
}

#[test]
fn every_reason_for_a_refusal_turns_up() {
    let pipeline = every_aggregator();
    let knobs = Stream { malformed_share: 0.3, extreme_share: 0.02, ..Stream::default() };
    let mut reasons = BTreeSet::new();
    for seed in 0..12 {
        let decisions = Oracle::new(&pipeline).decide(&[records(&pipeline, &knobs, seed)]);
        reasons.extend(decisions.iter().flatten().filter_map(|decision| match decision {
            Decision::Accepted => None,
            Decision::Refused(reason) => Some(*reason),
        }));
    }
    let expected = [
        "too_large",
        "not_utf8",
        "malformed",
        "missing_field",
        "wrong_type",
        "off_step",
        "out_of_range",
        "future",
        "late",
        "duplicate",
    ];
    assert_eq!(reasons, BTreeSet::from(expected));
}

#[test]
fn a_calm_stream_is_accepted_as_a_whole() {
    for pipeline in fixtures() {
        let records = records(&pipeline, &Stream::calm(), 3);
        let decisions = Oracle::new(&pipeline).decide(&[records]).remove(0);
        assert_eq!(decisions, vec![Decision::Accepted; Stream::calm().events]);
    }
}

#[test]
fn every_column_comes_to_life() {
    for pipeline in fixtures() {
        let records = vec![records(&pipeline, &Stream { events: 1200, ..Stream::default() }, 5)];
        let oracle = Oracle::new(&pipeline);
        let history = oracle.history(&records);
        let mut alive: BTreeSet<(usize, usize)> = BTreeSet::new();
        for ago in 0..10 {
            let at = Timestamp(last(&records[0]).0 - ago * 10_000);
            for ((group, _), vector) in history.vectors(at, Mode::Available) {
                let dead = [None, Some(Value::Float(0.0)), Some(Value::Integer(0))];
                let columns = vector.values.iter().enumerate().filter(|(_, value)| !dead.contains(value));
                alive.extend(columns.map(|(column, _)| (group, column)));
            }
        }
        for (index, group) in pipeline.groups.iter().enumerate().filter(|(_, group)| pipeline.base_of(group.source).is_some()) {
            for (place, column) in group.columns().iter().enumerate() {
                // Only overflows need more different values than these streams have.
                let expected = !column.name.ends_with("_overflow");
                assert_eq!(alive.contains(&(index, place)), expected, "column {} of {}", column.name, group.name);
            }
        }
    }
}

#[test]
fn another_arrival_keeps_every_event_and_every_value() {
    for pipeline in fixtures() {
        for seed in 0..12 {
            // From ten minutes, within the dedup's horizon, to an hour, in which identities are accepted a second time.
            let span = Span(600_000 * (1 + seed as i64 % 6));
            let original = records(&pipeline, &Stream { events: 250, span, ..Stream::default() }, seed);
            let permuted = permute_within_lateness(&pipeline, &original, seed + 100);
            assert_ne!(original, permuted);
            check_same_values(&pipeline, original, permuted);
        }
    }
}

#[track_caller]
fn check_same_values(pipeline: &Pipeline, original: Vec<Record>, permuted: Vec<Record>) {
    let oracle = Oracle::new(pipeline);
    let at = last(&original);
    let (original, permuted) = (vec![original], vec![permuted]);
    let accepted = |partitions: &[Vec<Record>]| {
        let decisions = oracle.decide(partitions).remove(0);
        let accepted = decisions.iter().zip(&partitions[0]).filter(|(decision, _)| **decision == Decision::Accepted);
        let mut payloads = accepted.map(|(_, record)| record.payload.clone()).collect::<Vec<_>>();
        payloads.sort();
        payloads
    };
    assert_eq!(accepted(&original), accepted(&permuted));
    for at in [at.0 - 400_000, at.0, at.0 + 1, at.0 + 400_000].map(Timestamp) {
        assert_eq!(oracle.vectors(&original, at, Mode::Complete), oracle.vectors(&permuted, at, Mode::Complete));
    }
    // Once everything has arrived, both modes know the same.
    let afterwards = Timestamp(at.0 + 1);
    assert_eq!(oracle.vectors(&original, afterwards, Mode::Complete), oracle.vectors(&original, afterwards, Mode::Available));
}

#[test]
fn partitions_hold_all_records_and_mostly_keep_keys_together() {
    let pipeline = minimal();
    let original = records(&pipeline, &Stream { keys: 60, ..Stream::calm() }, 2);
    let count = |partitions: &[Vec<Record>]| partitions.iter().map(Vec::len).sum::<usize>();
    let stores = |misplaced: f64| {
        let partitions = partition(&pipeline, &original, 4, misplaced);
        assert_eq!((partitions.len(), count(&partitions)), (4, original.len()));
        assert!(partitions.iter().all(|records| records.is_sorted_by_key(|record| record.append_at)));
        let oracle = Oracle::new(&pipeline);
        let entities = |part: &[Vec<Record>]| oracle.vectors(part, last(&original), Mode::Complete).len();
        (partitions.iter().map(|records| entities(std::slice::from_ref(records))).sum::<usize>(), entities(&partitions))
    };
    let (apart, together) = stores(0.0);
    assert_eq!(apart, together, "a key without misplaced events lives in one partition");
    let (apart, together) = stores(0.2);
    assert!(apart > together, "some key with misplaced events lives in two partitions");
}
