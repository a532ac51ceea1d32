//! The log port in memory, for simulations in paused time: behaves as a broker does, with members that die without a word and
//! are missed only after a while, and with whatever faults a plan asks for. Never starts a thread and never draws by chance.

mod faults;
mod group;
mod member;
mod store;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use domain::Timestamp;
use ports::{Assignment, Bounds, Clock, Error, ErrorKind, Membership, Outgoing, Position, Record, TopicSpec};
use tokio::sync::Notify;

use group::Groups;
use store::Store;

pub use faults::{Fault, FaultPlan, Operation};
pub use member::MemoryMember;

/// How long a member that was dropped without leaving keeps its partitions: what a broker is told at most.
const SESSION: Duration = Duration::from_secs(10);

/// A log in memory. Clones are the same log, as clients of one broker are.
#[derive(Clone)]
pub struct MemoryLog {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    /// Wakes everybody in the order in which they began to wait; other ways to tell many draw by chance.
    changed: Notify,
    clock: Clock,
    session: Duration,
}

struct State {
    store: Store,
    groups: Groups,
    plan: Box<dyn FaultPlan>,
}

impl MemoryLog {
    /// An empty log in which nothing goes wrong.
    pub fn new(clock: Clock) -> Self {
        Self::with_faults(clock, |_: &Operation<'_>| Fault::None)
    }

    /// An empty log that asks before each operation what shall go wrong.
    pub fn with_faults(clock: Clock, plan: impl FaultPlan) -> Self {
        let state = State { store: Store::default(), groups: Groups::default(), plan: Box::new(plan) };
        let inner = Inner { state: Mutex::new(state), changed: Notify::new(), clock, session: SESSION };
        Self { inner: Arc::new(inner) }
    }

    /// Takes what retention allows by the clock as it is.
    pub fn retain(&self) {
        self.inner.lock().store.retain(self.inner.clock.now());
    }

    /// Does something to the state, with the fault that the plan has for it.
    async fn perform<T>(&self, operation: Operation<'_>, job: impl FnOnce(&mut State) -> Result<T, Error>) -> Result<T, Error> {
        let fault = self.inner.lock().plan.decide(&operation);
        if let Fault::Delay(delay) = fault {
            tokio::time::sleep(delay).await;
        }
        if fault == Fault::ErrorBefore {
            return Err(injected(&operation, "before"));
        }
        let done = job(&mut self.inner.lock());
        self.inner.announce();
        if fault == Fault::ErrorAfter { done.and_then(|_| Err(injected(&operation, "after"))) } else { done }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A test that panics has failed already.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self) {
        self.changed.notify_waiters();
    }
}

impl ports::Log for MemoryLog {
    type Member = MemoryMember;

    async fn create(&self, topics: &[TopicSpec]) -> Result<(), Error> {
        self.perform(Operation::Create, |state| state.store.create(topics)).await
    }

    async fn append(&self, records: Vec<Outgoing>) -> Result<(), Error> {
        let now = self.inner.clock.now();
        let count = records.len();
        self.perform(Operation::Append { records: count }, |state| {
            state.store.check(&records)?;
            state.store.append(records, now);
            Ok(())
        })
        .await
    }

    async fn join(&self, membership: Membership) -> Result<MemoryMember, Error> {
        let Membership { group, member, topics, .. } = membership;
        let operation = Operation::Join { group: &group, member: &member };
        let seat = self.perform(operation, |state| {
            let partitions = state.store.same_partitions(&topics)?;
            state.groups.join(&group, &member, partitions)
        });
        let seat = seat.await?;
        Ok(MemoryMember::new(self.clone(), group, member, seat, topics))
    }

    async fn read(&self, topic: &str, partition: u32, from: u64, bytes_max: usize) -> Result<Vec<Record>, Error> {
        self.perform(Operation::Read, |state| Ok(state.store.partition(topic, partition)?.read(from, bytes_max))).await
    }

    async fn bounds(&self, topic: &str, partition: u32) -> Result<Bounds, Error> {
        self.perform(Operation::Read, |state| Ok(state.store.partition(topic, partition)?.bounds())).await
    }

    async fn offset_at(&self, topic: &str, partition: u32, at: Timestamp) -> Result<u64, Error> {
        self.perform(Operation::Read, |state| Ok(state.store.partition(topic, partition)?.offset_at(at))).await
    }

    async fn committed(&self, group: &str, topics: &[Arc<str>]) -> Result<Vec<Assignment>, Error> {
        self.perform(Operation::Read, |state| Ok(state.groups.committed(group, topics))).await
    }
}

fn injected(operation: &Operation<'_>, when: &str) -> Error {
    Error::new(ErrorKind::Transient, format!("a fault was injected {when} {operation:?}: try again."))
}

fn position_of(positions: &[Position], topic: &Arc<str>) -> u64 {
    positions.iter().find(|position| position.topic == *topic).map_or(0, |position| position.next)
}
