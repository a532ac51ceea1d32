//! The wall clock, lent by whoever wires the parts together: real, hurried, or a test's own.

use std::{sync::Arc, time::Duration};

use domain::Timestamp;

/// Tells the time, and how long to wait until an instant. Cheap to clone.
#[derive(Clone)]
pub struct Clock {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    speed: f64,
}

/// A clock that reads this function and runs `speed` times as fast as the waiting does.
pub fn clock_fn(speed: f64, now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Clock {
    Clock { now: Arc::new(now), speed }
}

impl Clock {
    /// The present instant. It may jump either way, as wall clocks do.
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// How long to sleep until this instant; nothing when it is past.
    pub fn until(&self, at: Timestamp) -> Duration {
        let ms = at.0.saturating_sub(self.now().0).max(0);
        // A clock that stands still may be moved by whoever holds it.
        Duration::try_from_secs_f64(ms as f64 / 1000.0 / self.speed).unwrap_or(Duration::MAX)
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Clock({} at speed {})", self.now(), self.speed)
    }
}
