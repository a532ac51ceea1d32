//! The clock of the measurements, and an engine that is fed while one of its steps is timed.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

use domain::{Span, Timestamp};
use features::{Config, Engine, Record};
use pipeline::Pipeline;

use crate::orders::Orders;

/// Nanoseconds since the first call.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures; nothing that is computed depends on it")]
pub(crate) fn nanoseconds() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    let elapsed = BEGAN.get_or_init(Instant::now).elapsed().as_nanos();
    u64::try_from(elapsed).unwrap_or(u64::MAX)
}

/// An engine with an account of its steps, and the orders that it takes next.
pub(crate) struct Fed {
    engine: Engine,
    orders: Orders,
}

impl Fed {
    /// An engine that has seen so many batches of this size, so that its windows hold something.
    pub(crate) fn new(pipeline: Pipeline, orders: Orders, batches: usize, size: usize) -> Self {
        let config = Config { stopwatch: Some(nanoseconds), ..Config::default() };
        let engine = Engine::new(pipeline.into(), config).expect("a sound pipeline");
        let mut fed = Self { engine, orders };
        (0..batches).for_each(|_| fed.take(size));
        fed
    }

    /// How long one step took over so many batches of this size.
    pub(crate) fn time_of(&mut self, step: &str, batches: u64, size: usize) -> Duration {
        let before = self.spent(step);
        (0..batches).for_each(|_| self.take(size));
        Duration::from_nanos(self.spent(step) - before)
    }

    fn take(&mut self, size: usize) {
        let (payloads, append_at) = self.orders.batch(size);
        let record = |payload| Record { source: 0, offset: 0, append_at, payload };
        let records: Vec<Record<'_>> = payloads.iter().map(|payload| record(payload.as_bytes())).collect();
        let out = self.engine.ingest(&records, append_at.plus(Span(1)));
        assert!(out.refused.is_empty(), "a benchmark measures events that are taken: {:?}", out.refused.first());
    }

    fn spent(&self, step: &str) -> u64 {
        let found = self.engine.steps().find(|(name, _)| *name == step);
        found.unwrap_or_else(|| panic!("the engine has no step {step}")).1
    }
}

/// The instant at which the orders of all benchmarks begin: 2026-03-01T17:00:00Z.
pub(crate) const START: Timestamp = Timestamp(1_772_384_400_000);
