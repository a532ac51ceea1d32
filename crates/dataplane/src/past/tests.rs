//! Windows against logs that begin too late.

use domain::{Span, Timestamp};
use testkit::pipelines;

use super::*;
use crate::Topics;

/// Five minutes of window, a hop of 10 s, 10 min of lateness and 30 s of skew.
const BACK: Span = Span(15 * 60_000 + 40_000);
const NOW: Timestamp = Timestamp(1_760_000_000_000);

fn check(begins: Option<Timestamp>, until: Option<Timestamp>) {
    let pipeline = pipelines::minimal();
    let found = incomplete(&pipeline, &Topics::new(&pipeline), |_| begins.map(|at| Beginning { at, cut: true }), NOW);
    assert_eq!(found.first().map(|group| group.until), until, "a log that begins at {begins:?}");
}

#[test]
fn a_group_is_whole_when_its_windows_lie_behind_the_beginning() {
    check(None, None);
    check(Some(NOW.minus(BACK)), None);
    check(Some(NOW.minus(BACK).plus(Span(1))), Some(NOW.plus(Span(1))));
    check(Some(NOW.minus(Span(60_000))), Some(NOW.minus(Span(60_000)).plus(BACK)));
    // Nothing is left at all: whatever comes, comes from now on.
    check(Some(Timestamp(i64::MAX)), Some(NOW.plus(BACK)));
}

#[test]
fn windows_wider_than_the_retention_can_never_be_built() {
    let pipeline = pipelines::minimal();
    assert_eq!(impossible(&pipeline, |_| true, BACK), []);
    let found = impossible(&pipeline, |_| true, Span(BACK.0 - 1));
    assert_eq!((found[0].group.as_str(), found[0].back), ("sensor", BACK));
    assert_eq!(found[0].words, "window 5m + hop 10s + lateness 10m + skew 30s");
    assert_eq!(impossible(&pipeline, |name| name != "sensor", Span(0)), []);
}
