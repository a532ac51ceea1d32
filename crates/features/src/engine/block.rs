//! Blocks of partials between shards: one for each group, target shard and step.

use domain::{Timestamp, partition_of};

use super::{Config, Engine, intake::note};
use crate::{
    Error, Reason,
    codec::{Broken, Reader, Writer},
    group::GroupState,
    layout::Layout,
    output::{Block, Output},
    ring::Row,
    sketch::Sketch,
    slab::key_hash,
};

const VERSION: u8 = 2;
/// In place of the version: no items, but what the sender knows of time, for all streams.
const SIGN_OF_LIFE: u8 = 0xFE;
const PARTIALS: u8 = 1;
const ROWS: u8 = 2;

/// The blocks of one group and step, as they grow.
pub(super) struct Outgoing {
    config: Config,
    header: Vec<u8>,
    targets: Vec<Vec<u8>>,
}

/// What a block tells of its sender, beside its items.
#[derive(Clone, Copy, Debug)]
pub(super) struct Said {
    pub(super) heard: Option<i64>,
    pub(super) now: i64,
    /// No event before this will come from it.
    pub(super) oldest: i64,
    pub(super) shard: u32,
}

impl Outgoing {
    pub(super) fn new(config: Config, state: &GroupState, said: Said) -> Self {
        let mut header = Vec::new();
        let mut writer = Writer(&mut header);
        writer.0.push(VERSION);
        writer.count(state.index);
        writer.word(u64::from(state.layout.schema.id));
        writer.varint(u64::from(said.shard));
        writer.signed(said.heard.unwrap_or(i64::MIN));
        writer.signed(said.now);
        writer.signed(said.oldest);
        Self { config, header, targets: vec![Vec::new(); config.shards as usize] }
    }

    pub(super) fn is_mine(&self, key: &str) -> bool {
        partition_of(key.as_bytes(), self.config.shards) == self.config.shard
    }

    pub(super) fn partial(&mut self, key: &str, (tile, latest): (i64, i64), words: &[u64], sketches: &[Sketch]) {
        let mut writer = self.item(PARTIALS, key);
        writer.signed(tile);
        writer.signed(latest);
        writer.words(words);
        sketches.iter().for_each(|sketch| sketch.write(&mut writer));
    }

    pub(super) fn row(&mut self, key: &str, row: &Row, weight: i8) {
        let mut writer = self.item(ROWS, key);
        writer.0.push(weight.cast_unsigned());
        row.write(&mut writer);
    }

    pub(super) fn blocks(self) -> impl Iterator<Item = Block> {
        let numbered = (0u32..).zip(self.targets);
        numbered.filter(|(_, bytes)| !bytes.is_empty()).map(|(shard, bytes)| Block { shard, bytes })
    }

    fn item(&mut self, tag: u8, key: &str) -> Writer<'_> {
        let target = &mut self.targets[partition_of(key.as_bytes(), self.config.shards) as usize];
        if target.is_empty() {
            target.extend_from_slice(&self.header);
        }
        let mut writer = Writer(target);
        writer.0.push(tag);
        writer.text(key);
        writer
    }
}

enum Item<'a> {
    Partial { key: &'a str, tile: i64, latest: i64, words: Vec<u64>, sketches: Vec<Sketch> },
    Row { key: &'a str, weight: i8, row: Row },
}

impl Engine {
    /// Takes a block that another shard made. A damaged block changes nothing.
    pub fn receive(&mut self, bytes: &[u8], now: Timestamp) -> Result<Output, Error> {
        let out = self.take_block(bytes, now)?;
        Ok(self.finish(out))
    }

    pub(super) fn take_block(&mut self, bytes: &[u8], now: Timestamp) -> Result<Output, Error> {
        let mut reader = Reader(bytes);
        match reader.byte()? {
            VERSION => {}
            SIGN_OF_LIFE => return self.take_sign_of_life(&mut reader, now),
            _ => return Err(Broken("a block of another version").into()),
        }
        let index = usize::try_from(reader.varint()?).map_err(|_| Broken("no such group"))?;
        let found = reader.word()? as u32;
        let sender = self.sender(&mut reader)?;
        let (heard, clock, oldest) = (reader.instant()?, reader.instant()?, reader.instant()?);
        let state = self.groups.get_mut(index).ok_or(Broken("no such group"))?;
        let expected = state.layout.schema.id;
        if found != expected {
            return Err(Error::OtherSchema { group: state.layout.group.name.clone(), expected, found });
        }
        let mut items = Vec::new();
        while !reader.is_empty() {
            let item = item(&mut reader, &state.layout)?;
            if partition_of(item.key().as_bytes(), self.config.shards) != self.config.shard {
                return Err(Broken("a block for another shard").into());
            }
            items.push(item);
        }
        let base = self.pipeline.base_of(state.layout.group.source);
        let sealed = self.sealed(self.groups[index].layout.group.source);
        self.position += 1;
        self.now = self.now.max(now.0).max(clock);
        let mut out = Output::default();
        for item in &items {
            let (key, taken) = self.groups[index].take(item, sealed);
            note(taken, index, key, &mut out.dropped);
        }
        if let Some(base) = base {
            self.learn(base, sender, heard, oldest);
        }
        // Time may have passed: held events and derived rows come due as in any step.
        out.take_over(self.take(&[], Timestamp(self.now)));
        Ok(out)
    }

    /// Blocks that tell every other shard what this one knows of time. A shard that has nothing else to send sends them now and
    /// then: else the others would take its silence for the silence of the source, and keep corrections waiting for it.
    pub fn signs_of_life(&self) -> impl Iterator<Item = Block> {
        let mut bytes = Vec::new();
        let mut writer = Writer(&mut bytes);
        writer.0.push(SIGN_OF_LIFE);
        writer.varint(u64::from(self.config.shard));
        writer.signed(self.now);
        for (base, stream) in self.streams.iter().enumerate() {
            if let Some(stream) = stream {
                writer.signed(self.heard[base].unwrap_or(i64::MIN));
                writer.signed(stream.oldest());
            }
        }
        let others = (0..self.config.shards).filter(|shard| *shard != self.config.shard);
        others.map(move |shard| Block { shard, bytes: bytes.clone() })
    }

    fn take_sign_of_life(&mut self, reader: &mut Reader<'_>, now: Timestamp) -> Result<Output, Error> {
        let (sender, clock) = (self.sender(reader)?, reader.instant()?);
        let bases: Vec<usize> = (0..self.streams.len()).filter(|base| self.streams[*base].is_some()).collect();
        let mut said = Vec::with_capacity(bases.len());
        for base in bases {
            said.push((base, reader.instant()?, reader.instant()?));
        }
        if !reader.is_empty() {
            return Err(Broken("a sign of life of another pipeline").into());
        }
        self.position += 1;
        self.now = self.now.max(now.0).max(clock);
        for (base, heard, oldest) in said {
            self.learn(base, sender, heard, oldest);
        }
        Ok(self.take(&[], Timestamp(self.now)))
    }

    fn sender(&self, reader: &mut Reader<'_>) -> Result<usize, Broken> {
        let sender = usize::try_from(reader.varint()?).ok().filter(|sender| *sender < self.config.shards as usize);
        sender.ok_or(Broken("no such shard"))
    }

    fn learn(&mut self, base: usize, sender: usize, heard: i64, oldest: i64) {
        self.heard[base] = self.heard[base].max(Some(heard).filter(|heard| *heard != i64::MIN));
        let known = &mut self.oldest[base][sender];
        *known = (*known).max(Some(oldest).filter(|oldest| *oldest != i64::MIN));
    }
}

impl<'a> Item<'a> {
    fn key(&self) -> &'a str {
        match self {
            Self::Partial { key, .. } | Self::Row { key, .. } => key,
        }
    }
}

impl GroupState {
    fn take<'a>(&mut self, item: &Item<'a>, sealed: i64) -> (&'a str, Result<(), Reason>) {
        match item {
            Item::Partial { key, tile, latest, words, sketches } => {
                (key, self.merge(None, (key_hash(key), key), (*tile, *latest), words, sketches))
            }
            Item::Row { key, weight, row } => (key, self.apply((key_hash(key), key), row, *weight, sealed)),
        }
    }
}

fn item<'a>(reader: &mut Reader<'a>, layout: &Layout) -> Result<Item<'a>, Broken> {
    let tag = reader.byte()?;
    let key = reader.text()?;
    let rows = layout.keeps_rows || layout.source_is_table;
    match tag {
        PARTIALS if !rows => {
            let (tile, latest) = (reader.signed()?, reader.time()?);
            if !layout.is_tile(tile) {
                return Err(Broken("a tile of another time"));
            }
            let words = reader.words(layout.words + layout.always_words)?;
            let sketches = layout.sketched.iter().map(|op| Sketch::read(op.kind, reader)).collect::<Result<_, Broken>>()?;
            Ok(Item::Partial { key, tile, latest, words, sketches })
        }
        ROWS if rows => {
            let weight = reader.byte()?.cast_signed();
            let known = weight == 1 || weight == -1;
            if known {
                Ok(Item::Row { key, weight, row: Row::read(layout, reader)? })
            } else {
                Err(Broken("a weight is 1 or -1"))
            }
        }
        _ => Err(Broken("an item of the wrong kind")),
    }
}
