//! A frame: what one group of appends and commits changed, written as one. It is there whole or it is not there.
//!
//! `magic u32 · meta length u32 · data length u32 · sequence u64 · checksum u64`, the meta (what changed), the data (the blocks).
//! The checksum covers the header and the meta, and the meta has the checksum of each block, so a block can be proved alone.

use bytes::Bytes;
use domain::{Span, Timestamp};
use ports::TopicSpec;
use xxhash_rust::xxh3::xxh3_64;

use crate::codec::{Put, Take};

/// Bytes before the meta.
pub(crate) const HEADER_BYTES: usize = 28;
/// Changes with the meaning of the bytes; a log of another version is not read.
const MAGIC: u32 = u32::from_le_bytes(*b"HWL1");
const CHECKSUM_AT: usize = 20;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A topic is there, or has another retention.
    Topic { id: u32, spec: TopicSpec },
    /// A block was appended.
    Block(BlockHead),
    /// A block that is held already lies here now, and no longer in that segment.
    Moved { head: BlockHead, from: u64 },
    /// A group committed.
    Commit { group: String, partition: u32, positions: Vec<(u32, u64)>, note: Bytes },
}

/// What is known of a block beside its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockHead {
    pub(crate) topic: u32,
    pub(crate) partition: u32,
    pub(crate) first: u64,
    pub(crate) count: u32,
    pub(crate) length: u32,
    pub(crate) append_at: Timestamp,
    pub(crate) checksum: u64,
}

/// A frame as it was read, its blocks' bytes beside it.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) sequence: u64,
    pub(crate) entries: Vec<Entry>,
    /// From the frame's beginning to its blocks.
    pub(crate) data_at: usize,
    /// Of the whole frame.
    pub(crate) length: usize,
}

/// Writes a frame; the blocks in the order of their entries.
pub(crate) fn encode<'b>(sequence: u64, entries: &[Entry], blocks: impl Iterator<Item = &'b [u8]> + Clone) -> Vec<u8> {
    let data_bytes: usize = blocks.clone().map(<[u8]>::len).sum();
    let mut frame = Vec::with_capacity(HEADER_BYTES + entries.len() * 64 + data_bytes);
    frame.resize(HEADER_BYTES, 0);
    for entry in entries {
        put(&mut frame, entry);
    }
    let meta_bytes = frame.len() - HEADER_BYTES;
    frame[0..4].copy_from_slice(&MAGIC.to_le_bytes());
    frame[4..8].copy_from_slice(&(meta_bytes as u32).to_le_bytes());
    frame[8..12].copy_from_slice(&(data_bytes as u32).to_le_bytes());
    frame[12..20].copy_from_slice(&sequence.to_le_bytes());
    let checksum = xxh3_64(&frame);
    frame[CHECKSUM_AT..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    for block in blocks {
        frame.extend_from_slice(block);
    }
    frame
}

/// The frame at the beginning of these bytes, if there is one and all of it is as it was written.
pub(crate) fn decode(bytes: &Bytes) -> Option<Frame> {
    let frame = decode_head(bytes)?;
    let mut at = frame.data_at;
    for head in frame.blocks() {
        let end = at + head.length as usize;
        (xxh3_64(bytes.get(at..end)?) == head.checksum).then_some(())?;
        at = end;
    }
    (at == frame.length).then_some(frame)
}

/// The same without a look at the blocks.
pub(crate) fn decode_head(bytes: &Bytes) -> Option<Frame> {
    let header = bytes.get(..HEADER_BYTES)?;
    let number = |at: usize| header[at..at + 4].iter().rev().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
    let (meta_bytes, data_bytes) = (number(4), number(8));
    let data_at = HEADER_BYTES + meta_bytes;
    if number(0) != MAGIC as usize || bytes.len() < data_at {
        return None;
    }
    let mut proved = bytes[..data_at].to_vec();
    proved[CHECKSUM_AT..HEADER_BYTES].fill(0);
    let checksum: [u8; 8] = header[CHECKSUM_AT..HEADER_BYTES].try_into().ok()?;
    if xxh3_64(&proved) != u64::from_le_bytes(checksum) {
        return None;
    }
    let sequence: [u8; 8] = header[12..20].try_into().ok()?;
    let meta = bytes.slice(HEADER_BYTES..data_at);
    let mut take = Take::new(&meta);
    let mut entries = Vec::new();
    while !take.is_empty() {
        entries.push(entry(&mut take)?);
    }
    Some(Frame { sequence: u64::from_le_bytes(sequence), entries, data_at, length: data_at + data_bytes })
}

impl Frame {
    /// The blocks of the frame in the order of their bytes.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &BlockHead> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Block(head) | Entry::Moved { head, .. } => Some(head),
            Entry::Topic { .. } | Entry::Commit { .. } => None,
        })
    }
}

/// Also how the index keeps a topic.
pub(crate) fn put_topic(bytes: &mut Vec<u8>, id: u32, spec: &TopicSpec) {
    bytes.put_u32(id);
    bytes.put_bytes(spec.name.as_bytes());
    bytes.put_u32(spec.partitions);
    bytes.put_u64(spec.retention.map_or(u64::MAX, |span| span.0.max(0).unsigned_abs()));
    bytes.put_u64(spec.retention_bytes.unwrap_or(u64::MAX));
}

/// Reads what `put_topic` wrote.
pub(crate) fn take_topic(take: &mut Take<'_>) -> Option<(u32, TopicSpec)> {
    let id = take.u32()?;
    let name = take.text()?.into();
    let partitions = take.u32()?;
    let retention = Some(take.u64()?).filter(|ms| *ms != u64::MAX).map(|ms| Span(ms as i64));
    let retention_bytes = Some(take.u64()?).filter(|bytes| *bytes != u64::MAX);
    Some((id, TopicSpec { name, partitions, retention, retention_bytes }))
}

/// Also how the index keeps what was committed.
pub(crate) fn put_committed(bytes: &mut Vec<u8>, positions: &[(u32, u64)], note: &[u8]) {
    bytes.put_short(positions.len());
    for (topic, next) in positions {
        bytes.put_u32(*topic);
        bytes.put_u64(*next);
    }
    bytes.put_bytes(note);
}

/// Reads what `put_committed` wrote.
pub(crate) fn take_committed(take: &mut Take<'_>) -> Option<(Vec<(u32, u64)>, Bytes)> {
    let positions = (0..take.short()?).map(|_| Some((take.u32()?, take.u64()?))).collect::<Option<_>>()?;
    Some((positions, Bytes::copy_from_slice(&take.bytes()?)))
}

fn put(bytes: &mut Vec<u8>, entry: &Entry) {
    match entry {
        Entry::Topic { id, spec } => {
            bytes.push(0);
            put_topic(bytes, *id, spec);
        }
        Entry::Block(head) => {
            bytes.push(1);
            put_head(bytes, head);
        }
        Entry::Moved { head, from } => {
            bytes.push(2);
            put_head(bytes, head);
            bytes.put_u64(*from);
        }
        Entry::Commit { group, partition, positions, note } => {
            bytes.push(3);
            bytes.put_bytes(group.as_bytes());
            bytes.put_u32(*partition);
            put_committed(bytes, positions, note);
        }
    }
}

fn entry(take: &mut Take<'_>) -> Option<Entry> {
    Some(match take.short()? {
        0 => take_topic(take).map(|(id, spec)| Entry::Topic { id, spec })?,
        1 => Entry::Block(head(take)?),
        2 => Entry::Moved { head: head(take)?, from: take.u64()? },
        3 => {
            let (group, partition) = (take.text()?, take.u32()?);
            let (positions, note) = take_committed(take)?;
            Entry::Commit { group, partition, positions, note }
        }
        _ => return None,
    })
}

fn put_head(bytes: &mut Vec<u8>, head: &BlockHead) {
    bytes.put_u32(head.topic);
    bytes.put_u32(head.partition);
    bytes.put_u64(head.first);
    bytes.put_u32(head.count);
    bytes.put_u32(head.length);
    bytes.put_u64(head.append_at.0 as u64);
    bytes.put_u64(head.checksum);
}

fn head(take: &mut Take<'_>) -> Option<BlockHead> {
    Some(BlockHead {
        topic: take.u32()?,
        partition: take.u32()?,
        first: take.u64()?,
        count: take.u32()?,
        length: take.u32()?,
        append_at: Timestamp(take.u64()? as i64),
        checksum: take.u64()?,
    })
}
