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
    pub(super) slab: Slab<Events>,
}

/// The events of one key.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The settled start that no settled end has closed.
    open: Option<Event>,
    /// Not settled, in order.
    recent: Vec<Event>,
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
        let of_base = |place: usize| (place != pair.seconds).then(|| base.fields.iter().position(|field| field.name == source.fields[place].name)).flatten();
        Self { pair: pair.clone(), from_base: (0..source.fields.len()).map(of_base).collect(), slab: Slab::new() }
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
            look_again(over_at.max(horizon.now).saturating_add(1), key);
        }
    }

    fn put(&mut self, key: u32, event: Event, horizon: Horizon, changes: &mut Vec<Change>) {
        let longest = self.pair.longest.0;
        let events = self.slab.change(key, &());
        events.settle(horizon.settled, longest);
        let before = events.durations(longest);
        let at = events.recent.partition_point(|other| other.order() < event.order());
        events.recent.insert(at, event);
        let after = events.durations(longest);
        let taken_back: Vec<Change> = before.iter().filter(|row| !after.contains(row)).map(|row| self.change(row, -1)).collect();
        let sent: Vec<Change> = after.iter().filter(|row| !before.contains(row)).map(|row| self.change(row, 1)).collect();
        changes.extend(taken_back);
        changes.extend(sent);
    }

    fn change(&self, (start, end): &(Event, Event), weight: i8) -> Change {
        let scalar = |field: &Option<usize>| match field {
            None => Scalar::Units(end.time - start.time),
            Some(field) if end.row[*field] != Scalar::Null => end.row[*field].clone(),
            Some(field) => start.row[*field].clone(),
        };
        Change { weight, time: end.time, identity: end.identity, row: self.from_base.iter().map(scalar).collect() }
    }

    /// Forgets a key that can make no further duration. When to look again, if at all.
    pub(super) fn look(&mut self, key: u32, horizon: Horizon) -> Option<i64> {
        self.slab.get(key)?;
        let longest = self.pair.longest.0;
        let events = self.slab.change(key, &());
        events.settle(horizon.oldest, longest);
        let last = events.recent.last().or(events.open.as_ref()).map(|event| event.time);
        match last {
            Some(last) => Some(horizon.now + (last - horizon.oldest).max(0) + longest + 1),
            None => {
                self.slab.remove(key, &());
                None
            }
        }
    }
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

    /// Start and end of each duration that ends among the recent events.
    fn durations(&self, longest: i64) -> Vec<(Event, Event)> {
        let (mut open, mut durations) = (self.open.as_ref(), Vec::new());
        for event in &self.recent {
            if event.ends
                && let Some(start) = open.take()
                && event.time - start.time <= longest
            {
                durations.push((start.clone(), event.clone()));
            }
            if event.starts {
                open = Some(event);
            }
        }
        durations
    }
}

impl Stored for Events {
    type Plan = ();

    fn write(&self, (): &(), out: &mut Writer<'_>) {
        out.count(usize::from(self.open.is_some()));
        out.count(self.recent.len());
        for event in self.open.iter().chain(&self.recent) {
            out.signed(event.time);
            out.identity(event.identity);
            out.0.push(u8::from(event.starts) | u8::from(event.ends) << 1);
            scalars::write(&event.row, out);
        }
    }

    fn read((): &(), reader: &mut Reader<'_>) -> Result<Self, Broken> {
        let (open, recent) = (reader.count(1)?, reader.count(1)?);
        let event = |reader: &mut Reader<'_>| -> Result<Event, Broken> {
            let (time, identity, flags) = (reader.signed()?, reader.identity()?, reader.byte()?);
            Ok(Event { time, identity, starts: flags & 1 != 0, ends: flags & 2 != 0, row: scalars::read(reader)? })
        };
        let open = (0..open).map(|_| event(reader)).last().transpose()?;
        let recent = (0..recent).map(|_| event(reader)).collect::<Result<Vec<Event>, Broken>>()?;
        if recent.is_sorted_by_key(Event::order) { Ok(Self { open, recent }) } else { Err(Broken("events out of order")) }
    }
}
