//! Blocks of partials between shards: one for each group, target shard and step.

use domain::Timestamp;

use super::{Config, Engine, note};
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

const VERSION: u8 = 1;
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

    pub(super) fn is_mine(&self, hash: u64) -> bool {
        owner(hash, self.config.shards) == self.config.shard
    }

    pub(super) fn partial(&mut self, key: (u64, &str), (tile, latest): (i64, i64), words: &[u64], sketches: &[Sketch]) {
        let mut writer = self.item(PARTIALS, key);
        writer.signed(tile);
        writer.signed(latest);
        writer.words(words);
        sketches.iter().for_each(|sketch| sketch.write(&mut writer));
    }

    pub(super) fn row(&mut self, key: (u64, &str), row: &Row, weight: i8) {
        let mut writer = self.item(ROWS, key);
        writer.0.push(weight.cast_unsigned());
        row.write(&mut writer);
    }

    pub(super) fn blocks(self) -> impl Iterator<Item = Block> {
        let numbered = (0u32..).zip(self.targets);
        numbered.filter(|(_, bytes)| !bytes.is_empty()).map(|(shard, bytes)| Block { shard, bytes })
    }

    fn item(&mut self, tag: u8, (hash, key): (u64, &str)) -> Writer<'_> {
        let target = &mut self.targets[owner(hash, self.config.shards) as usize];
        if target.is_empty() {
            target.extend_from_slice(&self.header);
        }
        let mut writer = Writer(target);
        writer.0.push(tag);
        writer.text(key);
        writer
    }
}

/// The shard that holds an entity: the upper half of the hash, since the lower one finds it there.
fn owner(hash: u64, shards: u32) -> u32 {
    ((hash >> 32) % u64::from(shards)) as u32
}

enum Item<'a> {
    Partial { key: &'a str, tile: i64, latest: i64, words: Vec<u64>, sketches: Vec<Sketch> },
    Row { key: &'a str, weight: i8, row: Row },
}

impl Engine {
    /// Takes a block that another shard made. A damaged block changes nothing.
    pub fn receive(&mut self, bytes: &[u8], now: Timestamp) -> Result<Output, Error> {
        let mut reader = Reader(bytes);
        if reader.byte()? != VERSION {
            return Err(Broken("a block of another version").into());
        }
        let index = usize::try_from(reader.varint()?).map_err(|_| Broken("no such group"))?;
        let found = reader.word()? as u32;
        let sender = usize::try_from(reader.varint()?).ok().filter(|sender| *sender < self.config.shards as usize);
        let sender = sender.ok_or(Broken("no such shard"))?;
        let (heard, clock, oldest) = (reader.instant()?, reader.instant()?, reader.instant()?);
        let state = self.groups.get_mut(index).ok_or(Broken("no such group"))?;
        let expected = state.layout.schema.id;
        if found != expected {
            return Err(Error::OtherSchema { group: state.layout.group.name.clone(), expected, found });
        }
        let mut items = Vec::new();
        while !reader.is_empty() {
            let item = item(&mut reader, &state.layout)?;
            let hash = key_hash(item.key());
            if owner(hash, self.config.shards) != self.config.shard {
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
            self.heard[base] = self.heard[base].max(Some(heard).filter(|heard| *heard != i64::MIN));
            let known = &mut self.oldest[base][sender];
            *known = (*known).max(Some(oldest).filter(|oldest| *oldest != i64::MIN));
        }
        // Time may have passed: held events and derived rows come due as in any step.
        let rest = self.ingest(&[], Timestamp(self.now));
        out.vectors = rest.vectors;
        out.dropped.extend(rest.dropped);
        out.blocks = rest.blocks;
        out.next_timer = rest.next_timer;
        Ok(out)
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
