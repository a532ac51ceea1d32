//! What may go, and the disk space with it: old blocks are forgotten, segments without blocks removed, and the few blocks that keep
//! a large segment alive moved into the newest one. A bounded piece of work at a time, on the writer's thread.

use std::time::Duration;

use domain::{Span, Timestamp};

use crate::{
    Error,
    frame::{self, Entry},
    reader,
    state::{Block, Place},
    writer::thread::Writer,
};

/// Blocks of one partition that one step forgets: some milliseconds of work. What is left over waits for the next step.
const BLOCKS_MAX: usize = 1024;
/// A segment is emptied by moving its blocks when less than one part in this many of it is still held: then three quarters of what
/// is written for it come back at least.
const MOVE_BELOW: u64 = 4;
/// How much faster than real time a clock that jumped ahead is believed.
const BELIEVED_PACE: i64 = 2;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Retention {
    believed: Timestamp,
    step_max: Span,
}

impl Retention {
    pub(crate) fn new(now: Timestamp, every: Duration) -> Self {
        let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
        Self { believed: now, step_max: Span(every.saturating_mul(BELIEVED_PACE)) }
    }

    /// Takes the clock over, as far as it is believed.
    pub(crate) fn look(&mut self, now: Timestamp) {
        self.believed = now.min(self.believed.plus(self.step_max));
    }

    /// Forgets some of what has to go, and frees its space. True when there may be more to do.
    pub(crate) fn step(self, writer: &mut Writer) -> Result<bool, Error> {
        let mut changed = false;
        let partitions = partitions(writer);
        for id in partitions {
            let outdated = outdated(writer, id, self.believed)?;
            if !outdated.is_empty() {
                writer.shared.state_mut().trim(id, &outdated);
                changed = true;
            }
        }
        changed |= move_out(writer)?;
        let empty = empty_segments(writer);
        // Also what an earlier step changed and could not save.
        if changed || !empty.is_empty() {
            writer.save()?;
        }
        for id in empty {
            writer.shared.segments.remove(id)?;
            writer.shared.state_mut().live.remove(&id);
        }
        Ok(changed)
    }
}

/// Partitions of topics that keep records for a while only.
fn partitions(writer: &Writer) -> Vec<(u32, u32)> {
    let state = writer.shared.state();
    let bounded =
        (0_u32..).zip(&state.topics).filter(|(_, topic)| topic.spec.retention.is_some() || topic.spec.retention_bytes.is_some());
    bounded.flat_map(|(id, topic)| (0..topic.spec.partitions).map(move |partition| (id, partition))).collect()
}

/// The oldest blocks of a partition that may go. The newest one stays, so that offsets go on after a restart of everything.
fn outdated(writer: &Writer, id: (u32, u32), now: Timestamp) -> Result<Vec<Block>, Error> {
    let (first, next, mut bytes, before, bytes_max) = {
        let state = writer.shared.state();
        let (partition, spec) = (state.partition(id), &state.topics[id.0 as usize].spec);
        let before = spec.retention.map(|retention| now.minus(retention));
        (partition.first, partition.next, partition.bytes, before, spec.retention_bytes.unwrap_or(u64::MAX))
    };
    let mut outdated = Vec::new();
    let mut at = first;
    while outdated.len() < BLOCKS_MAX {
        let found = reader::locate(&writer.shared, id, at, BLOCKS_MAX)?;
        let Some(last) = found.last() else { break };
        at = last.head.first + u64::from(last.head.count);
        for block in found {
            let old = before.is_some_and(|before| block.head.append_at < before);
            if !(old || bytes > bytes_max) || block.head.first + u64::from(block.head.count) >= next {
                return Ok(outdated);
            }
            bytes = bytes.saturating_sub(u64::from(block.head.length));
            outdated.push(block);
        }
    }
    Ok(outdated)
}

/// Copies what is left of one nearly empty segment. True when there was one.
fn move_out(writer: &mut Writer) -> Result<bool, Error> {
    let below = writer.shared.settings.segment_bytes / MOVE_BELOW;
    let nearly_empty = |(id, live): &(&u64, &u64)| **id < writer.active.id && **live > 0 && **live < below;
    let Some(segment) = writer.shared.state().live.iter().find(nearly_empty).map(|(id, _)| *id) else { return Ok(false) };
    let mut entries = Vec::new();
    let mut moved = Vec::new();
    for block in blocks_in(writer, segment)? {
        if let Some(bytes) = reader::bytes_of(&writer.shared, &block)? {
            entries.push(Entry::Moved { head: block.head, from: segment });
            moved.push(bytes);
        }
    }
    writer.put(entries, moved.iter().map(|bytes| &bytes[..]))?;
    Ok(true)
}

/// The blocks that are held and lie in a segment.
fn blocks_in(writer: &Writer, segment: u64) -> Result<Vec<Block>, Error> {
    let bytes = writer.shared.segments.read_from(segment, 0)?;
    let mut held = Vec::new();
    let mut at = 0;
    while let Some(frame) = frame::decode_head(&bytes.slice(at..)) {
        let mut place = Place { segment, at: (at + frame.data_at) as u64 };
        for head in frame.blocks() {
            let here = reader::locate(&writer.shared, (head.topic, head.partition), head.first, 1)?.pop();
            held.extend(here.filter(|block| block.place == place && block.head.first == head.first));
            place.at += u64::from(head.length);
        }
        at += frame.length;
    }
    Ok(held)
}

/// The segments that hold nothing any more. Their files may go once the index knows, and not before.
fn empty_segments(writer: &Writer) -> Vec<u64> {
    let empty = |(id, live): &(&u64, &u64)| **id < writer.active.id && **live == 0;
    writer.shared.state().live.iter().filter(empty).map(|(id, _)| *id).collect()
}
