//! Reads: from memory at once, from segments on a thread that may wait. Serves no byte whose checksum is wrong.

use std::{io, sync::Arc};

use bytes::Bytes;
use domain::Timestamp;
use ports::Record;
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    Error, block,
    index::BLOCKS_MAX,
    shared::Shared,
    state::{Block, State},
};

/// A block can move while it is looked up, and not for long: more often than this it is gone.
const LOOKUPS_MAX: usize = 5;

/// The records of a partition from an offset on, by whole blocks; none when there are none.
pub(crate) async fn records(shared: &Arc<Shared>, id: (u32, u32), from: u64, bytes_max: usize) -> Result<Vec<Record>, Error> {
    // The lock ends here: the writer must not wait until the records are decoded.
    let cached = in_memory(&shared.state(), id, from, bytes_max);
    if let Some(found) = cached {
        return decode(shared, &found, from);
    }
    let shared = shared.clone();
    on_a_thread(move || on_disk(&shared, id, from, bytes_max)).await
}

/// The first offset of a partition that was appended at or after an instant. Append times never go back, so halving finds it.
pub(crate) async fn offset_at(shared: &Arc<Shared>, id: (u32, u32), at: Timestamp) -> Result<u64, Error> {
    let shared = shared.clone();
    on_a_thread(move || {
        let (mut low, mut high) = {
            let state = shared.state();
            let partition = state.partition(id);
            (partition.first, partition.next)
        };
        while low < high {
            let Some(Block { head, .. }) = locate(&shared, id, low + (high - low) / 2, 1)?.pop() else { break };
            if head.append_at < at {
                low = low.max(head.first + u64::from(head.count));
            } else {
                high = high.min(head.first.max(low));
            }
        }
        Ok(low)
    })
    .await
}

/// The block that holds an offset and some behind it, where they lie now.
pub(crate) fn locate(shared: &Shared, id: (u32, u32), from: u64, blocks_max: usize) -> Result<Vec<Block>, Error> {
    let recent = |state: &State| {
        let recent = &state.partition(id).recent;
        let at = recent.partition_point(|block| block.head.first <= from);
        (at > 0).then(|| recent.range(at - 1..).take(blocks_max.min(BLOCKS_MAX)).cloned().collect::<Vec<_>>())
    };
    let known = recent(&shared.state());
    if let Some(found) = known {
        return Ok(found);
    }
    let mut found = shared.index.blocks(id, from, blocks_max)?;
    let state = shared.state();
    for block in &mut found {
        if let Some(moved) = state.unsaved.moved.get(&(id.0, id.1, block.head.first)) {
            block.place = moved.place;
        }
    }
    Ok(found)
}

/// The bytes of a block, none when its segment is gone.
pub(crate) fn bytes_of(shared: &Shared, block: &Block) -> Result<Option<Bytes>, Error> {
    if let Some(bytes) = &block.bytes {
        return Ok(Some(bytes.clone()));
    }
    match shared.segments.read(block.place.segment, block.place.at, block.head.length as usize) {
        Ok(bytes) if xxh3_64(&bytes) == block.head.checksum => Ok(Some(bytes)),
        Ok(_) => Err(damaged(shared, block)),
        Err(source) if source.kind() == io::ErrorKind::UnexpectedEof => Err(damaged(shared, block)),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Error::Read { path: shared.segments.path(block.place.segment), source }),
    }
}

fn in_memory(state: &State, id: (u32, u32), from: u64, bytes_max: usize) -> Option<Vec<Block>> {
    let partition = state.partition(id);
    let from = from.max(partition.first);
    if from >= partition.next {
        return Some(Vec::new());
    }
    let at = partition.recent.partition_point(|block| block.head.first <= from).checked_sub(1)?;
    let cached = partition.recent.range(at..).take_while(|block| block.bytes.is_some());
    let found = up_to(bytes_max, cached.cloned());
    (!found.is_empty()).then_some(found)
}

fn on_disk(shared: &Shared, id: (u32, u32), from: u64, bytes_max: usize) -> Result<Vec<Record>, Error> {
    'moved: for _ in 0..LOOKUPS_MAX {
        let (first, next) = {
            let state = shared.state();
            let partition = state.partition(id);
            (partition.first, partition.next)
        };
        let from = from.max(first);
        if from >= next {
            return Ok(Vec::new());
        }
        let mut found = up_to(bytes_max, locate(shared, id, from, BLOCKS_MAX)?.into_iter());
        for block in &mut found {
            match bytes_of(shared, block)? {
                Some(bytes) => block.bytes = Some(bytes),
                None => continue 'moved,
            }
        }
        if found.iter().any(|block| block.head.first + u64::from(block.head.count) > from) {
            return decode(shared, &found, from);
        }
    }
    let missing = locate(shared, id, from, 1)?.pop();
    Err(missing.map_or_else(
        || Error::Request(format!("offset {from} went while it was looked up: read again.")),
        |block| damaged(shared, &block),
    ))
}

fn up_to(bytes_max: usize, blocks: impl Iterator<Item = Block>) -> Vec<Block> {
    let mut left = Some(bytes_max);
    blocks
        .take_while(|block| {
            let takes = left.is_some();
            left = left.and_then(|left| left.checked_sub(block.head.length as usize)).filter(|left| *left > 0);
            takes
        })
        .collect()
}

fn decode(shared: &Shared, blocks: &[Block], from: u64) -> Result<Vec<Record>, Error> {
    let mut records = Vec::new();
    for block in blocks.iter().filter(|block| block.head.first + u64::from(block.head.count) > from) {
        let head = &block.head;
        let bytes = block.bytes.as_ref().ok_or_else(|| damaged(shared, block))?;
        let decoded = block::records(bytes, head.first, head.count, head.append_at, from);
        let decoded = decoded.ok_or_else(|| damaged(shared, block))?;
        if records.is_empty() { records = decoded } else { records.extend(decoded) }
    }
    Ok(records)
}

fn damaged(shared: &Shared, block: &Block) -> Error {
    let head = &block.head;
    let (last, after) = (head.first + u64::from(head.count) - 1, head.first + u64::from(head.count));
    let topic = shared.state().name(head.topic).clone();
    Error::Damaged {
        path: shared.segments.path(block.place.segment),
        at: block.place.at,
        what: format!("topic {topic}, partition {}, offsets {} to {last}", head.partition, head.first),
        instead: format!("begin that partition at offset {after}"),
    }
}

async fn on_a_thread<T: Send + 'static>(job: impl FnOnce() -> Result<T, Error> + Send + 'static) -> Result<T, Error> {
    match tokio::task::spawn_blocking(job).await {
        Ok(done) => done,
        Err(gone) if gone.is_panic() => std::panic::resume_unwind(gone.into_panic()),
        Err(_) => Err(Error::Request("the runtime is shutting down: nothing is read any more.".to_owned())),
    }
}
