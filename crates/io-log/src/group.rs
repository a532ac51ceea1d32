//! Who owns which partition of a group: pure, no waiting, no records. Owners change only when the old one has let go.

use std::collections::{BTreeMap, BTreeSet};

/// All groups of a log.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    groups: BTreeMap<String, Group>,
    seats: u64,
}

/// One member's place: its name and which of those who came under that name it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) group: String,
    pub(crate) member: String,
    pub(crate) number: u64,
}

/// What a member should hear.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    Assigned(Vec<u32>),
    Revoked(Vec<u32>),
    Lost(Vec<u32>),
    /// It has heard `Lost` before.
    Gone,
}

#[derive(Debug, Default)]
struct Group {
    partitions: u32,
    members: BTreeMap<String, Member>,
    /// Who was replaced and has not heard of it, with what it lost.
    replaced: BTreeMap<u64, Vec<u32>>,
    /// Commits are being written for these; nobody new hears of them until that is done.
    writing: BTreeSet<u32>,
}

#[derive(Debug)]
struct Member {
    number: u64,
    greeted: bool,
    holds: BTreeMap<u32, Hold>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// Not told yet.
    Fresh,
    Owned,
    /// Somebody else should have it; not told yet.
    Surplus,
    /// Told; goes with the next call.
    Revoked,
}

impl Groups {
    /// Gives a member its seat; whoever sat there under the same name is replaced. The error is the group's number of partitions.
    pub(crate) fn join(&mut self, group: &str, member: &str, partitions: u32) -> Result<Seat, u32> {
        let known = self.groups.entry(group.to_owned()).or_default();
        if known.members.is_empty() {
            known.partitions = partitions;
        } else if known.partitions != partitions {
            return Err(known.partitions);
        }
        self.seats += 1;
        let fresh = Member { number: self.seats, greeted: false, holds: BTreeMap::new() };
        if let Some(old) = known.members.insert(member.to_owned(), fresh) {
            let told = old.holds.iter().filter(|(_, hold)| **hold != Hold::Fresh);
            known.replaced.insert(old.number, told.map(|(partition, _)| *partition).collect());
        }
        known.balance();
        Ok(Seat { group: group.to_owned(), member: member.to_owned(), number: self.seats })
    }

    /// Gives everything of a member back. True when that changed something.
    pub(crate) fn leave(&mut self, seat: &Seat) -> bool {
        let Some(group) = self.groups.get_mut(&seat.group) else { return false };
        group.replaced.remove(&seat.number);
        let seated = group.members.get(&seat.member).is_some_and(|member| member.number == seat.number);
        if seated {
            group.members.remove(&seat.member);
            group.balance();
        }
        if group.members.is_empty() && group.replaced.is_empty() && group.writing.is_empty() {
            self.groups.remove(&seat.group);
        }
        seated
    }

    /// Lets go of what the member has heard it should. True when that changed something.
    pub(crate) fn release(&mut self, seat: &Seat) -> bool {
        let Some(group) = self.groups.get_mut(&seat.group) else { return false };
        let Some(member) = group.member(seat) else { return false };
        let before = member.holds.len();
        member.holds.retain(|_, hold| *hold != Hold::Revoked);
        let changed = member.holds.len() != before;
        if changed {
            group.balance();
        }
        changed
    }

    /// What the member has to hear next, if anything; it counts as heard.
    pub(crate) fn notice(&mut self, seat: &Seat) -> Option<Notice> {
        let Some(group) = self.groups.get_mut(&seat.group) else { return Some(Notice::Gone) };
        let writing = group.writing.clone();
        let Some(member) = group.member(seat) else {
            return Some(group.replaced.remove(&seat.number).map_or(Notice::Gone, Notice::Lost));
        };
        if member.has(Hold::Surplus) {
            return Some(Notice::Revoked(member.turn(Hold::Surplus, Hold::Revoked)));
        }
        let waits = member.holds.iter().any(|(partition, hold)| *hold == Hold::Fresh && writing.contains(partition));
        if waits || (member.greeted && !member.has(Hold::Fresh)) {
            return None;
        }
        member.greeted = true;
        Some(Notice::Assigned(member.turn(Hold::Fresh, Hold::Owned)))
    }

    /// Whether the member may commit and read this partition.
    pub(crate) fn owns(&self, seat: &Seat, partition: u32) -> bool {
        let member = self.groups.get(&seat.group).and_then(|group| group.members.get(&seat.member));
        let member = member.filter(|member| member.number == seat.number);
        member.and_then(|member| member.holds.get(&partition)).is_some_and(|hold| *hold != Hold::Fresh)
    }

    /// A commit of this partition begins to be written: whoever comes next must see it.
    pub(crate) fn begin(&mut self, seat: &Seat, partition: u32) {
        if let Some(group) = self.groups.get_mut(&seat.group) {
            group.writing.insert(partition);
        }
    }

    /// It is written, or was given up.
    pub(crate) fn end(&mut self, seat: &Seat, partition: u32) {
        if let Some(group) = self.groups.get_mut(&seat.group) {
            group.writing.remove(&partition);
            if group.members.is_empty() && group.replaced.is_empty() && group.writing.is_empty() {
                self.groups.remove(&seat.group);
            }
        }
    }
}

impl Group {
    fn member(&mut self, seat: &Seat) -> Option<&mut Member> {
        self.members.get_mut(&seat.member).filter(|member| member.number == seat.number)
    }

    /// Spreads the partitions evenly and moves as few as it can.
    fn balance(&mut self) {
        if self.members.is_empty() {
            return;
        }
        let count = self.members.len();
        let (share, rest) = (self.partitions as usize / count, self.partitions as usize % count);
        let mut by_size: Vec<_> = self.members.values_mut().collect();
        by_size.iter_mut().for_each(|member| member.reconsider());
        // Who has most keeps the odd ones: that moves the least. The sort is stable, so equal ones stay in the order of names.
        by_size.sort_by_key(|member| std::cmp::Reverse(member.kept()));
        let quota = |rank: usize| share + usize::from(rank < rest);
        for (rank, member) in by_size.iter_mut().enumerate() {
            member.shrink(quota(rank));
        }
        let taken: BTreeSet<u32> = by_size.iter().flat_map(|member| member.holds.keys().copied()).collect();
        let mut free = (0..self.partitions).filter(|partition| !taken.contains(partition));
        for (rank, member) in by_size.iter_mut().enumerate() {
            let wanted = quota(rank).saturating_sub(member.kept());
            member.holds.extend(free.by_ref().take(wanted).map(|partition| (partition, Hold::Fresh)));
        }
    }
}

impl Member {
    fn has(&self, hold: Hold) -> bool {
        self.holds.values().any(|held| *held == hold)
    }

    fn turn(&mut self, from: Hold, to: Hold) -> Vec<u32> {
        let turned = self.holds.iter_mut().filter(|(_, hold)| **hold == from);
        turned.map(|(partition, hold)| (*hold = to, *partition).1).collect()
    }

    fn reconsider(&mut self) {
        self.turn(Hold::Surplus, Hold::Owned);
    }

    /// How many it would have if everybody let go of what they should.
    fn kept(&self) -> usize {
        self.holds.values().filter(|hold| matches!(hold, Hold::Fresh | Hold::Owned)).count()
    }

    fn shrink(&mut self, quota: usize) {
        let mut over = self.kept().saturating_sub(quota);
        // What it does not know of goes without a word.
        self.holds.retain(|_, hold| {
            let goes = *hold == Hold::Fresh && over > 0;
            over -= usize::from(goes);
            !goes
        });
        for hold in self.holds.values_mut().rev().filter(|hold| **hold == Hold::Owned).take(over) {
            *hold = Hold::Surplus;
        }
    }
}
