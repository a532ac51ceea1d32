//! What did not come in time: one row for each gap that grew too long, or for each day without the event that it should have.
//!
//! The rows of a key are a function of its events and of T, so a late event takes back what it disproves. What was told so far is
//! known by one instant for all keys: everything that is due before it. An event is first put into the past that was told, and only
//! then does time pass, so what an event disproves in the same step is never raised.

mod events;
mod schedule;

use domain::Timestamp;
use pipeline::{Absence, Source};

use self::{
    events::{Event, Events, Missed},
    schedule::Schedule,
};
use super::{Calendar, Change, Horizon};
use crate::{
    codec::{Broken, Reader, Writer},
    columns::{Columns, Scalar},
    evaluate::Evaluator,
    output::AbsenceChange,
    slab::Slab,
    tiling::Keys,
};

/// Marks the instant up to which a save has told, among the items of the slab.
const TOLD: u8 = 3;

/// A row that comes or goes, and what there is to say of it.
pub(super) type Told = (Change, AbsenceChange);

#[derive(Debug)]
pub(super) struct AbsenceKeys {
    absence: Absence,
    /// Index of the absence.
    source: usize,
    schedule: Schedule,
    /// For each field of the absence the one of the base; none for `since`.
    from_base: Vec<Option<usize>>,
    /// Number of the base's fields.
    pub(super) fields: usize,
    pub(super) slab: Slab<Events>,
    /// What is due before this was told.
    told: i64,
    /// The same when the save under way began; none once it is written.
    told_to_save: Option<i64>,
}

impl AbsenceKeys {
    pub(super) fn new(absence: &Absence, source: usize, own: &Source, base: &Source) -> Self {
        let of_base = |place: usize| {
            (place != absence.since).then(|| base.fields.iter().position(|field| field.name == own.fields[place].name)).flatten()
        };
        Self {
            absence: absence.clone(),
            source,
            schedule: Schedule::new(absence.rule, &absence.zone),
            from_base: (0..own.fields.len()).map(of_base).collect(),
            fields: base.fields.len(),
            slab: Slab::new(),
            told: i64::MIN,
            told_to_save: None,
        }
    }

    /// Takes visible events, and then lets time pass.
    pub(super) fn take(
        &mut self,
        base: &Source,
        columns: &Columns,
        rows: &[u32],
        horizon: Horizon,
        calendar: &mut Calendar,
        out: &mut Vec<Told>,
    ) {
        if !rows.is_empty() {
            let key = pipeline::Expr::Field(self.absence.key);
            let (keys, key_of, rows) = Keys::of(&key, &base.fields, columns, rows);
            let came = self.absence.filter.as_ref().map(|filter| Evaluator::new(&base.fields, columns, &rows).holds(filter));
            for (at, row) in rows.iter().map(|row| *row as usize).enumerate() {
                let came = came.as_ref().is_none_or(|came| came[at]);
                if came || self.schedule.knows_by_any() {
                    let (time, identity, row) = (columns.times[row], columns.identities[row], Some(columns.row(row)));
                    let key = (keys.hash(key_of[at]), keys.text(key_of[at]));
                    self.put(key, Event { time, identity, came, row }, horizon, calendar, out);
                }
            }
        }
        self.pass(horizon, calendar, out);
    }

    fn put(&mut self, (hash, key): (u64, &str), event: Event, horizon: Horizon, calendar: &mut Calendar, out: &mut Vec<Told>) {
        let Self { slab, schedule, fields, told, .. } = self;
        let order = event.order();
        let matters_until = schedule.matters_until(event.time, event.row.as_deref().unwrap_or_default());
        let at = slab.find(hash, key).unwrap_or_else(|| slab.insert(hash, key, Events::default()));
        let events = slab.change(at, fields);
        events.settle(horizon.settled);
        let (gone, new) = events.put(event, schedule, *told);
        let next_due = events.next_due(order, schedule, *told);
        if !std::mem::replace(&mut events.watched, true) {
            calendar.forget_after(matters_until, at);
        }
        if let Some(look_at) = next_due.map(|due| due.saturating_add(1)).filter(|look_at| *look_at < events.look_at) {
            events.look_at = look_at;
            calendar.look_at(look_at, at);
        }
        for (missed, raised) in gone.into_iter().map(|missed| (missed, false)).chain(new.into_iter().map(|new| (new, true))) {
            self.tell(at, missed, raised, out);
        }
        self.slab.adjust(at).thin(order, &self.schedule);
    }

    /// Tells what became due since the last step.
    fn pass(&mut self, horizon: Horizon, calendar: &mut Calendar, out: &mut Vec<Told>) {
        let (since, now) = (self.told, self.told.max(horizon.now));
        self.told = now;
        let mut found = Vec::new();
        while let Some(entry) = calendar.due.first_entry().filter(|entry| *entry.key() <= now) {
            for at in entry.remove() {
                // One that was replaced by an earlier one has been looked at.
                let Some(events) = self.slab.get(at).filter(|events| events.look_at <= now) else { continue };
                found.extend(events.missed(&self.schedule, 0, since, now).into_iter().map(|missed| (missed, at)));
                self.watch(at, calendar);
            }
        }
        // By instant and key, so that the order does not depend on when keys became known here.
        found.sort_by(|(one, at), (other, other_at)| (one.due, self.slab.key(*at)).cmp(&(other.due, self.slab.key(*other_at))));
        for (missed, at) in found {
            self.tell(at, missed, true, out);
        }
    }

    /// Sets the timer of a key for what is due next after its last event.
    fn watch(&mut self, at: u32, calendar: &mut Calendar) {
        let next = self.slab.get(at).and_then(|events| events.next_due(events.kept.last()?.order(), &self.schedule, self.told));
        let look_at = next.map_or(i64::MAX, |due| due.saturating_add(1));
        self.slab.adjust(at).look_at = look_at;
        if look_at < i64::MAX {
            calendar.look_at(look_at, at);
        }
    }

    fn tell(&self, at: u32, missed: Missed, raised: bool, out: &mut Vec<Told>) {
        let events = self.slab.get(at).map(|events| &events.kept).into_iter().flatten();
        let Some((event, row)) =
            events.filter_map(|event| Some((event, event.row.as_ref()?))).find(|(event, _)| event.order() == missed.order)
        else {
            return;
        };
        let scalar = |field: &Option<usize>| field.map_or(Scalar::Units(event.time), |field| row[field].clone());
        let row: Box<[Scalar]> = self.from_base.iter().map(scalar).collect();
        let weight = if raised { 1 } else { -1 };
        let (time, identity) = (missed.due, event.identity);
        let change = Change { weight, time, identity, start: Some((event.time, event.identity)), row };
        let absence = AbsenceChange {
            source: self.source,
            key: self.slab.key(at).to_owned(),
            since: Timestamp(event.time),
            due: Timestamp(missed.due),
            identity: event.identity,
            raised,
        };
        out.push((change, absence));
    }

    /// Forgets a key of which nothing can be missed any more. Otherwise, up to which instant something of it matters.
    pub(super) fn forget(&mut self, at: u32, horizon: Horizon) -> Option<i64> {
        self.slab.get(at)?;
        let events = self.slab.change(at, &self.fields);
        events.settle(horizon.oldest);
        let last = events.kept.last()?;
        let matters_until = self.schedule.matters_until(last.time, last.row.as_deref().unwrap_or_default()).max(last.time);
        if matters_until < horizon.oldest.min(self.told) {
            self.slab.remove(at, &self.fields);
            return None;
        }
        Some(matters_until)
    }

    pub(super) fn begin_save(&mut self, all: bool) {
        self.slab.begin_save(all);
        self.told_to_save = Some(self.told);
    }

    pub(super) fn save_some(&mut self, bytes: usize, out: &mut Vec<u8>) -> bool {
        if let Some(told) = self.told_to_save.take() {
            Writer(out).0.push(TOLD);
            Writer(out).signed(told);
        }
        self.slab.save_some(&self.fields, bytes, out)
    }

    pub(super) fn load_item(&mut self, tag: u8, reader: &mut Reader<'_>) -> Result<(), Broken> {
        if tag == TOLD {
            self.told = reader.instant()?;
            return Ok(());
        }
        self.slab.load_item(&self.fields, tag, reader)
    }

    /// Makes the timers of all keys anew, after a restore.
    pub(super) fn wake_all(&mut self, calendar: &mut Calendar) {
        let all: Vec<u32> = self.slab.iter().map(|(at, ..)| at).collect();
        for at in all {
            self.watch(at, calendar);
            calendar.forget_after(i64::MIN, at);
        }
    }
}
