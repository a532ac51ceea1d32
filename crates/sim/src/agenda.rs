//! What is going to happen, in order of time. Each entry keeps the law by which its time was drawn, so that a copy of the
//! world can draw all hidden times again. Knows nothing of cities or fleets.

use std::{
    cmp::{Ordering, Reverse},
    collections::BinaryHeap,
};

use domain::{Span, Timestamp};

use crate::chance::{Chance, Law};

/// The future.
#[derive(Clone, Debug)]
pub(crate) struct Agenda<T> {
    entries: BinaryHeap<Reverse<Entry<T>>>,
    /// Breaks ties, so that what was decided first happens first.
    number: u64,
}

/// One thing that is going to happen.
#[derive(Clone, Debug)]
struct Entry<T> {
    at: Timestamp,
    number: u64,
    began: Timestamp,
    law: Law,
    task: T,
}

impl<T: Copy> Agenda<T> {
    pub(crate) fn new() -> Self {
        Self { entries: BinaryHeap::new(), number: 0 }
    }

    /// Decides when, and answers it. Nothing happens at the very instant in which it is decided.
    pub(crate) fn add(&mut self, now: Timestamp, law: Law, task: T, chance: &mut Chance) -> Timestamp {
        let at = now.plus(Span(law.draw(chance).max(1)));
        self.number += 1;
        self.entries.push(Reverse(Entry { at, number: self.number, began: now, law, task }));
        at
    }

    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.entries.peek().map(|Reverse(entry)| entry.at)
    }

    pub(crate) fn pop(&mut self) -> Option<(Timestamp, T)> {
        self.entries.pop().map(|Reverse(entry)| (entry.at, entry.task))
    }

    /// Forgets when things will happen, and draws it again from what can be known now: their laws, and that they have not
    /// happened yet. Tasks that are not kept are gone.
    pub(crate) fn redraw(&mut self, now: Timestamp, chance: &mut Chance, keep: impl Fn(&T) -> bool) {
        let mut entries: Vec<Entry<T>> = self.entries.drain().map(|Reverse(entry)| entry).collect();
        // The heap's own order depends on its history; the draws may not.
        entries.sort_unstable();
        entries.retain(|entry| keep(&entry.task));
        for entry in &mut entries {
            let elapsed = now.0 - entry.began.0;
            entry.at = entry.began.plus(Span(entry.law.draw_beyond(elapsed, chance))).max(now.plus(Span(1)));
        }
        self.entries = entries.into_iter().map(Reverse).collect();
    }

    /// How many things are going to happen.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Stream;

    const NOON: Timestamp = Timestamp(1_772_366_400_000);

    #[test]
    fn things_happen_in_order_and_ties_as_they_were_decided() {
        let (mut agenda, mut chance) = (Agenda::new(), Chance::new(1, Stream::Future));
        for (task, seconds) in [("late", 9), ("first", 5), ("second", 5)] {
            agenda.add(NOON, Law::seconds(seconds), task, &mut chance);
        }
        let order: Vec<_> = std::iter::from_fn(|| agenda.pop()).map(|(_, task)| task).collect();
        assert_eq!(order, ["first", "second", "late"]);
    }

    #[test]
    fn a_redrawn_future_keeps_what_is_known_and_nothing_lies_in_the_past() {
        let (mut agenda, mut chance) = (Agenda::new(), Chance::new(1, Stream::Future));
        let fixed = agenda.add(NOON, Law::seconds(600), "fixed", &mut chance);
        let hidden = agenda.add(NOON, Law::about(600.0, 0.5), "hidden", &mut chance);
        agenda.add(NOON, Law::seconds(5), "gone", &mut chance);
        let now = NOON.plus(Span(120_000));
        agenda.redraw(now, &mut Chance::new(2, Stream::Future), |task| *task != "gone");
        let after: Vec<_> = std::iter::from_fn(|| agenda.pop()).collect();
        assert_eq!(after.len(), 2);
        assert!(after.contains(&(fixed, "fixed")));
        assert!(!after.contains(&(hidden, "hidden")) && after.iter().all(|(at, _)| *at > now), "{after:?}");
    }
}
