//! An absence as a role sees it: when to call, what is raised, what is taken back, and after a restart the same.

use std::sync::Arc;

use domain::{Span, Timestamp};
use features::{AbsenceChange, Config, Engine, Record, SnapshotKind};
use testkit::pipelines::absences;

/// 2026-11-20T12:00:00Z, far from any deadline of the fixture.
const START: Timestamp = Timestamp(1_795_176_000_000);
const MINUTE: Span = Span(60_000);
/// Source 1 of the fixture: more than two minutes without a report.
const QUIET: usize = 1;

fn engine() -> Engine {
    Engine::new(Arc::new(absences()), Config::default()).expect("a fixture without faults")
}

/// Gives one report, and returns what changed with the next timer. Minutes count from the start.
fn report(engine: &mut Engine, minute: i64, append_minute: i64) -> (Vec<(i64, bool)>, Option<Timestamp>) {
    let at = START.plus(Span(minute * MINUTE.0));
    let append_at = START.plus(Span(append_minute * MINUTE.0));
    let payload = format!(r#"{{"source":"s","id":"e{minute}","device":"d","type":"check","area":"a","at":{}}}"#, at.0);
    let record = Record { source: 0, offset: 0, append_at, payload: payload.as_bytes() };
    let out = engine.ingest(&[record], append_at.plus(Span(1)));
    assert_eq!(out.refused, []);
    (changes(&out.absences), out.next_timer)
}

/// Minutes since the start at which something was due, and whether it was raised.
fn changes(absences: &[AbsenceChange]) -> Vec<(i64, bool)> {
    let of_source = absences.iter().filter(|change| change.source == QUIET);
    of_source.map(|change| ((change.due.0 - START.0) / MINUTE.0, change.raised)).collect()
}

fn restored(engine: &mut Engine) -> Engine {
    let mut bytes = Vec::new();
    engine.begin_snapshot(SnapshotKind::Full);
    while engine.write_snapshot(100, &mut bytes) {}
    Engine::restore(Arc::new(absences()), Config::default(), &[&bytes]).expect("a snapshot as it was made")
}

#[test]
fn a_tick_at_the_timer_raises_and_a_late_report_takes_back() {
    let mut engine = engine();
    let (none, timer) = report(&mut engine, 0, 0);
    let due_visible_at = START.plus(Span(2 * MINUTE.0 + 1));
    assert_eq!((none, timer), (vec![], Some(due_visible_at)));
    let mut engine = restored(&mut engine);
    assert_eq!(changes(&engine.tick(START.plus(Span(2 * MINUTE.0))).absences), []);
    let out = engine.tick(due_visible_at);
    assert_eq!(changes(&out.absences), [(2, true)]);
    assert_eq!(out.absences[0].since, START);
    // What was raised before a restart is not raised after it, but can be taken back.
    let mut engine = restored(&mut engine);
    assert_eq!(changes(&engine.tick(START.plus(Span(3 * MINUTE.0))).absences), []);
    assert_eq!(report(&mut engine, 1, 4).0, [(2, false), (3, true)]);
    assert_eq!(report(&mut engine, 3, 4).0, [(3, false)]);
}

#[test]
fn what_an_event_of_the_same_step_disproves_is_never_raised() {
    let mut engine = engine();
    report(&mut engine, 0, 0);
    assert_eq!(report(&mut engine, 2, 3).0, []);
}
