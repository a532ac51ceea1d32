//! How long brokers may take, which is real time whatever clock the rest of the process has.

use std::time::{Duration, Instant};

/// An instant by which something has to have happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    begun: Instant,
    given: Duration,
}

impl Deadline {
    #[expect(clippy::disallowed_methods, reason = "a broker takes real time")]
    pub(crate) fn after(given: Duration) -> Self {
        Self { begun: Instant::now(), given }
    }

    #[expect(clippy::disallowed_methods, reason = "a broker takes real time")]
    pub(crate) fn left(&self) -> Duration {
        self.given.saturating_sub(self.begun.elapsed())
    }

    pub(crate) fn is_over(&self) -> bool {
        self.left().is_zero()
    }
}
