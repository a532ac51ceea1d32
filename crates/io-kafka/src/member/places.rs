//! What is committed of the partitions that a member has, and what of it a commit has to write down.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ports::{Assignment, Commit, Position};
use rdkafka::{Offset, TopicPartitionList};

use crate::{Error, deadline::Deadline, names::Names, note};

/// How often a position is written down although it stays the same: brokers forget after some days what they have not heard of again.
const AGAIN_AFTER: Duration = Duration::from_secs(3600);

/// Positions of the partitions of a member, by topic.
pub(super) struct Places {
    topics: Arc<[Arc<str>]>,
    committed: BTreeMap<u32, Committed>,
}

/// Of one partition.
#[derive(Clone, Default)]
struct Committed {
    next: Vec<Option<u64>>,
    /// Until when all of them need not be written down again; none for those that this member has never written down.
    known_until: Option<Deadline>,
}

/// What holds once a commit has happened.
pub(super) struct After(BTreeMap<u32, Committed>);

impl Places {
    pub(super) fn new(topics: Arc<[Arc<str>]>) -> Self {
        Self { topics, committed: BTreeMap::new() }
    }

    pub(super) fn has(&self, partition: u32) -> bool {
        self.committed.contains_key(&partition)
    }

    pub(super) fn place(&self, topic: &str) -> Option<usize> {
        self.topics.iter().position(|known| **known == *topic)
    }

    pub(super) fn add(&mut self, assignment: &Assignment) {
        let next = self.topics.iter().map(|topic| assignment.next(topic)).collect();
        self.committed.insert(assignment.partition, Committed { next, known_until: None });
    }

    pub(super) fn remove<'p>(&mut self, partitions: impl IntoIterator<Item = &'p u32>) {
        partitions.into_iter().for_each(|partition| drop(self.committed.remove(partition)));
    }

    /// All that there were.
    pub(super) fn take(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.committed).into_keys().collect()
    }

    /// What commits have to write down: the note of a partition beside the position of the first topic, and of the others what has moved.
    pub(super) fn written(&self, commits: &[Commit], names: &Names) -> Result<(TopicPartitionList, After), Error> {
        let mut list = TopicPartitionList::new();
        let mut after = BTreeMap::new();
        let failed = || Error::kafka("positions cannot be written down");
        for Commit { partition, positions, note, .. } in commits {
            let before = self.committed.get(partition).cloned().unwrap_or_default();
            let next = self.moved(&before, positions);
            let known_until = before.known_until.filter(|until| !until.is_over());
            for (place, topic) in self.topics.iter().enumerate() {
                let of_note = place == 0;
                let Some(offset) = next[place].or(of_note.then_some(0)) else { continue };
                if known_until.is_some() && !of_note && next[place] == before.next[place] {
                    continue;
                }
                let name = names.outside(topic);
                let offset = Offset::Offset(offset.cast_signed());
                list.add_partition_offset(&name, partition.cast_signed(), offset).map_err(failed())?;
                if of_note && let Some(mut element) = list.find_partition(&name, partition.cast_signed()) {
                    element.set_metadata(note::to_text(note));
                }
            }
            let known_until = Some(known_until.unwrap_or_else(|| Deadline::after(AGAIN_AFTER)));
            after.insert(*partition, Committed { next, known_until });
        }
        Ok((list, After(after)))
    }

    pub(super) fn committed(&mut self, After(after): After) {
        self.committed.extend(after);
    }

    fn moved(&self, before: &Committed, positions: &[Position]) -> Vec<Option<u64>> {
        let mut next = before.next.clone();
        next.resize(self.topics.len(), None);
        for Position { topic, next: position } in positions {
            if let Some(place) = self.place(topic) {
                next[place] = Some(*position);
            }
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::Settings;

    #[test]
    fn what_has_not_moved_is_written_down_once() {
        let topics = ["first", "moves", "stays", "never"].map(Arc::from);
        let mut places = Places::new(Arc::from(topics.clone()));
        let at = |place: usize, next| Position { topic: topics[place].clone(), next };
        places.add(&Assignment { partition: 3, positions: vec![at(0, 1), at(1, 5), at(2, 9)], note: Bytes::new() });
        let mut commit = |positions| {
            let commit = Commit { partition: 3, positions, note: Bytes::from_static(b"n"), outputs: Vec::new() };
            let (list, after) = places.written(&[commit], &Names::new(&Settings::new("b"))).expect("a list");
            places.committed(after);
            let told = |element: rdkafka::topic_partition_list::TopicPartitionListElem<'_>| {
                (element.topic().to_owned(), element.offset().to_raw().expect("an offset"))
            };
            list.elements().into_iter().map(told).collect::<Vec<_>>()
        };
        let told = |all: &[(&str, i64)]| all.iter().map(|(topic, next)| ((*topic).to_owned(), *next)).collect::<Vec<_>>();
        assert_eq!(
            commit(vec![at(1, 6)]),
            told(&[("first", 1), ("moves", 6), ("stays", 9)]),
            "all of a partition that was just taken"
        );
        assert_eq!(commit(vec![at(1, 6), at(2, 9)]), told(&[("first", 1)]), "the note has to go somewhere");
        assert_eq!(commit(vec![at(0, 2), at(1, 7)]), told(&[("first", 2), ("moves", 7)]));
        assert_eq!(commit(vec![at(3, 0)]), told(&[("first", 2), ("never", 0)]));
    }
}
