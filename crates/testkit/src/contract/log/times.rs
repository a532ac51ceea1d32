//! Append times, as a clock that the case holds tells them.

use domain::Span;
use ports::Log;

use super::{
    Clocked,
    scene::{ALL, IN, append, create, open, text},
};

/// They are the clock's.
pub async fn append_times_are_those_of_the_clock<H: Clocked>(make: &impl Fn() -> H) {
    let (mut harness, log) = open(make).await;
    create(&log, 1).await;
    let start = harness.now();
    append(&log, IN, 0, &["a", "b"]).await;
    harness.set_clock(start.plus(Span(3000)));
    append(&log, IN, 0, &["c"]).await;
    let read = log.read(IN, 0, 0, ALL).await.expect("read");
    let times: Vec<_> = read.iter().map(|record| record.append_at).collect();
    assert_eq!(times, [start, start, start.plus(Span(3000))]);
}

/// A clock that is set back by an hour, or forward, makes no append time smaller than the one before.
pub async fn append_times_never_go_back<H: Clocked>(make: &impl Fn() -> H) {
    let (mut harness, log) = open(make).await;
    create(&log, 1).await;
    let start = harness.now();
    for (hours, value) in [(0, "a"), (-1, "b"), (0, "c"), (1, "d"), (0, "e"), (-2, "f")] {
        harness.set_clock(start.plus(Span(hours * 3_600_000)));
        append(&log, IN, 0, &[value]).await;
    }
    let read = log.read(IN, 0, 0, ALL).await.expect("read");
    assert_eq!(read.iter().map(text).collect::<String>(), "abcdef");
    assert!(read.is_sorted_by_key(|record| record.append_at), "{read:?}");
}

/// The first record at or after an instant, the end when there is none.
pub async fn an_instant_is_found_by_append_time<H: Clocked>(make: &impl Fn() -> H) {
    let (mut harness, log) = open(make).await;
    create(&log, 1).await;
    let start = harness.now();
    let at = |seconds: i64| start.plus(Span(seconds * 1000));
    for (seconds, values) in [(0, &["a", "b"][..]), (10, &["c"]), (20, &["d", "e", "f"]), (40, &["g"])] {
        harness.set_clock(at(seconds));
        append(&log, IN, 0, values).await;
    }
    for (seconds, expected) in [(-100, 0), (0, 0), (1, 2), (10, 2), (11, 3), (20, 3), (21, 6), (40, 6), (41, 7), (1000, 7)] {
        assert_eq!(log.offset_at(IN, 0, at(seconds)).await.expect("found"), expected, "after {seconds} s");
    }
}
