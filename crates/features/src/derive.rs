//! Derived sources: rows made of the events of one key.
//!
//! What a key's events amount to is a function of the set of them that was accepted. When one more event changes the outcome,
//! the rows that no longer hold are taken back (weight -1) and the new ones sent (weight +1).

mod pair;
mod table;

use std::collections::BTreeMap;

use pipeline::{Pipeline, Source, SourceKind};

use self::{pair::PairKeys, table::TableKeys};
use crate::{
    codec::{Broken, Reader},
    columns::{Columns, Scalar},
};

/// One derived source of one shard.
#[derive(Debug)]
pub(crate) struct Derived {
    /// Index of the derived source.
    pub(crate) source: usize,
    kind: DerivedKind,
    /// Keys to look at again, by the instant at which there is something to do.
    due: BTreeMap<i64, Vec<u32>>,
}

#[derive(Debug)]
enum DerivedKind {
    Pair(PairKeys),
    Table(TableKeys),
}

/// What the stream's clock allows to be forgotten, and which instant is visible.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Horizon {
    /// Nothing in the batch at hand is older.
    pub(crate) settled: i64,
    /// Nothing older will come after the batch at hand.
    pub(crate) oldest: i64,
    /// Everything before this is visible.
    pub(crate) now: i64,
}

/// Rows with their weights.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) columns: Columns,
    pub(crate) weights: Vec<i8>,
}

/// One change of a derived source.
#[derive(Debug)]
struct Change {
    weight: i8,
    time: i64,
    identity: u128,
    row: Box<[Scalar]>,
}

impl Derived {
    /// The state of this source if it is a derived one.
    pub(crate) fn new(pipeline: &Pipeline, source: usize) -> Option<Self> {
        let kind = match &pipeline.sources[source].kind {
            SourceKind::Pair(pair) => {
                DerivedKind::Pair(PairKeys::new(pair, &pipeline.sources[source], &pipeline.sources[pair.from]))
            }
            SourceKind::Table(table) => DerivedKind::Table(TableKeys::new(table)),
            SourceKind::Stream(_) | SourceKind::File { .. } => return None,
        };
        Some(Self { source, kind, due: BTreeMap::new() })
    }

    /// Takes visible events of the base, and whatever time has made due.
    pub(crate) fn step(&mut self, base: &Source, columns: &Columns, rows: &[u32], horizon: Horizon, out: &mut Rows) {
        let mut changes = Vec::new();
        let due = &mut self.due;
        let mut look_again = |at: i64, key: u32| due.entry(at).or_default().push(key);
        match &mut self.kind {
            DerivedKind::Pair(keys) => keys.take(base, columns, rows, horizon, &mut changes, &mut look_again),
            DerivedKind::Table(keys) => keys.take(base, columns, rows, horizon, &mut changes, &mut look_again),
        }
        while let Some(entry) = self.due.first_entry().filter(|entry| *entry.key() <= horizon.now) {
            for key in entry.remove() {
                let again = match &mut self.kind {
                    DerivedKind::Pair(keys) => keys.look(key, horizon),
                    DerivedKind::Table(keys) => keys.look(key, horizon, &mut changes),
                };
                if let Some(at) = again {
                    self.due.entry(at.max(horizon.now + 1)).or_default().push(key);
                }
            }
        }
        // In this order: what a later event of the step takes back was sent by an earlier one.
        for change in changes {
            out.columns.push_row(change.time, change.identity, &change.row);
            out.weights.push(change.weight);
        }
    }

    /// When the next key is due.
    pub(crate) fn next_due(&self) -> Option<i64> {
        self.due.first_key_value().map(|(at, _)| *at)
    }

    /// Keys that are held.
    pub(crate) fn len(&self) -> usize {
        match &self.kind {
            DerivedKind::Pair(keys) => keys.slab.len(),
            DerivedKind::Table(keys) => keys.slab.len(),
        }
    }

    pub(crate) fn begin_save(&mut self, all: bool) {
        match &mut self.kind {
            DerivedKind::Pair(keys) => keys.slab.begin_save(all),
            DerivedKind::Table(keys) => keys.slab.begin_save(all),
        }
    }

    pub(crate) fn save_some(&mut self, bytes: usize, out: &mut Vec<u8>) -> bool {
        match &mut self.kind {
            DerivedKind::Pair(keys) => keys.slab.save_some(&(), bytes, out),
            DerivedKind::Table(keys) => keys.slab.save_some(&(), bytes, out),
        }
    }

    pub(crate) fn load_item(&mut self, tag: u8, reader: &mut Reader<'_>) -> Result<(), Broken> {
        match &mut self.kind {
            DerivedKind::Pair(keys) => keys.slab.load_item(&(), tag, reader),
            DerivedKind::Table(keys) => keys.slab.load_item(&(), tag, reader),
        }
    }

    /// Makes the timers anew after loading: every key is looked at in the next step.
    pub(crate) fn wake_all(&mut self) {
        self.due.clear();
        let all: Vec<u32> = match &self.kind {
            DerivedKind::Pair(keys) => keys.slab.iter().map(|(key, ..)| key).collect(),
            DerivedKind::Table(keys) => keys.slab.iter().map(|(key, ..)| key).collect(),
        };
        if !all.is_empty() {
            self.due.insert(i64::MIN, all);
        }
    }
}

/// Bytes of one kept row.
mod scalars {
    use super::{Broken, Reader, Scalar};
    use crate::codec::Writer;

    pub(super) fn write(row: &[Scalar], out: &mut Writer<'_>) {
        out.count(row.len());
        for scalar in row {
            match scalar {
                Scalar::Null => out.0.push(0),
                Scalar::Units(units) => {
                    out.0.push(1);
                    out.signed(*units);
                }
                Scalar::Text(text) => {
                    out.0.push(2);
                    out.text(text);
                }
            }
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Box<[Scalar]>, Broken> {
        let count = reader.count(1)?;
        let scalar = |reader: &mut Reader<'_>| match reader.byte()? {
            0 => Ok(Scalar::Null),
            1 => reader.signed().map(Scalar::Units),
            2 => reader.text().map(|text| Scalar::Text(text.into())),
            _ => Err(Broken("an unknown kind of value")),
        };
        (0..count).map(|_| scalar(reader)).collect()
    }
}
