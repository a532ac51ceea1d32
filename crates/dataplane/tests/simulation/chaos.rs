//! What goes wrong and when, by seed.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use testkit::fake::{Fault, Hook, LogFault, Operation};

/// A source of faults that everybody shares.
#[derive(Clone)]
pub(crate) struct Chaos {
    dice: Arc<Mutex<ChaCha8Rng>>,
    calm: Arc<AtomicBool>,
    fenced: Arc<AtomicU64>,
    /// Writers that stand still for longer than a session; not together with a store that is emptied, since a store without memory
    /// cannot know who is late.
    zombies: bool,
}

impl Chaos {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            dice: Arc::new(Mutex::new(ChaCha8Rng::seed_from_u64(seed ^ 0xC4A05))),
            calm: Arc::default(),
            fenced: Arc::default(),
            zombies: seed.is_multiple_of(2),
        }
    }

    /// From now on nothing fails.
    pub(crate) fn calm(&self) {
        self.calm.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.calm.load(Ordering::Relaxed)
    }

    pub(crate) fn empties(&self) -> bool {
        !self.zombies
    }

    /// Commits that failed, whether or not they happened.
    pub(crate) fn fenced(&self) -> u64 {
        self.fenced.load(Ordering::Relaxed)
    }

    pub(crate) fn between(&self, low: u64, high: u64) -> u64 {
        self.dice.lock().unwrap_or_else(PoisonError::into_inner).random_range(low..=high)
    }

    fn chance(&self, share: f64) -> bool {
        !self.is_calm() && self.dice.lock().unwrap_or_else(PoisonError::into_inner).random_bool(share)
    }

    fn pause(&self) -> Duration {
        let long = self.zombies && self.chance(0.3);
        Duration::from_millis(if long { self.between(11_000, 30_000) } else { self.between(1, 800) })
    }

    pub(crate) fn of_log(&self) -> impl FnMut(&Operation<'_>) -> LogFault + Send + 'static {
        let chaos = self.clone();
        move |operation| {
            let fault = chaos.log_fault(operation);
            if matches!(operation, Operation::Commit { .. }) && !matches!(fault, LogFault::None | LogFault::Delay(_)) {
                chaos.fenced.fetch_add(1, Ordering::Relaxed);
            }
            fault
        }
    }

    fn log_fault(&self, operation: &Operation<'_>) -> LogFault {
        let roll = |share| self.chance(share);
        match operation {
            Operation::Create => LogFault::None,
            Operation::Append { .. } if roll(0.03) => LogFault::ErrorAfter,
            Operation::Join { .. } | Operation::Read if roll(0.05) => LogFault::ErrorBefore,
            Operation::Next { .. } if roll(0.003) => LogFault::Lose,
            Operation::Next { .. } if roll(0.006) => LogFault::Rebalance,
            Operation::Next { .. } if roll(0.002) => LogFault::ErrorBefore,
            Operation::Commit { .. } if roll(0.01) => LogFault::ErrorBefore,
            Operation::Commit { .. } if roll(0.01) => LogFault::ErrorAfter,
            Operation::Commit { .. } if roll(0.01) => LogFault::Lose,
            Operation::Commit { .. } if roll(0.05) => LogFault::Delay(self.pause()),
            _ => LogFault::None,
        }
    }

    pub(crate) fn of_stores(&self) -> Hook {
        let chaos = self.clone();
        Hook::new(move |name| {
            let roll = |share| chaos.chance(share);
            match name {
                "online.write" if chaos.empties() && roll(0.004) => Fault::Emptied,
                // Readers are not part of what is tested.
                "online.read" => Fault::None,
                _ if roll(0.02) => Fault::Before,
                _ if roll(0.02) => Fault::After,
                _ if roll(0.05) => Fault::Late(chaos.pause()),
                _ => Fault::None,
            }
        })
    }
}
