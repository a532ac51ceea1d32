//! Durations between a start and the first end after it.
//!
//! A key keeps its events for as long as another could still come between them; what is older is settled, and of it only the
//! start that is still open matters.

use pipeline::{Pair, Source};

use super::{Change, Horizon, scalars};
use crate::{
    codec::{Broken, Reader, Writer},
    columns::{Columns, Scalar},
    evaluate::Evaluator,
    slab::{Slab, Stored},
    tiling::Keys,
};

#[derive(Debug)]
pub(super) struct PairKeys {
    pair: Pair,
    /// For each field of the pair the one of the base; none for `seconds`.
    from_base: Vec<Option<usize>>,
    /// Number of the base's fields.
    pub(super) fields: usize,
    pub(super) slab: Slab<Events>,
}

/// The events of one key.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The settled start that no settled end has closed.
    open: Option<Event>,
    /// Not settled, in order.
    recent: Vec<Event>,
    /// Whether the key is looked at when it may be forgotten; not part of a save.
    watched: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Event {
    time: i64,
    identity: u128,
    starts: bool,
    ends: bool,
    row: Box<[Scalar]>,
}

impl PairKeys {
    pub(super) fn new(pair: &Pair, source: &Source, base: &Source) -> Self {
        let of_base = |place: usize| {
            (place != pair.seconds)
                .then(|| base.fields.iter().position(|field| field.name == source.fields[place].name))
                .flatten()
        };
        let from_base = (0..source.fields.len()).map(of_base).collect();
        Self { pair: pair.clone(), from_base, fields: base.fields.len(), slab: Slab::new() }
    }

    pub(super) fn take(
        &mut self,
        base: &Source,
        columns: &Columns,
        rows: &[u32],
        horizon: Horizon,
        changes: &mut Vec<Change>,
        forget: &mut impl FnMut(i64, u32),
    ) {
        if rows.is_empty() {
            return;
        }
        let key = pipeline::Expr::Field(self.pair.key);
        let (keys, key_of, rows) = Keys::of(&key, &base.fields, columns, rows);
        let evaluator = Evaluator::new(&base.fields, columns, &rows);
        let (starts, ends) = (evaluator.holds(&self.pair.start), evaluator.holds(&self.pair.end));
        for at in (0..rows.len()).filter(|at| starts[*at] || ends[*at]) {
            let row = rows[at] as usize;
            let event = Event {
                time: columns.times[row],
                identity: columns.identities[row],
                starts: starts[at],
                ends: ends[at],
                row: columns.row(row),
            };
            let (hash, text) = (keys.hash(key_of[at]), keys.text(key_of[at]));
            let key = self.slab.find(hash, text).unwrap_or_else(|| self.slab.insert(hash, text, Events::default()));
            let over_at = event.time.saturating_add(self.pair.longest.0);
            self.put(key, event, horizon, changes);
            let events = self.slab.adjust(key);
            if !std::mem::replace(&mut events.watched, true) {
                forget(over_at, key);
            }
        }
    }

    /// Every event of a pair starts, ends or both, so it decides alone what is open after it. A new event therefore changes
    /// at most two durations: the one that it ends itself, and the one that the event after it ends.
    fn put(&mut self, key: u32, event: Event, horizon: Horizon, changes: &mut Vec<Change>) {
        let longest = self.pair.longest.0;
        let events = self.slab.change(key, &self.fields);
        events.settle(horizon.settled, longest);
        let at = events.recent.partition_point(|other| other.order() < event.order());
        let before = events.open_at(at);
        let next = events.recent.get(at);
        let ended = duration(before, Some(&event), longest);
        let was = duration(before, next, longest);
        let open = if event.starts {
            Some(&event)
        } else if event.ends {
            None
        } else {
            before
        };
        let is = duration(open, next, longest);
        let change =
            |pair: Option<(&Event, &Event)>, weight| pair.map(|(start, end)| change(&self.from_base, start, end, weight));
        if was.map(|(start, _)| start.identity) != is.map(|(start, _)| start.identity) {
            changes.extend(change(was, -1));
            changes.extend(change(is, 1));
        }
        changes.extend(change(ended, 1));
        events.recent.insert(at, event);
    }

    /// Forgets a key that can make no further duration. Otherwise, up to which instant something of it matters.
    pub(super) fn look(&mut self, key: u32, horizon: Horizon) -> Option<i64> {
        self.slab.get(key)?;
        let longest = self.pair.longest.0;
        let events = self.slab.change(key, &self.fields);
        events.settle(horizon.oldest, longest);
        let last = events.recent.last().or(events.open.as_ref()).map(|event| event.time.saturating_add(longest));
        if last.is_none() {
            self.slab.remove(key, &self.fields);
        }
        last
    }
}

/// Start and end, if there are both and not too far from each other.
fn duration<'a>(start: Option<&'a Event>, end: Option<&'a Event>, longest: i64) -> Option<(&'a Event, &'a Event)> {
    let (start, end) = (start?, end.filter(|end| end.ends)?);
    (end.time - start.time <= longest).then_some((start, end))
}

fn change(from_base: &[Option<usize>], start: &Event, end: &Event, weight: i8) -> Change {
    let scalar = |field: &Option<usize>| match field {
        None => Scalar::Units(end.time - start.time),
        Some(field) if end.row[*field] != Scalar::Null => end.row[*field].clone(),
        Some(field) => start.row[*field].clone(),
    };
    let row = from_base.iter().map(scalar).collect();
    let start = Some((start.time, start.identity));
    Change { weight, time: end.time, identity: end.identity, start, row }
}

impl Event {
    /// At one instant what only starts comes first.
    fn order(&self) -> (i64, bool, u128) {
        (self.time, self.ends, self.identity)
    }
}

impl Events {
    /// Moves what can no longer change into `open`.
    fn settle(&mut self, oldest: i64, longest: i64) {
        let settled = self.recent.partition_point(|event| event.time < oldest);
        for event in self.recent.drain(..settled) {
            if event.ends {
                self.open = None;
            }
            if event.starts {
                self.open = Some(event);
            }
        }
        if self.open.as_ref().is_some_and(|open| open.time.saturating_add(longest) < oldest) {
            self.open = None;
        }
    }

    /// The start that is open before the event at this place.
    fn open_at(&self, at: usize) -> Option<&Event> {
        match at.checked_sub(1).and_then(|before| self.recent.get(before)) {
            Some(before) => Some(before).filter(|before| before.starts),
            None => self.open.as_ref(),
        }
    }
}

impl Stored for Events {
    /// Number of the base's fields.
    type Plan = usize;

    fn write(&self, _: &usize, out: &mut Writer<'_>) {
        out.count(usize::from(self.open.is_some()));
        out.count(self.recent.len());
        for event in self.open.iter().chain(&self.recent) {
            out.signed(event.time);
            out.identity(event.identity);
            out.0.push(u8::from(event.starts) | u8::from(event.ends) << 1);
            scalars::write(&event.row, out);
        }
    }

    fn read(fields: &usize, reader: &mut Reader<'_>) -> Result<Self, Broken> {
        let (open, recent) = (reader.count(1)?, reader.count(1)?);
        let event = |reader: &mut Reader<'_>| -> Result<Event, Broken> {
            let (time, identity, flags) = (reader.time()?, reader.identity()?, reader.byte()?);
            Ok(Event { time, identity, starts: flags & 1 != 0, ends: flags & 2 != 0, row: scalars::read(*fields, reader)? })
        };
        let open = (0..open).map(|_| event(reader)).last().transpose()?;
        let recent = (0..recent).map(|_| event(reader)).collect::<Result<Vec<Event>, Broken>>()?;
        if recent.is_sorted_by_key(Event::order) {
            Ok(Self { open, recent, watched: true })
        } else {
            Err(Broken("events out of order"))
        }
    }
}
