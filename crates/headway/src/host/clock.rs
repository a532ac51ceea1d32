//! A clock that never jumps: the machine's at the start, and from then on what has really passed.
//!
//! If the machine's clock is set an hour forward or back meanwhile, records would be stamped late or from the future; this one goes
//! on, and says that it does.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use domain::{Span, Timestamp};
use ports::{Clock, clock_fn};

/// Less is what every machine's clock is corrected by now and then.
const JUMP_MS: i64 = 60_000;

/// A steady clock.
#[derive(Debug)]
pub(super) struct Steady {
    begun: Instant,
    begun_at: i64,
    speed: f64,
    /// What is added because the log was ahead.
    ahead_ms: AtomicI64,
    /// How far the machine's clock was off when that was last said.
    told_ms: AtomicI64,
}

impl Steady {
    pub(super) fn new(speed: f64) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the one place where a running Headway reads the machine's clocks")]
        let (begun, begun_at) = (Instant::now(), wall());
        Self { begun, begun_at, speed, ahead_ms: AtomicI64::new(0), told_ms: AtomicI64::new(0) }
    }

    pub(super) fn clock(self: &Arc<Self>) -> Clock {
        let steady = Arc::clone(self);
        clock_fn(self.speed, move || steady.now())
    }

    fn now(&self) -> Timestamp {
        Timestamp(
            self.begun_at + (self.passed().as_secs_f64() * 1000.0 * self.speed) as i64 + self.ahead_ms.load(Ordering::Relaxed),
        )
    }

    fn passed(&self) -> Duration {
        #[expect(clippy::disallowed_methods, reason = "the one place where a running Headway reads the machine's clocks")]
        let passed = self.begun.elapsed();
        passed
    }

    /// Moves the clock to an instant if it is behind, and says by how much.
    pub(super) fn not_before(&self, at: Timestamp) -> Option<Span> {
        let ahead = at.0.saturating_add(1).saturating_sub(self.now().0);
        (ahead > 0).then(|| {
            self.ahead_ms.fetch_add(ahead, Ordering::Relaxed);
            // Nobody wants to read milliseconds.
            Span((ahead + 999) / 1000 * 1000)
        })
    }

    /// Whether the machine's clock was set since this was last asked.
    pub(super) fn jump(&self) -> Option<String> {
        self.jump_to(wall())
    }

    fn jump_to(&self, wall: i64) -> Option<String> {
        let off = wall - self.begun_at - self.passed().as_millis() as i64;
        if (off - self.told_ms.load(Ordering::Relaxed)).abs() < JUMP_MS {
            return None;
        }
        self.told_ms.store(off, Ordering::Relaxed);
        let (span, way) = (Span(off.abs() / 1000 * 1000), if off > 0 { "forward" } else { "back" });
        Some(format!(
            "This machine's clock was set {span} {way}. Headway goes on by a clock of its own, so nothing is late or lost by it; restart it when the machine's clock is right."
        ))
    }
}

/// The instant by the machine's clock, for those outside who compare it with theirs.
pub(crate) fn wall_clock() -> Timestamp {
    Timestamp(wall())
}

fn wall() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the one place where a running Headway reads the machine's clocks")]
    let wall = SystemTime::now();
    wall.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_is_told_once_and_followed_never() {
        let steady = Arc::new(Steady::new(1.0));
        let clock = steady.clock();
        for (hours, way) in [(1, "forward"), (-1, "back")] {
            let before = clock.now();
            let wall = steady.begun_at + hours * 3_600_000;
            let told = steady.jump_to(wall).expect("an hour is a jump");
            assert!(told.contains(way), "{told}");
            assert_eq!(steady.jump_to(wall), None, "once is enough");
            assert!((clock.now().0 - before.0).abs() < 60_000);
        }
    }

    #[test]
    fn time_goes_on_from_the_end_of_the_log() {
        let steady = Arc::new(Steady::new(1.0));
        let later = Timestamp(steady.now().0 + 7_200_000);
        assert!(steady.not_before(later).is_some());
        assert!(steady.clock().now() > later);
        assert_eq!(steady.not_before(Timestamp(0)), None);
    }
}
