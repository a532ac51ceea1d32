//! Saving and restoring an engine while it works.
//!
//! A snapshot shows the instant at which it was begun. It is written in frames of bounded size between batches; what changes
//! before the walk has reached it is written first (see `slab`). A full one stands alone, one of changes follows another.
//! A frame is its length, a checksum and its bytes; the last one says that the snapshot is whole.

use std::{collections::BTreeMap, sync::Arc};

use domain::Timestamp;
use pipeline::Pipeline;
use xxhash_rust::xxh3::xxh3_64;

use super::{Config, Engine};
use crate::{
    Error,
    codec::{Broken, Reader, Writer},
    dedup::SlicesImage,
};

const VERSION: u8 = 4;
const HEADER: u8 = b'H';
const DEDUP: u8 = b'D';
const DERIVED: u8 = b'R';
const GROUP: u8 = b'G';
const END: u8 = b'E';

/// How much a snapshot holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotKind {
    /// Everything.
    Full,
    /// What changed since the snapshot before, which must be kept with it.
    Changes,
}

/// A snapshot under way.
#[derive(Debug)]
pub(super) struct Progress {
    header: Vec<u8>,
    images: Vec<(usize, SlicesImage)>,
    derived: usize,
    group: usize,
}

/// Identities by stream and slice, as they are read.
type Identities = BTreeMap<usize, Vec<(u64, Vec<u128>)>>;

impl Engine {
    /// Begins a snapshot of the present instant, and says of which kind it is: changes are written only when this engine has
    /// written the snapshot before to its end. Who could not keep that one asks for a full one. One under way is given up.
    pub fn begin_snapshot(&mut self, kind: SnapshotKind) -> SnapshotKind {
        let parent = self.written.take().filter(|_| kind == SnapshotKind::Changes);
        let all = parent.is_none();
        self.snapshots += 1;
        let header = self.header(parent);
        let mut images = Vec::new();
        for (place, stream) in self.streams.iter_mut().enumerate() {
            let Some(stream) = stream else { continue };
            images.push((place, stream.slices.image(stream.saved.filter(|_| !all))));
            stream.saved = Some(stream.slices.mark());
        }
        self.derived.iter_mut().for_each(|derived| derived.begin_save(all));
        self.groups.iter_mut().for_each(|state| state.slab.begin_save(all));
        self.snapshot = Some(Progress { header, images, derived: 0, group: 0 });
        if all { SnapshotKind::Full } else { SnapshotKind::Changes }
    }

    /// Appends one frame of about `bytes` to the snapshot. False when that was the last one, or none is under way.
    pub fn write_snapshot(&mut self, bytes: usize, out: &mut Vec<u8>) -> bool {
        let Some(mut progress) = self.snapshot.take() else { return false };
        let mut frame = Vec::new();
        let more = self.write_frame(&mut progress, bytes, &mut frame);
        out.extend_from_slice(&(frame.len() as u64).to_le_bytes());
        out.extend_from_slice(&xxh3_64(&frame).to_le_bytes());
        out.extend_from_slice(&frame);
        if more {
            self.snapshot = Some(progress);
        } else {
            self.written = Some(self.snapshots);
        }
        more
    }

    /// An engine with the state of a full snapshot and the ones of changes that followed it.
    pub fn restore(pipeline: Arc<Pipeline>, config: Config, snapshots: &[&[u8]]) -> Result<Self, Error> {
        let mut engine = Self::new(pipeline, config)?;
        let mut identities = Identities::new();
        for snapshot in snapshots {
            engine.load_snapshot(snapshot, &mut identities)?;
        }
        let load = engine.load();
        if engine.now == i64::MIN && (load.entities, load.derived_keys, load.held) != (0, 0, 0) {
            return Err(Broken("state of no instant").into());
        }
        for (place, stream) in engine.streams.iter_mut().enumerate() {
            if let (Some(stream), Some(identities)) = (stream, identities.get(&place)) {
                stream.slices.restore(stream.restored.0, stream.restored.1, identities);
            }
        }
        engine.derived.iter_mut().for_each(|derived| derived.wake_all());
        engine.groups.iter_mut().for_each(|state| state.wake_all(&mut engine.wheel));
        Ok(engine)
    }

    fn write_frame(&mut self, progress: &mut Progress, bytes: usize, frame: &mut Vec<u8>) -> bool {
        if !progress.header.is_empty() {
            frame.append(&mut progress.header);
            return true;
        }
        while let Some((stream, image)) = progress.images.last_mut() {
            let Some((slice, piece)) = image.pieces.pop() else {
                progress.images.pop();
                continue;
            };
            let mut writer = Writer(frame);
            writer.0.push(DEDUP);
            writer.count(*stream);
            writer.varint(slice);
            piece.iter().for_each(|identity| writer.identity(*identity));
            while let Some((_, piece)) = image.pieces.pop_if(|(of, _)| *of == slice && writer.0.len() < bytes) {
                piece.iter().for_each(|identity| writer.identity(*identity));
            }
            return true;
        }
        if let Some(derived) = self.derived.get_mut(progress.derived) {
            Writer(frame).0.push(DERIVED);
            Writer(frame).count(progress.derived);
            let done = derived.save_some(bytes, frame);
            progress.derived += usize::from(done);
            return true;
        }
        if let Some(state) = self.groups.get_mut(progress.group) {
            Writer(frame).0.push(GROUP);
            Writer(frame).count(progress.group);
            let done = state.slab.save_some(&state.layout, bytes, frame);
            progress.group += usize::from(done);
            return true;
        }
        frame.push(END);
        false
    }

    /// `parent` is the number of the snapshot that this one changes.
    fn header(&self, parent: Option<u64>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut out = Writer(&mut bytes);
        out.0.push(HEADER);
        out.0.push(VERSION);
        out.varint(self.snapshots);
        out.varint(parent.unwrap_or(0));
        out.varint(u64::from(self.config.shard));
        out.varint(u64::from(self.config.shards));
        out.varint(self.position);
        out.signed(self.now);
        out.count(self.groups.len());
        self.groups.iter().for_each(|state| out.word(u64::from(state.layout.schema.id)));
        out.count(self.heard.len());
        self.heard.iter().for_each(|heard| out.signed(heard.unwrap_or(i64::MIN)));
        for (stream, oldest) in self.streams.iter().zip(&self.oldest) {
            let Some(stream) = stream else { continue };
            oldest.iter().for_each(|oldest| out.signed(oldest.unwrap_or(i64::MIN)));
            out.signed(stream.clock);
            let (number, present_id) = stream.slices.present();
            out.signed(number);
            out.varint(present_id);
            out.count(stream.held.len());
            for ((time, identity), payload) in &stream.held {
                out.signed(*time);
                out.identity(*identity);
                out.bytes(payload);
            }
        }
        bytes
    }

    fn load_snapshot(&mut self, mut bytes: &[u8], identities: &mut Identities) -> Result<(), Error> {
        let mut wanted = Vec::new();
        while !bytes.is_empty() {
            let (frame, rest) = split_frame(bytes)?;
            bytes = rest;
            let mut reader = Reader(frame);
            match reader.byte()? {
                HEADER => wanted = self.load_header(&mut reader)?,
                DEDUP => {
                    let (stream, slice) = (reader.count(0)?, reader.varint()?);
                    let count = reader.0.len() / 16;
                    let piece = (0..count).map(|_| reader.identity()).collect::<Result<Vec<u128>, Broken>>()?;
                    identities.entry(stream).or_default().push((slice, piece));
                }
                DERIVED => {
                    let place = reader.count(0)?;
                    let derived = self.derived.get_mut(place).ok_or(Broken("no such derived source"))?;
                    while !reader.is_empty() {
                        let tag = reader.byte()?;
                        derived.load_item(tag, &mut reader)?;
                    }
                }
                GROUP => {
                    let place = *wanted.get(reader.count(0)?).ok_or(Broken("no such group"))?;
                    let Some(state) = place.and_then(|place| self.groups.get_mut(place)) else { continue };
                    while !reader.is_empty() {
                        let tag = reader.byte()?;
                        state.slab.load_item(&state.layout, tag, &mut reader)?;
                    }
                }
                END if bytes.is_empty() => return Ok(()),
                _ => return Err(Broken("an unknown frame").into()),
            }
        }
        Err(Error::Incomplete)
    }

    /// For each group of the snapshot, which one it is here: none for one that is no longer wanted.
    fn load_header(&mut self, reader: &mut Reader<'_>) -> Result<Vec<Option<usize>>, Error> {
        if reader.byte()? != VERSION {
            return Err(Broken("a snapshot of another version").into());
        }
        let (number, parent) = (reader.counted()?, reader.counted()?);
        if parent != self.snapshots || number <= parent {
            return Err(Error::BrokenChain { number, parent, found: self.snapshots });
        }
        self.snapshots = number;
        let Config { shard, shards, .. } = self.config;
        let (found_shard, found_shards) = (reader.varint()? as u32, reader.varint()? as u32);
        if (found_shard, found_shards) != (shard, shards) {
            return Err(Error::OtherShard { shard, shards, found_shard, found_shards });
        }
        self.position = reader.counted()?;
        self.now = reader.instant()?;
        let written = (0..reader.count(8)?).map(|_| Ok(reader.word()? as u32)).collect::<Result<Vec<u32>, Broken>>()?;
        // Two groups may say the same: the first of them there is the first of them here.
        let ids: Vec<u32> = self.groups.iter().map(|state| state.layout.schema.id).collect();
        let nth_of = |all: &[u32], place: usize| all[..place].iter().filter(|id| **id == all[place]).count();
        let places = |of: &[u32], id: u32, nth: usize| (0..of.len()).filter(|place| of[*place] == id).nth(nth);
        for (place, state) in self.groups.iter().enumerate() {
            if places(&written, ids[place], nth_of(&ids, place)).is_none() {
                let (expected, found) = (ids[place], written.get(place).copied().unwrap_or_default());
                return Err(Error::OtherSchema { group: state.layout.group.name.clone(), expected, found });
            }
        }
        let wanted = (0..written.len()).map(|place| places(&ids, written[place], nth_of(&written, place))).collect();
        if reader.count(8)? != self.heard.len() {
            return Err(Broken("another number of sources").into());
        }
        for heard in &mut self.heard {
            *heard = Some(reader.instant()?).filter(|heard| *heard != i64::MIN);
        }
        for (stream, oldest) in self.streams.iter_mut().zip(&mut self.oldest) {
            let Some(stream) = stream else { continue };
            for oldest in oldest {
                *oldest = Some(reader.instant()?).filter(|oldest| *oldest != i64::MIN);
            }
            stream.clock = reader.instant()?;
            stream.restored = (reader.signed()?, reader.counted()?);
            stream.held.clear();
            for _ in 0..reader.count(24)? {
                let (time, identity) = (reader.time()?, reader.identity()?);
                stream.held.insert((time, identity), reader.bytes()?.into());
            }
        }
        Ok(wanted)
    }

    /// The instant that a restored engine has reached.
    pub fn clock(&self) -> Timestamp {
        Timestamp(self.now)
    }
}

fn split_frame(bytes: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let mut reader = Reader(bytes);
    let (length, checksum) = (reader.word().map_err(|_| Error::Incomplete)?, reader.word().map_err(|_| Error::Incomplete)?);
    let length = usize::try_from(length).map_err(|_| Error::Incomplete)?;
    let (frame, rest) = reader.0.split_at_checked(length).ok_or(Error::Incomplete)?;
    if xxh3_64(frame) == checksum { Ok((frame, rest)) } else { Err(Broken("a checksum does not match").into()) }
}
