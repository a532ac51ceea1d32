//! The thread that owns a consumer: answers the group, and fetches what there is room for. Never waits for its member.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock, mpsc},
    thread::Thread,
    time::Duration,
};

use domain::Timestamp;
use ports::Event;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer, base_consumer::PartitionQueue},
    error::KafkaError,
};
use tracing::debug;

use super::{
    committed, is_replaced,
    outbox::{Outbox, Place},
    rebalances::{Change, Rebalances},
};
use crate::{Error, log::Inner, records::Batch};

/// The longest rest. It is woken by whatever comes; this is for what might have been missed.
const REST: Duration = Duration::from_millis(100);
/// Whoever is handed a record this young has all of them; with an older one it is not known before the broker says so.
const YOUNG_MS: i64 = 1000;

/// What a member wants of its poller.
pub(super) enum Command {
    /// Deliver a partition from these offsets on, by topic; without one, from the oldest record.
    Start(u32, Vec<Option<u64>>),
    /// These partitions may go to somebody else.
    Release(BTreeSet<u32>),
    Close,
}

/// A thread, and the consumer that it polls.
pub(super) struct Running {
    pub(super) thread: Thread,
    pub(super) consumer: Arc<BaseConsumer<Rebalances>>,
}

/// The thread's own.
pub(super) struct Poller {
    consumer: Arc<BaseConsumer<Rebalances>>,
    log: Arc<Inner>,
    topics: Arc<[Arc<str>]>,
    outbox: Arc<Outbox>,
    commands: mpsc::Receiver<Command>,
    owned: BTreeSet<u32>,
    queues: BTreeMap<Place, PartitionQueue<Rebalances>>,
    waker: Waker,
}

/// Ends the rest of a thread that may not have begun yet.
type Waker = Arc<OnceLock<Thread>>;

fn wake(waker: &Waker) {
    waker.get().into_iter().for_each(Thread::unpark);
}

impl Poller {
    pub(super) fn start(
        mut consumer: BaseConsumer<Rebalances>,
        log: Arc<Inner>,
        topics: Arc<[Arc<str>]>,
        outbox: Arc<Outbox>,
        commands: mpsc::Receiver<Command>,
    ) -> Result<Running, Error> {
        let waker = Waker::default();
        let woken = waker.clone();
        consumer.set_nonempty_callback(move || wake(&woken));
        let first = log.names.outside(&topics[0]).into_owned();
        consumer.subscribe(&[&first]).map_err(Error::kafka(format!("topic {first} cannot be subscribed to")))?;
        let consumer = Arc::new(consumer);
        let (owned, queues) = (BTreeSet::new(), BTreeMap::new());
        let poller = Self { consumer: consumer.clone(), log, topics, outbox, commands, owned, queues, waker: waker.clone() };
        let spawned = std::thread::Builder::new().name("kafka-member".into()).spawn(move || poller.run());
        let spawned = spawned.map_err(|error| Error::Request(format!("a thread for a member cannot be started: {error}")))?;
        let thread = spawned.thread().clone();
        let _ = waker.set(thread.clone());
        Ok(Running { thread, consumer })
    }

    fn run(mut self) {
        loop {
            match self.serve() {
                Ok(true) => {}
                Ok(false) => std::thread::park_timeout(REST),
                Err(None) => break,
                Err(Some(error)) => {
                    self.outbox.change(Err(error));
                    break;
                }
            }
        }
        self.consumer.context().close();
        self.queues.clear();
        // To close a consumer is to wait for brokers, which is for this thread and not for the member's.
        while Arc::strong_count(&self.consumer) > 1 {
            std::thread::park_timeout(REST);
        }
    }

    /// One round: whether there was something to do, or why it is the last one.
    fn serve(&mut self) -> Result<bool, Option<Error>> {
        let mut busy = false;
        while let Ok(command) = self.commands.try_recv() {
            busy = true;
            match command {
                Command::Start(partition, from) => self.deliver(partition, &from)?,
                Command::Release(partitions) => self.let_go(&partitions)?,
                Command::Close => return Err(None),
            }
        }
        // Everything that is delivered has a queue of its own: here are only errors, and what the group has to say.
        if let Some(Err(error)) = self.consumer.poll(Duration::ZERO) {
            self.hear(error)?;
        }
        for change in self.consumer.context().take() {
            busy = true;
            self.change(change)?;
        }
        Ok(self.fetch()? || busy)
    }

    fn hear(&self, error: KafkaError) -> Result<(), Option<Error>> {
        if self.consumer.client().fatal_error().is_some() || is_replaced(&error) {
            self.outbox.change(Ok(Event::Lost(self.owned.iter().copied().collect())));
            return Err(Some(Error::Fenced("another member has joined under the same name: drop what is not committed.".into())));
        }
        let error = Error::Kafka { what: "the consumer of a member".into(), source: error };
        if error.kind() == ports::ErrorKind::Invalid {
            return Err(Some(error));
        }
        // It goes on by itself, and the client has told what is wrong.
        debug!(%error, "fetches again");
        Ok(())
    }

    fn change(&mut self, change: Change) -> Result<(), Option<Error>> {
        match change {
            Change::Assigned(partitions) => {
                // The group need not wait until anything of them is delivered.
                let nothing = self.consumer.incremental_assign(&TopicPartitionList::new());
                nothing.map_err(Error::kafka("partitions cannot be taken")).map_err(Some)?;
                let names = &self.log.names;
                let found = committed(&self.consumer, names, &self.topics, &partitions, self.log.settings.answer_max);
                let found = found.map_err(Some)?;
                self.owned.extend(&partitions);
                self.outbox.change(Ok(Event::Assigned(found)));
            }
            Change::Revoked(partitions) => self.outbox.change(Ok(Event::Revoked(partitions))),
            Change::Lost(partitions) => {
                self.let_go(&partitions.iter().copied().collect())?;
                self.outbox.change(Ok(Event::Lost(partitions)));
            }
        }
        Ok(())
    }

    /// Begins to fetch all topics of a partition.
    fn deliver(&mut self, partition: u32, from: &[Option<u64>]) -> Result<(), Option<Error>> {
        let failed = || Error::kafka(format!("partition {partition} cannot be fetched"));
        let begun: Vec<Place> = self.queues.keys().filter(|(of, _)| *of == partition).copied().collect();
        if !begun.is_empty() {
            self.unassign(&begun)?;
        }
        // Whatever had waited for the beginning before.
        self.outbox.open(partition);
        let mut list = TopicPartitionList::new();
        for (place, from) in from.iter().enumerate() {
            let name = self.log.names.outside(&self.topics[place]);
            let offset = from.map_or(Offset::Beginning, |from| Offset::Offset(from.cast_signed()));
            list.add_partition_offset(&name, partition.cast_signed(), offset).map_err(failed()).map_err(Some)?;
            if !self.queues.contains_key(&(partition, place))
                && let Some(mut queue) = self.consumer.split_partition_queue(&name, partition.cast_signed())
            {
                let waker = self.waker.clone();
                queue.set_nonempty_callback(move || wake(&waker));
                self.queues.insert((partition, place), queue);
            }
        }
        self.consumer.incremental_assign(&list).map_err(failed()).map_err(Some)
    }

    fn let_go(&mut self, partitions: &BTreeSet<u32>) -> Result<(), Option<Error>> {
        let gone: Vec<Place> = self.queues.keys().filter(|(partition, _)| partitions.contains(partition)).copied().collect();
        self.unassign(&gone)?;
        self.queues.retain(|place, _| !gone.contains(place));
        self.owned.retain(|partition| !partitions.contains(partition));
        Ok(())
    }

    fn unassign(&self, places: &[Place]) -> Result<(), Option<Error>> {
        let mut list = TopicPartitionList::new();
        for (partition, place) in places {
            list.add_partition(&self.log.names.outside(&self.topics[*place]), partition.cast_signed());
        }
        let gone = self.consumer.incremental_unassign(&list);
        gone.map_err(Error::kafka("partitions cannot be let go")).map_err(Some)
    }

    /// Hands over what has come, as far as there is room.
    fn fetch(&self) -> Result<bool, Option<Error>> {
        let mut busy = false;
        for (place, queue) in &self.queues {
            let room = self.outbox.room(*place);
            if room == 0 {
                continue;
            }
            let mut batch = Batch::default();
            let mut ended = None;
            while batch.bytes() < room {
                match queue.poll(Duration::ZERO) {
                    Some(Ok(message)) => {
                        batch.push(&message);
                        ended = None;
                    }
                    Some(Err(KafkaError::PartitionEOF(_))) => ended = Some(true),
                    Some(Err(error)) => self.hear(error)?,
                    None => {
                        ended = ended.or_else(|| batch.newest_at().map(|newest| self.is_young(newest)));
                        break;
                    }
                }
            }
            if !batch.is_empty() || ended == Some(true) {
                busy = true;
                let bytes = batch.bytes();
                self.outbox.give(*place, batch.finish(), bytes, ended != Some(true));
            }
        }
        Ok(busy)
    }

    fn is_young(&self, newest_at: Timestamp) -> bool {
        self.log.clock.now().0.saturating_sub(newest_at.0) < YOUNG_MS
    }
}
