//! Groups as a broker sees them: members with sessions, partitions with owners, positions with notes. The spread is simple on
//! purpose - partitions in turn over the members in the order of their names - so that almost every change moves something.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use ports::{Assignment, Error, Position};
use tokio::time::Instant;

use super::store::invalid;

#[derive(Default)]
pub(super) struct Groups {
    groups: BTreeMap<String, Group>,
    seats: u64,
}

#[derive(Default)]
struct Group {
    partitions: u32,
    /// By name; the number tells those apart who came under the same one.
    members: BTreeMap<String, Seat>,
    owners: BTreeMap<u32, Owner>,
    committed: BTreeMap<u32, (BTreeMap<Arc<str>, u64>, Bytes)>,
    /// Moves everything by so many members.
    turn: usize,
}

struct Seat {
    number: u64,
    greeted: bool,
    /// Its session is over then, unless it is heard of before: its process is gone, or stands still.
    missed_at: Option<Instant>,
}

struct Owner {
    seat: u64,
    told: bool,
    revoked: bool,
}

/// What a member has to hear.
pub(super) enum Notice {
    Assigned(Vec<Assignment>),
    Revoked(Vec<u32>),
    /// Its seat is somebody else's now.
    Replaced,
    /// Its seat is nobody's.
    Expired,
}

impl Groups {
    pub(super) fn join(&mut self, group: &str, member: &str, partitions: u32) -> Result<u64, Error> {
        let group = self.groups.entry(group.to_owned()).or_default();
        if !group.members.is_empty() && group.partitions != partitions {
            return Err(invalid(format!("the group reads topics of {} partitions, not {partitions}", group.partitions)));
        }
        self.seats += 1;
        group.partitions = partitions;
        if let Some(old) = group.members.insert(member.to_owned(), Seat { number: self.seats, greeted: false, missed_at: None }) {
            group.owners.retain(|_, owner| owner.seat != old.number);
        }
        group.spread();
        Ok(self.seats)
    }

    /// Ends a membership, if it still is one.
    pub(super) fn leave(&mut self, group: &str, member: &str, number: u64) {
        let Some(group) = self.groups.get_mut(group) else { return };
        if group.seat(member, number).is_some() {
            group.members.remove(member);
            group.owners.retain(|_, owner| owner.seat != number);
            group.spread();
        }
    }

    /// A member is missed at this instant, unless it is heard of before.
    pub(super) fn miss(&mut self, group: &str, member: &str, number: u64, at: Instant) {
        if let Some(seat) = self.groups.get_mut(group).and_then(|group| group.seat(member, number)) {
            seat.missed_at = Some(at);
        }
    }

    /// Ends the sessions that are over; says when the next one will be.
    pub(super) fn expire(&mut self, group: &str, now: Instant) -> Option<Instant> {
        let members = &self.groups.get(group)?.members;
        let over = members.iter().filter(|(_, seat)| seat.missed_at.is_some_and(|at| at <= now));
        let over: Vec<(String, u64)> = over.map(|(name, seat)| (name.clone(), seat.number)).collect();
        over.iter().for_each(|(member, number)| self.leave(group, member, *number));
        self.groups.get(group)?.members.values().filter_map(|seat| seat.missed_at).min()
    }

    /// Moves every partition on to the next member.
    pub(super) fn rebalance(&mut self, group: &str) {
        if let Some(group) = self.groups.get_mut(group) {
            group.turn += 1;
            group.spread();
        }
    }

    /// Takes what was revoked from a member that asks for its next event.
    pub(super) fn release(&mut self, group: &str, number: u64) {
        if let Some(group) = self.groups.get_mut(group) {
            group.owners.retain(|_, owner| owner.seat != number || !owner.revoked);
            group.spread();
        }
    }

    pub(super) fn notice(&mut self, group: &str, member: &str, number: u64) -> Option<Notice> {
        let Some(group) = self.groups.get_mut(group) else { return Some(Notice::Expired) };
        let Some(seat) = group.members.get(member) else { return Some(Notice::Expired) };
        if seat.number != number {
            return Some(Notice::Replaced);
        }
        let greeted = seat.greeted;
        let revoked = group.revoke(number);
        if !revoked.is_empty() {
            return Some(Notice::Revoked(revoked));
        }
        let fresh = group.owners.iter_mut().filter(|(_, owner)| owner.seat == number && !owner.told);
        let fresh: Vec<u32> = fresh.map(|(partition, owner)| (owner.told = true, *partition).1).collect();
        if greeted && fresh.is_empty() {
            return None;
        }
        group.members.get_mut(member)?.greeted = true;
        Some(Notice::Assigned(fresh.into_iter().map(|partition| group.assignment(partition)).collect()))
    }

    pub(super) fn owns(&self, group: &str, number: u64, partition: u32) -> bool {
        let owner = self.groups.get(group).and_then(|group| group.owners.get(&partition));
        owner.is_some_and(|owner| owner.seat == number && owner.told)
    }

    pub(super) fn commit(&mut self, group: &str, partition: u32, positions: Vec<Position>, note: Bytes) {
        let committed = self.groups.entry(group.to_owned()).or_default().committed.entry(partition).or_default();
        committed.0.extend(positions.into_iter().map(|position| (position.topic, position.next)));
        committed.1 = note;
    }

    pub(super) fn committed(&self, group: &str, topics: &[Arc<str>]) -> Vec<Assignment> {
        let Some(group) = self.groups.get(group) else { return Vec::new() };
        let mut committed: Vec<Assignment> = group.committed.keys().map(|partition| group.assignment(*partition)).collect();
        committed.iter_mut().for_each(|assignment| assignment.positions.retain(|position| topics.contains(&position.topic)));
        committed
    }
}

impl Group {
    fn seat(&mut self, member: &str, number: u64) -> Option<&mut Seat> {
        self.members.get_mut(member).filter(|seat| seat.number == number)
    }

    /// Who should own a partition.
    fn wanted(&self, partition: u32) -> Option<u64> {
        let count = self.members.len().max(1);
        self.members.values().nth((partition as usize + self.turn) % count).map(|seat| seat.number)
    }

    /// Gives what nobody owns, and takes back what was not told yet.
    fn spread(&mut self) {
        for partition in 0..self.partitions {
            let Some(seat) = self.wanted(partition) else { continue };
            if self.owners.get(&partition).is_none_or(|owner| !owner.told) {
                self.owners.insert(partition, Owner { seat, told: false, revoked: false });
            }
        }
    }

    /// What a member owns and should not.
    fn revoke(&mut self, number: u64) -> Vec<u32> {
        let wanted: BTreeSet<u32> = (0..self.partitions).filter(|partition| self.wanted(*partition) == Some(number)).collect();
        let surplus = self
            .owners
            .iter_mut()
            .filter(|(partition, owner)| owner.seat == number && owner.told && !owner.revoked && !wanted.contains(partition));
        surplus.map(|(partition, owner)| (owner.revoked = true, *partition).1).collect()
    }

    fn assignment(&self, partition: u32) -> Assignment {
        let (positions, note) = self.committed.get(&partition).cloned().unwrap_or_default();
        let positions = positions.into_iter().map(|(topic, next)| Position { topic, next }).collect();
        Assignment { partition, positions, note }
    }
}
