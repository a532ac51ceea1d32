//! The thread that owns a consumer: answers the group, and fetches what there is room for. Never waits for its member.

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock, mpsc},
    thread::{self, Thread},
    time::Duration,
};

use ports::{ErrorKind, Event};
use rdkafka::{
    TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};
use tracing::{debug, warn};

use super::{
    fetches::Fetches,
    is_replaced,
    orphans::Orphans,
    outbox::Outbox,
    rebalances::{Change, Rebalances},
};
use crate::{Error, client::EVENTS_MAX, committed, deadline::Deadline, log::Inner, transactions::Transactions};

/// The longest rest. It is woken by whatever comes; this is for what might have been missed.
const REST: Duration = Duration::from_millis(100);
/// How long one look for what is committed waits, so that the group and the member are answered in between.
const LOOK_UP: Duration = Duration::from_millis(500);

/// What a member wants of its poller.
pub(super) enum Command {
    /// Deliver a partition from these offsets on, by topic; without one, from the oldest record.
    Start { partition: u32, turn: u64, from: Vec<Option<u64>> },
    /// These partitions may go to somebody else.
    Release(BTreeSet<u32>),
    /// Nothing more is wanted. The transactions end here, too: to end them is to wait for brokers.
    Close(Arc<Transactions>),
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
    /// What the group wants back, and the member has yet to let go of.
    wanted: BTreeSet<u32>,
    /// What the group has handed out, while it is looked up what is committed of it; and until when that may take.
    arriving: Option<(BTreeSet<u32>, Deadline)>,
    fetches: Fetches,
    orphans: Orphans,
}

/// Why a poller ends.
enum End {
    Closed(Arc<Transactions>),
    Failed(Error),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Ends the rest of a thread that may not have begun yet.
pub(super) type Waker = Arc<OnceLock<Thread>>;

pub(super) fn wake(waker: &Waker) {
    waker.get().into_iter().for_each(Thread::unpark);
}

impl Poller {
    pub(super) fn start(
        mut consumer: BaseConsumer<Rebalances>,
        log: Arc<Inner>,
        topics: Arc<[Arc<str>]>,
        outbox: Arc<Outbox>,
        commands: mpsc::Receiver<Command>,
        orphans: Orphans,
    ) -> Result<Running, Error> {
        let waker = Waker::default();
        let woken = waker.clone();
        consumer.set_nonempty_callback(move || wake(&woken));
        let consumer = Arc::new(consumer);
        let fetches = Fetches::new(consumer.clone(), log.clone(), topics.clone(), outbox.clone(), waker.clone());
        let (owned, wanted, arriving) = (BTreeSet::new(), BTreeSet::new(), None);
        let poller =
            Self { consumer: consumer.clone(), log, topics, outbox, commands, owned, wanted, arriving, fetches, orphans };
        poller.subscribe()?;
        let spawned = thread::Builder::new().name("kafka-member".into()).spawn(move || poller.run());
        let spawned = spawned.map_err(|error| Error::Request(format!("a thread for a member cannot be started: {error}")))?;
        let thread = spawned.thread().clone();
        let _ = waker.set(thread.clone());
        Ok(Running { thread, consumer })
    }

    fn subscribe(&self) -> Result<(), Error> {
        let first = self.log.names.outside(&self.topics[0]);
        self.consumer.subscribe(&[&first]).map_err(Error::kafka(format!("topic {first} cannot be subscribed to")))
    }

    fn run(mut self) {
        let _told = TellsOfPanics(self.outbox.clone());
        let end = loop {
            match self.serve() {
                Ok(true) => {}
                Ok(false) => thread::park_timeout(REST),
                Err(end) => break end,
            }
        };
        self.consumer.context().close();
        // What the group has asked waits for an answer, and nobody else will give it. What it asks from here on is answered by the
        // context; to give one answer too many is to wait for ever when the client has just ended with the first.
        if !self.wanted.is_empty() || !self.consumer.context().take().is_empty() {
            let _ = self.fetches.stop_all();
        }
        let transactions = match end {
            End::Closed(transactions) => Some(transactions),
            End::Failed(error) => {
                self.outbox.end(error);
                self.closed()
            }
        };
        drop(self.fetches);
        drop(transactions);
        // To close a consumer is to wait for brokers, which is for this thread and not for the member's.
        while Arc::strong_count(&self.consumer) > 1 {
            thread::park_timeout(REST);
        }
    }

    /// Waits for the member to go.
    fn closed(&self) -> Option<Arc<Transactions>> {
        self.commands.iter().find_map(|command| match command {
            Command::Close(transactions) => Some(transactions),
            Command::Start { .. } | Command::Release(_) => None,
        })
    }

    /// One round: whether there was something to do, or why it is the last one.
    fn serve(&mut self) -> Result<bool, End> {
        let mut busy = false;
        while let Ok(command) = self.commands.try_recv() {
            busy = true;
            match command {
                Command::Start { partition, turn, from } if self.owned.contains(&partition) => {
                    self.fetches.start(partition, turn, &from)?;
                }
                // It has gone, which the member has yet to hear.
                Command::Start { .. } => {}
                // What was lost meanwhile may have come back already, and that is not what was asked for.
                Command::Release(partitions) => {
                    let wanted: BTreeSet<u32> = self.wanted.intersection(&partitions).copied().collect();
                    if !wanted.is_empty() {
                        self.let_go(&wanted)?;
                    }
                }
                Command::Close(transactions) => return Err(End::Closed(transactions)),
            }
        }
        for _ in 0..EVENTS_MAX {
            match self.consumer.poll(Duration::ZERO) {
                // Everything that is delivered has a queue of its own; the client has lost one.
                Some(Ok(message)) => self.fetches.recover(&message),
                Some(Err(error)) => self.hear(error)?,
                None => {}
            }
        }
        for change in self.consumer.context().take() {
            busy = true;
            self.change(change)?;
        }
        self.look_up()?;
        if self.orphans.are_there(&self.consumer) {
            warn!("joins again, since there are partitions that nobody owns");
            self.consumer.unsubscribe();
            self.subscribe()?;
        }
        let mut errors = Vec::new();
        busy |= self.fetches.fetch(&mut errors)?;
        errors.into_iter().try_for_each(|error| self.hear(error))?;
        Ok(busy)
    }

    fn hear(&self, error: KafkaError) -> Result<(), End> {
        if self.consumer.client().fatal_error().is_some() || is_replaced(&error) {
            self.outbox.change(Event::Lost(self.owned.iter().copied().collect()));
            let why = "another member has joined under the same name: drop what is not committed.";
            return Err(Error::Fenced(why.into()).into());
        }
        let error = Error::Kafka { what: "the consumer of a member".into(), source: error };
        // A connection that was let in once is let in again: who is refused now meets a broker that is starting or stopping.
        if error.kind() == ErrorKind::Invalid && !error.is_of_connection() {
            return Err(error.into());
        }
        // It goes on by itself, and the client has told what is wrong.
        debug!(%error, "fetches again");
        Ok(())
    }

    fn change(&mut self, change: Change) -> Result<(), End> {
        match change {
            Change::Assigned(partitions) => {
                // The group need not wait until anything of them is delivered.
                let nothing = self.consumer.incremental_assign(&TopicPartitionList::new());
                nothing.map_err(Error::kafka("partitions cannot be taken"))?;
                let settings = &self.log.settings;
                // Somebody else's transaction may be open for as long, and hides what it will have committed.
                let deadline = Deadline::after(settings.transaction_max + settings.answer_max);
                let (arriving, until) = self.arriving.get_or_insert_with(|| (BTreeSet::new(), deadline));
                arriving.extend(partitions);
                *until = deadline;
            }
            Change::Revoked(partitions) => {
                let known = self.known(partitions);
                if known.is_empty() {
                    self.let_go(&BTreeSet::new())?;
                } else {
                    self.wanted.extend(&known);
                    self.outbox.change(Event::Revoked(known));
                }
            }
            Change::Lost(partitions) => {
                let known = self.known(partitions);
                // Before the group is answered and can be joined again, see `Job::run`.
                if !known.is_empty() {
                    self.outbox.change(Event::Lost(known.clone()));
                }
                self.let_go(&known.into_iter().collect())?;
            }
        }
        Ok(())
    }

    /// Those of some partitions that the member was told of. It need not hear of the others.
    fn known(&mut self, partitions: Vec<u32>) -> Vec<u32> {
        if let Some((arriving, _)) = &mut self.arriving {
            arriving.retain(|partition| !partitions.contains(partition));
        }
        partitions.into_iter().filter(|partition| self.owned.contains(partition)).collect()
    }

    /// Tells the member what it has got, with what is committed of it.
    fn look_up(&mut self) -> Result<(), End> {
        let Some((arriving, until)) = &self.arriving else { return Ok(()) };
        let partitions: Vec<u32> = arriving.iter().copied().collect();
        let found = if partitions.is_empty() {
            Ok(Vec::new())
        } else {
            let asked = committed::asked(&self.log.names, &self.topics, &partitions);
            let found = self.consumer.committed_offsets(asked, LOOK_UP).map_err(Error::kafka(committed::WHAT));
            found.and_then(|found| committed::assignments(&found, &self.log.names, &self.topics, &partitions))
        };
        match found {
            Ok(found) => {
                self.arriving = None;
                self.owned.extend(&partitions);
                self.outbox.change(Event::Assigned(found));
            }
            Err(error) if error.kind() != ErrorKind::Transient || until.is_over() => return Err(error.into()),
            Err(_) => {}
        }
        Ok(())
    }

    fn let_go(&mut self, partitions: &BTreeSet<u32>) -> Result<(), End> {
        for gone in partitions {
            self.owned.remove(gone);
            self.wanted.remove(gone);
        }
        Ok(self.fetches.stop(partitions)?)
    }
}

/// A member whose poller has died has to hear of it.
struct TellsOfPanics(Arc<Outbox>);

impl Drop for TellsOfPanics {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.end(Error::Ended("the thread of a member has died: its last words are among the process's; join again."));
        }
    }
}
