//! What was asked and how it was answered, for whoever makes metrics of it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Upper bounds of the times that are told apart, in milliseconds: finely around what a quote should take.
pub const LATENCY_BOUNDS_MS: [f64; 10] = [0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 15.0, 25.0, 100.0, 1000.0];

/// What was counted since the start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// By route and status.
    pub requests: BTreeMap<(Arc<str>, u16), u64>,
    /// By route.
    pub latency: BTreeMap<Arc<str>, Latency>,
    /// Candidates of quotes by pipeline, and by where their vectors came from: `store`, `remembered` or `nowhere`.
    pub candidates: BTreeMap<(Arc<str>, &'static str), u64>,
    /// Candidates of quotes that name an entity of which nothing is known, by pipeline and the entity's type.
    pub unknown: BTreeMap<(Arc<str>, String), u64>,
    /// Candidates of quotes by pipeline and the reason for which they are degraded.
    pub degraded: BTreeMap<(Arc<str>, String), u64>,
}

/// How long answers took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latency {
    /// By the bounds, and one more for what took longer.
    pub counts: [u64; LATENCY_BOUNDS_MS.len() + 1],
    /// In seconds.
    pub sum: f64,
}

/// Counts that many threads add to.
#[derive(Debug, Default)]
pub(crate) struct Counting(Mutex<Counts>);

impl Counting {
    pub(crate) fn get(&self) -> Counts {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn add(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// An answer.
    pub(crate) fn answered(&self, route: &Arc<str>, status: u16, took: Duration) {
        let ms = took.as_secs_f64() * 1000.0;
        let bucket = LATENCY_BOUNDS_MS.iter().position(|bound| ms <= *bound).unwrap_or(LATENCY_BOUNDS_MS.len());
        self.add(|counts| {
            *counts.requests.entry((route.clone(), status)).or_default() += 1;
            let latency = counts.latency.entry(route.clone()).or_default();
            latency.counts[bucket] += 1;
            latency.sum += took.as_secs_f64();
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_is_in_one_bucket() {
        let (counting, route) = (Counting::default(), Arc::from("/v1/quotes"));
        for (status, us) in [(200, 400), (200, 500), (503, 2_500), (200, 2_000_000)] {
            counting.answered(&route, status, Duration::from_micros(us));
        }
        let counts = counting.get();
        assert_eq!(counts.requests[&(route.clone(), 200)], 3);
        let latency = &counts.latency[&route];
        assert_eq!(latency.counts, [2, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!((latency.sum * 10_000.0).round(), 20_034.0);
    }
}
