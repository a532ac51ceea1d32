//! Derived sources: rows made of the events of one key.
//!
//! What a key's events amount to is a function of the set of them that was accepted. When one more event changes the outcome,
//! the rows that no longer hold are taken back (weight -1) and the new ones sent (weight +1).

mod absence;
mod pair;
mod table;

use std::collections::BTreeMap;

use pipeline::{Pipeline, Source, SourceKind};

use self::{absence::AbsenceKeys, pair::PairKeys, table::TableKeys};
use crate::{
    codec::{Broken, Reader},
    columns::{Columns, Scalar},
    output::AbsenceChange,
};

/// One derived source of one shard.
#[derive(Debug)]
pub(crate) struct Derived {
    /// Index of the derived source.
    pub(crate) source: usize,
    kind: DerivedKind,
    calendar: Calendar,
}

/// Which keys to look at again. An entry may be of a key that is gone by now: looking does no harm.
#[derive(Debug, Default)]
struct Calendar {
    /// By the instant that has to be visible.
    due: BTreeMap<i64, Vec<u32>>,
    /// By the instant than which everything that may still come has to be younger: no time passes for that but the stream's.
    forgettable: BTreeMap<i64, Vec<u32>>,
}

impl Calendar {
    fn look_at(&mut self, at: i64, key: u32) {
        self.due.entry(at).or_default().push(key);
    }

    fn forget_after(&mut self, at: i64, key: u32) {
        self.forgettable.entry(at).or_default().push(key);
    }
}

#[derive(Debug)]
enum DerivedKind {
    Pair(PairKeys),
    Table(TableKeys),
    Absence(AbsenceKeys),
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
    /// What an absence has to say of them.
    pub(crate) absences: Vec<AbsenceChange>,
}

impl Rows {
    pub(crate) fn new(columns: Columns) -> Self {
        Self { columns, weights: Vec::new(), absences: Vec::new() }
    }
}

/// One change of a derived source.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) weight: i8,
    pub(crate) time: i64,
    pub(crate) identity: u128,
    /// Time and identity of the event that a duration begins with, or after which nothing came.
    pub(crate) start: Option<(i64, u128)>,
    pub(crate) row: Box<[Scalar]>,
}

impl Derived {
    /// The state of this source if it is a derived one.
    pub(crate) fn new(pipeline: &Pipeline, source: usize) -> Option<Self> {
        let kind = match &pipeline.sources[source].kind {
            SourceKind::Pair(pair) => {
                DerivedKind::Pair(PairKeys::new(pair, &pipeline.sources[source], &pipeline.sources[pair.from]))
            }
            SourceKind::Table(table) => DerivedKind::Table(TableKeys::new(table, &pipeline.sources[table.from])),
            SourceKind::Absence(absence) => DerivedKind::Absence(AbsenceKeys::new(
                absence,
                source,
                &pipeline.sources[source],
                &pipeline.sources[absence.from],
            )),
            SourceKind::Stream(_) | SourceKind::File { .. } => return None,
        };
        Some(Self { source, kind, calendar: Calendar::default() })
    }

    /// Takes visible events of the base, and whatever time has made due.
    pub(crate) fn step(&mut self, base: &Source, columns: &Columns, rows: &[u32], horizon: Horizon, out: &mut Rows) {
        let (changes, absences) = self.advance(base, columns, rows, horizon);
        // In this order: what a later event of the step takes back was sent by an earlier one.
        for change in changes {
            out.columns.push_row(change.time, change.identity, &change.row);
            out.weights.push(change.weight);
        }
        out.absences.extend(absences);
    }

    /// What [`Self::step`] changes, with what each row is made of.
    pub(crate) fn changes(&mut self, base: &Source, columns: &Columns, rows: &[u32], horizon: Horizon) -> Vec<Change> {
        self.advance(base, columns, rows, horizon).0
    }

    fn advance(&mut self, base: &Source, columns: &Columns, rows: &[u32], horizon: Horizon) -> (Vec<Change>, Vec<AbsenceChange>) {
        let (mut changes, mut absences) = (Vec::new(), Vec::new());
        let calendar = &mut self.calendar;
        match &mut self.kind {
            DerivedKind::Pair(keys) => {
                keys.take(base, columns, rows, horizon, &mut changes, &mut |at, key| calendar.forget_after(at, key))
            }
            DerivedKind::Absence(keys) => {
                let mut told = Vec::new();
                keys.take(base, columns, rows, horizon, calendar, &mut told);
                (changes, absences) = told.into_iter().unzip();
            }
            DerivedKind::Table(keys) => {
                keys.take(base, columns, rows, horizon, &mut changes, calendar);
                let mut due = Vec::new();
                while let Some(entry) = calendar.due.first_entry().filter(|entry| *entry.key() <= horizon.now) {
                    due.extend(entry.remove());
                }
                keys.sort_by_end(&mut due);
                due.into_iter().for_each(|key| keys.look(key, horizon, &mut changes, calendar));
            }
        }
        self.forget(horizon);
        (changes, absences)
    }

    /// Forgets keys of which nothing can matter any more.
    fn forget(&mut self, horizon: Horizon) {
        while let Some(entry) = self.calendar.forgettable.first_entry().filter(|entry| *entry.key() < horizon.oldest) {
            for key in entry.remove() {
                let matters_until = match &mut self.kind {
                    DerivedKind::Pair(keys) => keys.look(key, horizon),
                    DerivedKind::Table(keys) => keys.forget(key, horizon),
                    DerivedKind::Absence(keys) => keys.forget(key, horizon),
                };
                // Where it still does although it should not, the next look is a while away.
                if let Some(at) = matters_until {
                    self.calendar.forget_after(at.max(horizon.oldest), key);
                }
            }
        }
    }

    /// When the next key is due.
    pub(crate) fn next_due(&self) -> Option<i64> {
        self.calendar.due.first_key_value().map(|(at, _)| *at)
    }

    /// Keys that are held.
    pub(crate) fn len(&self) -> usize {
        match &self.kind {
            DerivedKind::Pair(keys) => keys.slab.len(),
            DerivedKind::Table(keys) => keys.slab.len(),
            DerivedKind::Absence(keys) => keys.slab.len(),
        }
    }

    pub(crate) fn begin_save(&mut self, all: bool) {
        match &mut self.kind {
            DerivedKind::Pair(keys) => keys.slab.begin_save(all),
            DerivedKind::Table(keys) => keys.slab.begin_save(all),
            DerivedKind::Absence(keys) => keys.begin_save(all),
        }
    }

    pub(crate) fn save_some(&mut self, bytes: usize, out: &mut Vec<u8>) -> bool {
        match &mut self.kind {
            DerivedKind::Pair(keys) => keys.slab.save_some(&keys.fields, bytes, out),
            DerivedKind::Table(keys) => keys.slab.save_some(&keys.fields, bytes, out),
            DerivedKind::Absence(keys) => keys.save_some(bytes, out),
        }
    }

    pub(crate) fn load_item(&mut self, tag: u8, reader: &mut Reader<'_>) -> Result<(), Broken> {
        match &mut self.kind {
            DerivedKind::Pair(keys) => keys.slab.load_item(&keys.fields, tag, reader),
            DerivedKind::Table(keys) => keys.slab.load_item(&keys.fields, tag, reader),
            DerivedKind::Absence(keys) => keys.load_item(tag, reader),
        }
    }

    /// Makes the timers anew after loading.
    pub(crate) fn wake_all(&mut self) {
        let calendar = &mut self.calendar;
        match &mut self.kind {
            DerivedKind::Pair(keys) => keys.slab.iter().for_each(|(key, ..)| calendar.forget_after(i64::MIN, key)),
            DerivedKind::Table(keys) => keys.wake_all(calendar),
            DerivedKind::Absence(keys) => keys.wake_all(calendar),
        }
    }
}

/// Bytes of one kept row.
mod scalars {
    use super::{Broken, Reader, Scalar};
    use crate::{codec::Writer, decode::UNITS_MAX};

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

    /// Reads a row of a source with this many fields.
    pub(super) fn read(fields: usize, reader: &mut Reader<'_>) -> Result<Box<[Scalar]>, Broken> {
        if reader.count(1)? != fields {
            return Err(Broken("a row of another source"));
        }
        let scalar = |reader: &mut Reader<'_>| match reader.byte()? {
            0 => Ok(Scalar::Null),
            1 => match reader.signed()? {
                units if units.unsigned_abs() <= UNITS_MAX.unsigned_abs() => Ok(Scalar::Units(units)),
                _ => Err(Broken("a value that no field can have")),
            },
            2 => reader.text().map(|text| Scalar::Text(text.into())),
            _ => Err(Broken("an unknown kind of value")),
        };
        (0..fields).map(|_| scalar(reader)).collect()
    }
}
