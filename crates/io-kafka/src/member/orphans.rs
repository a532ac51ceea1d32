//! Partitions that nobody owns. A group takes a partition from one member in one step and gives it to another in the next, which the
//! first one asks for. If it dies in between and comes back under its name the group sees no reason for another step.
//!
//! So whoever has just joined looks whether all partitions have owners, and joins once more if one stays without.

use std::{collections::BTreeSet, time::Duration};

use rdkafka::consumer::{BaseConsumer, Consumer};

use super::rebalances::Rebalances;
use crate::{Settings, deadline::Deadline};

/// How long one look waits, so that the group and the member are answered in between.
const LOOK: Duration = Duration::from_millis(500);

/// Looks until it has once seen that all partitions have owners.
pub(super) struct Orphans {
    group: String,
    topic: String,
    partitions: u32,
    /// A session: a partition may be on its way from one member to another for a while.
    patience: Duration,
    next: Option<Deadline>,
    missing: BTreeSet<u32>,
}

impl Orphans {
    /// Of a group and its first topic, by their names in the cluster.
    pub(super) fn new(settings: &Settings, group: String, topic: String, partitions: u32) -> Self {
        let patience = settings.session_max;
        Self { group, topic, partitions, patience, next: Some(Deadline::after(patience)), missing: BTreeSet::new() }
    }

    /// Whether the same partitions had no owner twice in a row.
    pub(super) fn are_there(&mut self, consumer: &BaseConsumer<Rebalances>) -> bool {
        if !self.next.is_some_and(|next| next.is_over()) {
            return false;
        }
        self.next = Some(Deadline::after(self.patience));
        let Some(owned) = self.owned(consumer) else { return false };
        let missing: BTreeSet<u32> = (0..self.partitions).filter(|partition| !owned.contains(partition)).collect();
        if missing.is_empty() {
            self.next = None;
        }
        let found = !missing.is_empty() && missing == self.missing;
        self.missing = if found { BTreeSet::new() } else { missing };
        found
    }

    /// What members own, if the group is at rest.
    fn owned(&self, consumer: &BaseConsumer<Rebalances>) -> Option<BTreeSet<u32>> {
        let groups = consumer.fetch_group_list(Some(&self.group), LOOK).ok()?;
        let group = groups.groups().iter().find(|group| group.name() == self.group)?;
        let assignments = group.members().iter().map(|member| member.assignment().unwrap_or_default());
        let partitions = assignments.map(|assignment| partitions(assignment, &self.topic));
        (group.state() == "Stable").then(|| partitions.flatten().flatten().collect())
    }
}

/// The partitions of a topic in what a member was assigned, as consumers write it: a version, then topics with partitions.
fn partitions(mut assignment: &[u8], topic: &str) -> Option<Vec<u32>> {
    let bytes = &mut assignment;
    let _version = take(bytes, 2)?;
    let topics = number(bytes)?;
    let mut found = Vec::new();
    for _ in 0..topics {
        let length = take(bytes, 2)?.iter().fold(0, |all, byte| all << 8 | usize::from(*byte));
        let is_it = take(bytes, length)? == topic.as_bytes();
        for _ in 0..number(bytes)? {
            let partition = number(bytes)?;
            found.extend(is_it.then_some(partition));
        }
    }
    Some(found)
}

fn take<'l>(bytes: &mut &'l [u8], count: usize) -> Option<&'l [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

fn number(bytes: &mut &[u8]) -> Option<u32> {
    take(bytes, 4)?.try_into().ok().map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_member_was_assigned_is_understood() {
        let assignment = b"\0\x01\0\0\0\x02\0\x01a\0\0\0\x01\0\0\0\x07\0\x02bc\0\0\0\x02\0\0\0\0\0\0\x01\0\xff\xff\xff\xff";
        assert_eq!(partitions(assignment, "a"), Some(vec![7]));
        assert_eq!(partitions(assignment, "bc"), Some(vec![0, 256]));
        assert_eq!(partitions(assignment, "d"), Some(vec![]));
        for length in 0..assignment.len() - 5 {
            assert_eq!(partitions(&assignment[..length], "a"), None, "{length}");
        }
    }
}
