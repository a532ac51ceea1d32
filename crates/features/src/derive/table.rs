//! The last row for each key: open from its event until the next one, a `gone` one, or `longest`.

use pipeline::{Source, Table};

use super::{Calendar, Change, Horizon, scalars};
use crate::{
    codec::{Broken, Reader, Writer},
    columns::{Columns, Scalar},
    evaluate::Evaluator,
    slab::{Slab, Stored, key_hash},
    tiling::Keys,
};

#[derive(Debug)]
pub(super) struct TableKeys {
    table: Table,
    /// Number of the base's fields.
    pub(super) fields: usize,
    pub(super) slab: Slab<Latest>,
}

/// The last event of a key.
#[derive(Debug)]
pub(super) struct Latest {
    time: i64,
    identity: u128,
    /// None when the event ended the row.
    row: Option<Box<[Scalar]>>,
    /// Whether the row was sent and not taken back.
    open: bool,
    /// When the key is looked at because its row may be over; not part of a save.
    due_at: i64,
    /// Whether the key is looked at when it may be forgotten; not part of a save.
    watched: bool,
}

impl TableKeys {
    pub(super) fn new(table: &Table, base: &Source) -> Self {
        Self { table: table.clone(), fields: base.fields.len(), slab: Slab::new() }
    }

    pub(super) fn take(
        &mut self,
        base: &Source,
        columns: &Columns,
        rows: &[u32],
        horizon: Horizon,
        changes: &mut Vec<Change>,
        calendar: &mut Calendar,
    ) {
        if rows.is_empty() {
            return;
        }
        let filtered = self.table.filter.as_ref().map(|filter| {
            let holds = Evaluator::new(&base.fields, columns, rows).holds(filter);
            rows.iter().zip(holds).filter(|(_, holds)| *holds).map(|(row, _)| *row).collect::<Vec<u32>>()
        });
        let key = pipeline::Expr::Field(self.table.key);
        let (keys, key_of, rows) = Keys::of(&key, &base.fields, columns, filtered.as_deref().unwrap_or(rows));
        let gone = self.table.gone.as_ref().map(|gone| Evaluator::new(&base.fields, columns, &rows).holds(gone));
        for (at, row) in rows.iter().map(|row| *row as usize).enumerate() {
            let ends = gone.as_ref().is_some_and(|gone| gone[at]);
            let latest = Latest {
                time: columns.times[row],
                identity: columns.identities[row],
                row: (!ends).then(|| columns.row(row)),
                open: false,
                due_at: i64::MAX,
                watched: false,
            };
            let (hash, text) = (keys.hash(key_of[at]), keys.text(key_of[at]));
            debug_assert_eq!(hash, key_hash(text));
            self.put(hash, text, latest, horizon, changes, calendar);
        }
    }

    fn put(
        &mut self,
        hash: u64,
        key: &str,
        mut latest: Latest,
        horizon: Horizon,
        changes: &mut Vec<Change>,
        calendar: &mut Calendar,
    ) {
        let known = self.slab.find(hash, key);
        if let Some(held) = known.and_then(|at| self.slab.get(at))
            && (held.time, held.identity) >= (latest.time, latest.identity)
        {
            return;
        }
        let ends_at = latest.time.saturating_add(self.table.longest.0);
        latest.open = latest.row.is_some() && horizon.now <= ends_at;
        let opened = latest.open.then(|| latest.change(1)).flatten();
        let at = match known {
            Some(at) => {
                let held = self.slab.change(at, &self.fields);
                let closed = held.open.then(|| held.change(-1)).flatten();
                (latest.due_at, latest.watched) = (held.due_at, held.watched);
                *held = latest;
                changes.extend(closed);
                at
            }
            None => self.slab.insert(hash, key, latest),
        };
        changes.extend(opened);
        let latest = self.slab.adjust(at);
        // A look that comes too early asks again.
        if latest.open && ends_at < latest.due_at {
            latest.due_at = ends_at.saturating_add(1);
            calendar.look_at(latest.due_at, at);
        }
        if !std::mem::replace(&mut latest.watched, true) {
            calendar.forget_after(latest.time, at);
        }
    }

    /// By instant and key, so that the order does not depend on when keys became known here.
    pub(super) fn sort_by_end(&self, keys: &mut [u32]) {
        let end = |at: u32| self.slab.get(at).map(|latest| (latest.time, self.slab.key(at)));
        keys.sort_unstable_by(|one, other| end(*one).cmp(&end(*other)));
    }

    /// Closes a row whose time is over.
    pub(super) fn look(&mut self, at: u32, horizon: Horizon, changes: &mut Vec<Change>, calendar: &mut Calendar) {
        let Some(latest) = self.slab.get(at).filter(|latest| latest.due_at <= horizon.now) else { return };
        let ends_at = latest.time.saturating_add(self.table.longest.0);
        if latest.open && horizon.now <= ends_at {
            self.slab.adjust(at).due_at = ends_at + 1;
            return calendar.look_at(ends_at + 1, at);
        }
        self.slab.adjust(at).due_at = i64::MAX;
        if self.slab.get(at).is_some_and(|latest| latest.open) {
            let latest = self.slab.change(at, &self.fields);
            latest.open = false;
            changes.extend(latest.change(-1));
        }
    }

    /// Forgets a key that nothing can bring back. Otherwise, up to which instant something of it matters.
    pub(super) fn forget(&mut self, at: u32, horizon: Horizon) -> Option<i64> {
        let latest = self.slab.get(at)?;
        if latest.open {
            return Some(latest.time.saturating_add(self.table.longest.0));
        }
        if latest.time >= horizon.oldest {
            return Some(latest.time);
        }
        self.slab.remove(at, &self.fields);
        None
    }

    /// Makes the timers of all keys anew, after a restore.
    pub(super) fn wake_all(&mut self, calendar: &mut Calendar) {
        let all: Vec<u32> = self.slab.iter().map(|(at, ..)| at).collect();
        for at in all {
            let latest = self.slab.adjust(at);
            latest.due_at = latest.time.saturating_add(self.table.longest.0).saturating_add(1);
            calendar.look_at(latest.due_at, at);
            calendar.forget_after(latest.time, at);
        }
    }
}

impl Latest {
    fn change(&self, weight: i8) -> Option<Change> {
        let (time, identity) = (self.time, self.identity);
        self.row.clone().map(|row| Change { weight, time, identity, start: None, row })
    }
}

impl Stored for Latest {
    /// Number of the base's fields.
    type Plan = usize;

    fn write(&self, _: &usize, out: &mut Writer<'_>) {
        out.signed(self.time);
        out.identity(self.identity);
        out.0.push(u8::from(self.open) | u8::from(self.row.is_some()) << 1);
        if let Some(row) = &self.row {
            scalars::write(row, out);
        }
    }

    fn read(fields: &usize, reader: &mut Reader<'_>) -> Result<Self, Broken> {
        let (time, identity, flags) = (reader.time()?, reader.identity()?, reader.byte()?);
        let row = if flags & 2 != 0 { Some(scalars::read(*fields, reader)?) } else { None };
        Ok(Self { time, identity, row, open: flags & 1 != 0, due_at: i64::MAX, watched: true })
    }
}
