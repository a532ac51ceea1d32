//! A member with a memory: starts what is assigned where it was committed, and keeps what it hears.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ports::{Assignment, Event, Member, Record};

use super::scene::text;

/// How long one look waits. A log in a process answers at once; a broker needs a moment for a rebalance.
const LOOK: Duration = Duration::from_millis(5);
/// So often nothing comes in a row where nothing comes any more: a broker may take a tenth of a second.
const QUIET_LOOKS: usize = 30;
/// So often a case looks before it fails: a minute, longer than any broker's session.
const LOOKS_MAX: usize = 12_000;

/// What one member heard.
pub(crate) struct Consumer<M> {
    pub(crate) member: M,
    pub(crate) owned: BTreeSet<u32>,
    pub(crate) assigned: Vec<Assignment>,
    pub(crate) revoked: Vec<u32>,
    pub(crate) lost: Option<Vec<u32>>,
    records: BTreeMap<(String, u32), Vec<Record>>,
    more: BTreeMap<(String, u32), bool>,
    greeted: bool,
    starts: bool,
}

impl<M: Member> Consumer<M> {
    pub(crate) fn new(member: M) -> Self {
        let (owned, records, more) = Default::default();
        Self { member, owned, assigned: Vec::new(), revoked: Vec::new(), lost: None, records, more, greeted: false, starts: true }
    }

    /// One that starts nothing of its own accord.
    pub(crate) fn that_waits(member: M) -> Self {
        Self { starts: false, ..Self::new(member) }
    }

    /// The values that were delivered of a partition.
    pub(crate) fn values(&self, topic: &str, partition: u32) -> Vec<String> {
        self.records.get(&(topic.to_owned(), partition)).map_or_else(Vec::new, |records| records.iter().map(text).collect())
    }

    /// Whether there was more behind what was delivered last of a partition.
    pub(crate) fn more(&self, topic: &str, partition: u32) -> Option<bool> {
        self.more.get(&(topic.to_owned(), partition)).copied()
    }

    pub(crate) fn forget(&mut self) {
        self.records.clear();
    }

    pub(crate) fn is_greeted(&self) -> bool {
        self.greeted
    }

    /// Takes one event.
    pub(crate) async fn look(&mut self) -> Event {
        let event = self.member.next(LOOK).await.expect("a member goes on");
        self.take(&event);
        event
    }

    /// Looks until something holds.
    pub(crate) async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        for _ in 0..LOOKS_MAX {
            if holds(self) {
                return;
            }
            self.look().await;
        }
        panic!("waited in vain until {what}");
    }

    /// Looks until nothing comes any more.
    pub(crate) async fn until_idle(&mut self) {
        let mut quiet = 0;
        for _ in 0..LOOKS_MAX {
            quiet = if self.look().await == Event::Idle && self.greeted { quiet + 1 } else { 0 };
            if quiet == QUIET_LOOKS {
                return;
            }
        }
        panic!("never idle");
    }

    /// Takes an event that somebody else waited for.
    pub(crate) fn keep(&mut self, event: Event) {
        self.take(&event);
    }

    fn take(&mut self, event: &Event) {
        assert!(self.greeted || matches!(event, Event::Assigned(_) | Event::Idle), "heard before any assignment: {event:?}");
        match event {
            Event::Assigned(assignments) => {
                self.greeted = true;
                for assignment in assignments {
                    assert!(self.owned.insert(assignment.partition), "assigned twice: {assignment:?}");
                    self.records.retain(|(_, partition), _| *partition != assignment.partition);
                    if self.starts {
                        self.member.start(assignment.partition, &assignment.positions).expect("what is assigned can be started");
                    }
                }
                self.assigned.extend(assignments.iter().cloned());
            }
            Event::Revoked(partitions) => {
                partitions
                    .iter()
                    .for_each(|partition| assert!(self.owned.remove(partition), "revoked and not owned: {partition}"));
                self.revoked.extend(partitions);
            }
            Event::Lost(partitions) => {
                self.owned.retain(|partition| !partitions.contains(partition));
                self.lost = Some(partitions.clone());
            }
            Event::Records { topic, partition, records, more } => {
                assert!(self.owned.contains(partition), "delivered and not owned: {topic} {partition}");
                assert!(!records.is_empty() || !more, "an event without news");
                self.more.insert((topic.to_string(), *partition), *more);
                self.records.entry((topic.to_string(), *partition)).or_default().extend(records.iter().cloned());
            }
            Event::Idle => {}
        }
    }
}

/// Looks with all of them in turn until something holds.
pub(crate) async fn until_all<M: Member>(
    consumers: &mut [&mut Consumer<M>],
    what: &str,
    holds: impl Fn(&[&mut Consumer<M>]) -> bool,
) {
    for _ in 0..LOOKS_MAX {
        if holds(consumers) {
            return;
        }
        for consumer in consumers.iter_mut() {
            consumer.look().await;
        }
    }
    panic!("waited in vain until {what}");
}
