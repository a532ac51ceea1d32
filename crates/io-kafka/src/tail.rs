//! Where the last record of a partition lies. Brokers say where it ends, and count the ends of transactions with it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ports::Bounds;

use crate::{
    Error, Settings,
    read::{Place, Reader},
};

/// Consumers that are kept: whoever wants to know the ends of many partitions asks for a few side by side.
const KEPT_MAX: usize = 8;
/// How far back the last record is looked for at first, and how many times further whenever there is none.
const BACK: u64 = 16;

/// Consumers that look for last records. A broker does not wait for news when one of them asks, so between two questions they rest.
pub(crate) struct Tails {
    settings: Arc<Settings>,
    kept: Mutex<Vec<Reader>>,
}

impl Tails {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        Self { settings, kept: Mutex::default() }
    }

    /// What a partition holds that brokers say begins and ends there. `topic` is its name in the cluster. Waits for brokers.
    pub(crate) fn bounds(&self, topic: &str, partition: u32, first: u64, end: u64) -> Result<Bounds, Error> {
        if first >= end {
            return Ok(Bounds { first, next: first });
        }
        let kept = self.kept().pop();
        let mut reader = kept.map_or_else(|| Reader::new(&self.settings, Duration::ZERO), Ok)?;
        let mut back = BACK;
        let next = loop {
            let from = end.saturating_sub(back).max(first);
            let place = Place { topic, partition, from };
            reader.go(&place, from)?;
            let tail = reader.records(&self.settings, &place, usize::MAX, end, false)?;
            match tail.iter().rfind(|record| record.offset < end) {
                Some(last) => break last.offset + 1,
                None if from == first => break first,
                None => back *= BACK,
            }
        };
        if reader.rest().is_ok() {
            let mut kept = self.kept();
            if kept.len() < KEPT_MAX {
                kept.push(reader);
            }
        }
        Ok(Bounds { first, next })
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Vec<Reader>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
