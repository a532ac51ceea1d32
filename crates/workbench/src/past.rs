//! The past as the log has it: records of several topics and partitions, in the order of their append times.
//!
//! Belongs to no group of the log and disturbs nobody who does. Holds one piece of each partition.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    sync::Arc,
};

use dataplane::past::bounds;
use domain::Timestamp;
use ports::{Bounds, Log, Record};

use crate::Error;

/// Bytes of one partition that are read ahead: some hundred records, since dozens of partitions are read side by side.
const READ_BYTES: usize = 256 << 10;

/// Records between two instants.
#[derive(Debug)]
pub(crate) struct Past<'a, L> {
    log: &'a L,
    tails: Vec<Tail>,
    /// Append time of the next record of each tail that has one.
    heads: BinaryHeap<Reverse<(Timestamp, usize)>>,
    total: u64,
    done: u64,
}

/// One record with its place.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    /// Place of its topic in the list that was given.
    pub(crate) topic: usize,
    pub(crate) partition: u32,
    pub(crate) record: Record,
}

#[derive(Debug)]
struct Tail {
    topic: usize,
    name: Arc<str>,
    partition: u32,
    ahead: VecDeque<Record>,
    next: u64,
    end: u64,
}

impl<'a, L: Log> Past<'a, L> {
    /// The records that were appended from one instant to another. A topic that does not exist yet holds none.
    pub(crate) async fn open(
        log: &'a L,
        topics: &[Arc<str>],
        partitions: u32,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Self, Error> {
        let mut past = Self { log, tails: Vec::new(), heads: BinaryHeap::new(), total: 0, done: 0 };
        for (topic, name) in topics.iter().enumerate() {
            for partition in 0..partitions {
                let Some(Bounds { first, .. }) = bounds(log, name, partition).await? else { continue };
                let next = log.offset_at(name, partition, from).await?.max(first);
                let end = log.offset_at(name, partition, until).await?.max(next);
                past.total += end - next;
                past.tails.push(Tail { topic, name: name.clone(), partition, ahead: VecDeque::new(), next, end });
            }
        }
        for at in 0..past.tails.len() {
            past.look(at).await?;
        }
        Ok(past)
    }

    /// How many records there are, about: retention may take some of them.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// How many were read.
    pub(crate) fn done(&self) -> u64 {
        self.done
    }

    /// The next record, if it was appended before this instant.
    pub(crate) async fn next_before(&mut self, limit: Timestamp) -> Result<Option<Item>, Error> {
        let Some(Reverse((append_at, at))) = self.heads.peek().copied() else { return Ok(None) };
        if append_at >= limit {
            return Ok(None);
        }
        self.heads.pop();
        let tail = &mut self.tails[at];
        let (topic, partition) = (tail.topic, tail.partition);
        let item = tail.ahead.pop_front().map(|record| Item { topic, partition, record });
        self.done += 1;
        self.look(at).await?;
        Ok(item)
    }

    /// Reads on where nothing is at hand.
    async fn look(&mut self, at: usize) -> Result<(), Error> {
        let tail = &mut self.tails[at];
        if tail.ahead.is_empty() && tail.next < tail.end {
            let records = self.log.read(&tail.name, tail.partition, tail.next, READ_BYTES).await?;
            // Without a record, retention took what was left.
            tail.next = records.last().map_or(tail.end, |last| last.offset + 1);
            let end = tail.end;
            tail.ahead.extend(records.into_iter().filter(|record| record.offset < end));
        }
        if let Some(record) = tail.ahead.front() {
            self.heads.push(Reverse((record.append_at, at)));
        }
        Ok(())
    }
}
