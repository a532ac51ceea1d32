//! What the log holds, in memory: topics, partitions, the newest blocks, positions. Changed only by applying entries, so that a
//! restart that reads the same entries again comes to the same state. Never touches a file.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
};

use bytes::Bytes;
use domain::Timestamp;
use ports::TopicSpec;

use crate::{
    Error,
    frame::{BlockHead, Entry},
};

/// Where something lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) segment: u64,
    pub(crate) at: u64,
}

/// A block and where it lies; with its bytes while it is new.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) head: BlockHead,
    pub(crate) place: Place,
    pub(crate) bytes: Option<Bytes>,
}

/// Topic, partition and first offset of a block.
pub(crate) type BlockKey = (u32, u32, u64);

/// What a group said last about a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Committed {
    pub(crate) positions: BTreeMap<u32, u64>,
    pub(crate) note: Bytes,
}

#[derive(Clone, Debug)]
pub(crate) struct Topic {
    pub(crate) spec: TopicSpec,
    pub(crate) partitions: Vec<Partition>,
}

#[derive(Clone, Debug)]
pub(crate) struct Partition {
    pub(crate) first: u64,
    pub(crate) next: u64,
    /// Of the blocks that are held.
    pub(crate) bytes: u64,
    /// Append times never go back, even when the clock does.
    pub(crate) appended_at: Timestamp,
    /// Blocks before this are in the index.
    pub(crate) indexed: u64,
    /// The blocks that are not in the index, and before them the ones whose bytes are still in memory.
    pub(crate) recent: VecDeque<Block>,
}

impl Default for Partition {
    fn default() -> Self {
        Self { first: 0, next: 0, bytes: 0, appended_at: Timestamp(i64::MIN), indexed: 0, recent: VecDeque::new() }
    }
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) topics: Vec<Topic>,
    pub(crate) names: HashMap<Arc<str>, u32>,
    pub(crate) committed: BTreeMap<(String, u32), Committed>,
    /// Bytes of each segment that somebody may still read.
    pub(crate) live: BTreeMap<u64, u64>,
    /// Of the last frame.
    pub(crate) sequence: u64,
    /// What changed since the index was written.
    pub(crate) unsaved: Unsaved,
    tail: VecDeque<BlockKey>,
    tail_bytes: usize,
    tail_bytes_max: usize,
}

/// What the index does not know yet, beside the blocks behind `indexed`.
#[derive(Debug, Default)]
pub(crate) struct Unsaved {
    pub(crate) committed: BTreeSet<(String, u32)>,
    pub(crate) moved: BTreeMap<BlockKey, Block>,
    pub(crate) trimmed: BTreeSet<(u32, u32)>,
    pub(crate) blocks: usize,
}

impl State {
    pub(crate) fn new(tail_bytes_max: usize) -> Self {
        Self { tail_bytes_max, ..Self::default() }
    }

    pub(crate) fn topic_id(&self, name: &str) -> Result<u32, Error> {
        self.names.get(name).copied().ok_or_else(|| {
            Error::Request(format!("the log has no topic {name:?}: create it first, or look for a slip in its name."))
        })
    }

    /// Ids of a partition that exists.
    pub(crate) fn partition_id(&self, name: &str, partition: u32) -> Result<(u32, u32), Error> {
        let id = self.topic_id(name)?;
        let partitions = self.topics[id as usize].spec.partitions;
        if partition >= partitions {
            return Err(Error::Request(format!(
                "topic {name:?} has partitions 0 to {}, and no {partition}: both sides have to agree on their number.",
                partitions.saturating_sub(1)
            )));
        }
        Ok((id, partition))
    }

    pub(crate) fn partition(&self, (topic, partition): (u32, u32)) -> &Partition {
        &self.topics[topic as usize].partitions[partition as usize]
    }

    pub(crate) fn partition_mut(&mut self, (topic, partition): (u32, u32)) -> &mut Partition {
        &mut self.topics[topic as usize].partitions[partition as usize]
    }

    pub(crate) fn name(&self, topic: u32) -> &Arc<str> {
        &self.topics[topic as usize].spec.name
    }

    /// A topic that is there, or has another retention now.
    pub(crate) fn apply_topic(&mut self, id: u32, spec: TopicSpec) {
        if let Some(topic) = self.topics.get_mut(id as usize) {
            topic.spec = spec;
            return;
        }
        self.names.insert(spec.name.clone(), id);
        let partitions = vec![Partition::default(); spec.partitions as usize];
        self.topics.push(Topic { spec, partitions });
    }

    /// Takes a frame over: its entries, and where its blocks' bytes begin on disk and in memory.
    pub(crate) fn apply(&mut self, sequence: u64, entries: Vec<Entry>, mut place: Place, frame: &Bytes, mut at: usize) {
        self.sequence = sequence;
        self.live.entry(place.segment).or_default();
        for entry in entries {
            match entry {
                Entry::Topic { id, spec } => self.apply_topic(id, spec),
                Entry::Commit { group, partition, positions, note } => {
                    let committed = self.committed.entry((group.clone(), partition)).or_default();
                    committed.positions.extend(positions);
                    committed.note = note;
                    self.unsaved.committed.insert((group, partition));
                }
                Entry::Block(head) => {
                    let end = at + head.length as usize;
                    self.append(Block { head, place, bytes: Some(frame.slice(at..end)) });
                    (place.at, at) = (place.at + u64::from(head.length), end);
                }
                Entry::Moved { head, from } => {
                    self.relocate(Block { head, place, bytes: None }, from);
                    (place.at, at) = (place.at + u64::from(head.length), at + head.length as usize);
                }
            }
        }
        self.evict();
    }

    /// Forgets the oldest blocks of a partition, given as they lie.
    pub(crate) fn trim(&mut self, id: (u32, u32), oldest: &[Block]) {
        for block in oldest {
            self.release(block.place.segment, block.head.length);
            self.unsaved.moved.remove(&(id.0, id.1, block.head.first));
            let partition = self.partition_mut(id);
            partition.first = block.head.first + u64::from(block.head.count);
            partition.bytes = partition.bytes.saturating_sub(u64::from(block.head.length));
        }
        let partition = self.partition_mut(id);
        partition.indexed = partition.indexed.max(partition.first);
        let mut freed = 0;
        while let Some(block) = partition.recent.pop_front_if(|block| block.head.first < partition.first) {
            freed += block.bytes.map_or(0, |bytes| bytes.len());
        }
        self.tail_bytes -= freed;
        self.unsaved.trimmed.insert(id);
    }

    /// The index has everything now.
    pub(crate) fn saved(&mut self) {
        self.unsaved = Unsaved::default();
        for partition in self.topics.iter_mut().flat_map(|topic| &mut topic.partitions) {
            partition.indexed = partition.next;
            while partition.recent.pop_front_if(|block| block.bytes.is_none()).is_some() {}
        }
    }

    fn append(&mut self, block: Block) {
        let id = (block.head.topic, block.head.partition);
        let length = u64::from(block.head.length);
        *self.live.entry(block.place.segment).or_default() += length;
        self.tail.push_back((id.0, id.1, block.head.first));
        self.tail_bytes += block.head.length as usize;
        self.unsaved.blocks += 1;
        let partition = self.partition_mut(id);
        partition.next = block.head.first + u64::from(block.head.count);
        partition.bytes += length;
        partition.appended_at = block.head.append_at;
        partition.recent.push_back(block);
    }

    fn relocate(&mut self, block: Block, from: u64) {
        let id = (block.head.topic, block.head.partition);
        if block.head.first < self.partition(id).first {
            return;
        }
        self.release(from, block.head.length);
        *self.live.entry(block.place.segment).or_default() += u64::from(block.head.length);
        let recent = &mut self.partition_mut(id).recent;
        if let Ok(at) = recent.binary_search_by_key(&block.head.first, |block| block.head.first) {
            recent[at].place = block.place;
        }
        self.unsaved.blocks += 1;
        self.unsaved.moved.insert((id.0, id.1, block.head.first), block);
    }

    fn release(&mut self, segment: u64, length: u32) {
        if let Some(live) = self.live.get_mut(&segment) {
            *live = live.saturating_sub(u64::from(length));
        }
    }

    /// Lets go of the oldest bytes in memory.
    fn evict(&mut self) {
        while self.tail_bytes > self.tail_bytes_max {
            let Some((topic, partition, first)) = self.tail.pop_front() else { return };
            let partition = &mut self.topics[topic as usize].partitions[partition as usize];
            let Ok(at) = partition.recent.binary_search_by_key(&first, |block| block.head.first) else { continue };
            self.tail_bytes -= partition.recent[at].bytes.take().map_or(0, |bytes| bytes.len());
            let indexed = partition.indexed;
            while partition.recent.pop_front_if(|block| block.bytes.is_none() && block.head.first < indexed).is_some() {}
        }
    }
}
