//! Where the last record of a partition lies. Brokers say where it ends, and count the ends of transactions with it.

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use ports::Bounds;
use rdkafka::{error::KafkaError, types::RDKafkaErrorCode as Code};

use crate::{
    Error, Settings,
    read::{Place, Reader},
};

/// Consumers that look at a time: each has a connection and threads, and a look takes some milliseconds.
const READERS_MAX: usize = 3;
/// How far back the last record is looked for at first, and how many times further whenever there is none.
const BACK: u64 = 16;

/// Consumers that look for last records. A broker does not wait for news when one of them asks, so between two questions they rest.
pub(crate) struct Tails {
    settings: Arc<Settings>,
    pool: Mutex<Pool>,
    freed: Condvar,
}

#[derive(Default)]
struct Pool {
    resting: Vec<Reader>,
    /// These and those that look.
    readers: usize,
}

impl Pool {
    fn is_busy(&mut self) -> bool {
        self.resting.is_empty() && self.readers == READERS_MAX
    }
}

impl Tails {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        Self { settings, pool: Mutex::default(), freed: Condvar::new() }
    }

    /// What a partition holds that brokers say begins and ends there. `topic` is its name in the cluster. Waits for brokers.
    pub(crate) fn bounds(&self, topic: &str, partition: u32, first: u64, end: u64) -> Result<Bounds, Error> {
        if first >= end {
            return Ok(Bounds { first, next: first });
        }
        let mut place = Place { topic, partition, from: end };
        let mut reader = self.take(&place)?;
        let next = self.look(&mut reader, &mut place, first, end);
        // Whoever has failed is not asked again.
        self.give((next.is_ok() && reader.rest().is_ok()).then_some(reader));
        Ok(Bounds { first, next: next? })
    }

    fn look(&self, reader: &mut Reader, place: &mut Place<'_>, first: u64, end: u64) -> Result<u64, Error> {
        let mut back = BACK;
        loop {
            place.from = end.saturating_sub(back).max(first);
            reader.go(place, place.from)?;
            let tail = reader.records(&self.settings, place, usize::MAX, end, false)?;
            match tail.iter().rfind(|record| record.offset < end) {
                Some(last) => return Ok(last.offset + 1),
                None if place.from == first => return Ok(first),
                None => back *= BACK,
            }
        }
    }

    /// One that rests, a new one, or the next that has looked.
    fn take(&self, place: &Place<'_>) -> Result<Reader, Error> {
        let waited = self.freed.wait_timeout_while(self.pool(), self.settings.answer_max, Pool::is_busy);
        let (mut pool, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if let Some(reader) = pool.resting.pop() {
            return Ok(reader);
        }
        if pool.is_busy() {
            return Err(place.failed(KafkaError::MessageConsumption(Code::OperationTimedOut)));
        }
        pool.readers += 1;
        drop(pool);
        Reader::new(&self.settings, Duration::ZERO).inspect_err(|_| self.give(None))
    }

    /// Lets the next one have a reader, or make one in the place of one that is gone.
    fn give(&self, reader: Option<Reader>) {
        let mut pool = self.pool();
        match reader {
            Some(reader) => pool.resting.push(reader),
            None => pool.readers -= 1,
        }
        self.freed.notify_one();
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
