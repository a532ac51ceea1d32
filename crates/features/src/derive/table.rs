//! The last row for each key: open from its event until the next one, a `gone` one, or `longest`.

use pipeline::{Source, Table};

use super::{Change, Horizon, scalars};
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
}

impl TableKeys {
    pub(super) fn new(table: &Table) -> Self {
        Self { table: table.clone(), slab: Slab::new() }
    }

    pub(super) fn take(
        &mut self,
        base: &Source,
        columns: &Columns,
        rows: &[u32],
        horizon: Horizon,
        changes: &mut Vec<Change>,
        look_again: &mut impl FnMut(i64, u32),
    ) {
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
            };
            let (hash, text) = (keys.hash(key_of[at]), keys.text(key_of[at]));
            debug_assert_eq!(hash, key_hash(text));
            self.put(hash, text, latest, horizon, changes, look_again);
        }
    }

    fn put(
        &mut self,
        hash: u64,
        key: &str,
        mut latest: Latest,
        horizon: Horizon,
        changes: &mut Vec<Change>,
        look_again: &mut impl FnMut(i64, u32),
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
                let held = self.slab.change(at, &());
                let closed = held.open.then(|| held.change(-1)).flatten();
                *held = latest;
                changes.extend(closed);
                at
            }
            None => self.slab.insert(hash, key, latest),
        };
        changes.extend(opened);
        look_again(ends_at.saturating_add(1), at);
    }

    /// Closes a row whose time is over, forgets a key that nothing can bring back. When to look again, if at all.
    pub(super) fn look(&mut self, at: u32, horizon: Horizon, changes: &mut Vec<Change>) -> Option<i64> {
        let latest = self.slab.get(at)?;
        let ends_at = latest.time.saturating_add(self.table.longest.0);
        if latest.open && horizon.now <= ends_at {
            return Some(ends_at + 1);
        }
        if latest.open {
            let latest = self.slab.change(at, &());
            latest.open = false;
            changes.extend(latest.change(-1));
        }
        let latest = self.slab.get(at)?;
        if latest.time < horizon.oldest {
            self.slab.remove(at, &());
            return None;
        }
        // It becomes forgettable when the oldest acceptable event is younger.
        Some(horizon.now + (latest.time - horizon.oldest) + 1)
    }
}

impl Latest {
    fn change(&self, weight: i8) -> Option<Change> {
        self.row.as_ref().map(|row| Change { weight, time: self.time, identity: self.identity, row: row.clone() })
    }
}

impl Stored for Latest {
    type Plan = ();

    fn write(&self, (): &(), out: &mut Writer<'_>) {
        out.signed(self.time);
        out.identity(self.identity);
        out.0.push(u8::from(self.open) | u8::from(self.row.is_some()) << 1);
        if let Some(row) = &self.row {
            scalars::write(row, out);
        }
    }

    fn read((): &(), reader: &mut Reader<'_>) -> Result<Self, Broken> {
        let (time, identity, flags) = (reader.signed()?, reader.identity()?, reader.byte()?);
        let row = if flags & 2 != 0 { Some(scalars::read(reader)?) } else { None };
        Ok(Self { time, identity, row, open: flags & 1 != 0 })
    }
}
