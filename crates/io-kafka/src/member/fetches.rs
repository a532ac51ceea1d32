//! What a consumer fetches for its member: a queue for each topic of each partition, and where each of them is.
//!
//! Partitions begin anew by seeking. To let go of them and take them again would be simpler, and an answer to a group that is just
//! asking for some of them back.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use domain::Timestamp;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer, base_consumer::PartitionQueue},
    error::KafkaError,
    message::{BorrowedMessage, Message},
};
use tracing::warn;

use super::{
    outbox::{Outbox, Place},
    poller::{Waker, wake},
    rebalances::Rebalances,
};
use crate::{Error, log::Inner, records::Batch};

/// Whoever is handed a record this young has all of them; with an older one it is not known before the broker says so.
const YOUNG_MS: i64 = 1000;
/// A seek is answered by another thread of this process.
const SEEK_MAX: Duration = Duration::from_secs(1);

/// All that a consumer fetches.
pub(super) struct Fetches {
    consumer: Arc<BaseConsumer<Rebalances>>,
    log: Arc<Inner>,
    topics: Arc<[Arc<str>]>,
    outbox: Arc<Outbox>,
    waker: Waker,
    lanes: BTreeMap<Place, Lane>,
}

/// One topic of one partition.
struct Lane {
    queue: PartitionQueue<Rebalances>,
    /// The record that was taken last.
    last: Option<u64>,
    /// Where it has to begin anew before anything is taken.
    seek: Option<Offset>,
    told_of_foreign_times: bool,
}

impl Fetches {
    pub(super) fn new(
        consumer: Arc<BaseConsumer<Rebalances>>,
        log: Arc<Inner>,
        topics: Arc<[Arc<str>]>,
        outbox: Arc<Outbox>,
        waker: Waker,
    ) -> Self {
        Self { consumer, log, topics, outbox, waker, lanes: BTreeMap::new() }
    }

    /// Begins to fetch all topics of a partition.
    pub(super) fn start(&mut self, partition: u32, turn: u64, from: &[Option<u64>]) -> Result<(), Error> {
        // What had waited for the beginning before is not taken any more: lanes that began before seek first.
        self.outbox.open(partition, turn);
        let failed = || Error::kafka(format!("partition {partition} cannot be fetched"));
        let mut list = TopicPartitionList::new();
        for (place, from) in from.iter().enumerate() {
            let offset = from.map_or(Offset::Beginning, |from| Offset::Offset(from.cast_signed()));
            if let Some(lane) = self.lanes.get_mut(&(partition, place)) {
                (lane.seek, lane.last) = (Some(offset), None);
                continue;
            }
            let name = self.log.names.outside(&self.topics[place]);
            let queue = self.queue((partition, place))?;
            list.add_partition_offset(&name, partition.cast_signed(), offset).map_err(failed())?;
            self.lanes.insert((partition, place), Lane { queue, last: None, seek: None, told_of_foreign_times: false });
        }
        if list.count() > 0 {
            self.consumer.incremental_assign(&list).map_err(failed())?;
        }
        Ok(())
    }

    fn queue(&self, (partition, place): Place) -> Result<PartitionQueue<Rebalances>, Error> {
        let name = self.log.names.outside(&self.topics[place]);
        let queue = self.consumer.split_partition_queue(&name, partition.cast_signed());
        let mut queue = queue.ok_or(Error::Ended("the client has no room for another partition: join again."))?;
        let waker = self.waker.clone();
        queue.set_nonempty_callback(move || wake(&waker));
        Ok(queue)
    }

    /// Ends some partitions, which answers a group that has asked for some.
    pub(super) fn stop(&mut self, partitions: &BTreeSet<u32>) -> Result<(), Error> {
        let mut list = TopicPartitionList::new();
        for (partition, place) in self.lanes.keys().filter(|(partition, _)| partitions.contains(partition)) {
            list.add_partition(&self.log.names.outside(&self.topics[*place]), partition.cast_signed());
        }
        self.consumer.incremental_unassign(&list).map_err(Error::kafka("partitions cannot be let go"))?;
        self.lanes.retain(|(partition, _), _| !partitions.contains(partition));
        Ok(())
    }

    pub(super) fn stop_all(&mut self) -> Result<(), Error> {
        let all = self.lanes.keys().map(|(partition, _)| *partition).collect();
        self.stop(&all)
    }

    /// A record has come where none should: its queue is made again, and what was missed is fetched again.
    pub(super) fn recover(&mut self, message: &BorrowedMessage<'_>) {
        let names = &self.log.names;
        let topic = self.topics.iter().position(|topic| *names.outside(topic) == *message.topic());
        let Some(place) = topic.map(|topic| (message.partition().cast_unsigned(), topic)) else { return };
        let Ok(queue) = self.queue(place) else { return };
        let Some(lane) = self.lanes.get_mut(&place) else { return };
        warn!(topic = message.topic(), partition = place.0, "fetches a partition again");
        lane.queue = queue;
        let next = lane.last.map_or(message.offset(), |last| last.cast_signed() + 1);
        lane.seek.get_or_insert(Offset::Offset(next));
    }

    /// Hands over what has come, as far as there is room. Whether anything did.
    pub(super) fn fetch(&mut self, errors: &mut Vec<KafkaError>) -> Result<bool, Error> {
        let mut busy = self.seek()?;
        let now = self.log.clock.now();
        for (place, lane) in &mut self.lanes {
            let room = if lane.seek.is_some() { 0 } else { self.outbox.room(*place) };
            if room == 0 {
                continue;
            }
            let mut batch = Batch::default();
            let is_end = lane.take(&mut batch, room, now, errors);
            if !batch.is_empty() || is_end {
                busy = true;
                lane.look_at_times(&batch, &self.topics[place.1]);
                let bytes = batch.bytes();
                self.outbox.give(*place, batch.finish(), bytes, !is_end);
            }
        }
        Ok(busy)
    }

    /// Begins anew where that is due. What the client has not begun at all is tried again in the next round.
    fn seek(&mut self) -> Result<bool, Error> {
        let due: Vec<(Place, Offset)> = self.lanes.iter().filter_map(|(place, lane)| Some((*place, lane.seek?))).collect();
        if due.is_empty() {
            return Ok(false);
        }
        let mut list = TopicPartitionList::new();
        for ((partition, place), offset) in &due {
            let name = self.log.names.outside(&self.topics[*place]);
            let added = list.add_partition_offset(&name, partition.cast_signed(), *offset);
            added.map_err(Error::kafka(format!("partition {partition} cannot be fetched")))?;
        }
        let Ok(sought) = self.consumer.seek_partitions(list, SEEK_MAX) else { return Ok(false) };
        let mut any = false;
        for ((partition, place), _) in due {
            let name = self.log.names.outside(&self.topics[place]);
            let done = sought.find_partition(&name, partition.cast_signed()).is_some_and(|element| element.error().is_ok());
            if let Some(lane) = self.lanes.get_mut(&(partition, place)).filter(|_| done) {
                lane.seek = None;
                any = true;
            }
        }
        Ok(any)
    }
}

impl Lane {
    /// What has come, up to so many bytes. Whether nothing is behind it.
    fn take(&mut self, batch: &mut Batch, room: usize, now: Timestamp, errors: &mut Vec<KafkaError>) -> bool {
        let mut is_end = false;
        while batch.bytes() < room {
            match self.queue.poll(Duration::ZERO) {
                // While the group is changing the client goes back to the record that was being taken.
                Some(Ok(message)) if self.last == Some(message.offset().unsigned_abs()) => {}
                Some(Ok(message)) => {
                    self.last = Some(message.offset().unsigned_abs());
                    batch.push(&message);
                    is_end = false;
                }
                Some(Err(KafkaError::PartitionEOF(_))) => is_end = true,
                Some(Err(error)) => errors.push(error),
                None => return is_end || batch.newest_at().is_some_and(|newest| now.0.saturating_sub(newest.0) < YOUNG_MS),
            }
        }
        is_end
    }

    fn look_at_times(&mut self, batch: &Batch, topic: &str) {
        if batch.has_foreign_times() && !self.told_of_foreign_times {
            self.told_of_foreign_times = true;
            warn!(topic, "the times of records are what producers say: set message.timestamp.type=LogAppendTime");
        }
    }
}
