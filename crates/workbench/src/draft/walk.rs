//! The second look at the events of a stream, in the order of the file: disorder, gaps, and what follows what.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use xxhash_rust::xxh3::xxh3_64;

use super::{
    roles::{Position, Roles},
    value::{ARRIVAL, Value, member},
};

/// What the order of the events tells.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// First and last event time.
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    /// How far an event time lies behind the clock, at most.
    pub(super) behind_ms: i64,
    /// How far an event time lies before its arrival, at most.
    pub(super) ahead_ms: i64,
    /// Whether events say when they arrived.
    pub(super) has_arrivals: bool,
    /// The longest time without an arrival.
    pub(super) gap_ms: i64,
    /// The most arrivals in one second.
    pub(super) peak: u64,
    /// Places about a kilometre apart, of the first position.
    pub(super) spots: BTreeSet<(i64, i64)>,
    /// By place in the roles' entities.
    pub(super) things: Vec<Thing>,
    heard: Option<Timestamp>,
    /// Hashes of ids that were seen.
    ids: BTreeSet<u64>,
    second: (i64, u64),
}

/// What the events of one kind of entity tell.
#[derive(Debug, Default)]
pub(super) struct Thing {
    pub(super) events: u64,
    pub(super) different: usize,
    /// In how many of its events each other field holds something.
    pub(super) beside: BTreeMap<String, u64>,
    /// How many of its events are of each type.
    pub(super) kinds: BTreeMap<String, u64>,
    /// By place in the roles' positions: events away from where the same entity was before.
    pub(super) moves: Vec<u64>,
    /// By type and the type that follows it for the same entity.
    pub(super) follows: BTreeMap<(String, String), Follow>,
    last: BTreeMap<String, Last>,
}

/// How often one type follows another, and after how long.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Follow {
    pub(super) count: u64,
    pub(super) longest_ms: i64,
    /// Number of the first event that showed it.
    pub(super) first: u64,
}

/// The last event of one entity.
#[derive(Debug)]
struct Last {
    at: Timestamp,
    kind: Option<String>,
    positions: Vec<Option<(f64, f64)>>,
}

impl Walk {
    pub(super) fn new(roles: &Roles) -> Self {
        let thing = || Thing { moves: vec![0; roles.positions.len()], ..Thing::default() };
        Self { things: roles.entities.iter().map(|_| thing()).collect(), ..Self::default() }
    }

    /// Takes the next event of the stream, which arrived then.
    pub(super) fn note(&mut self, number: u64, arrival: Timestamp, members: &[(String, Value)], roles: &Roles) {
        let Some(at) = member(members, &roles.time).and_then(Value::instant) else { return };
        // A repetition may come at any time; it says nothing about how late events are.
        let id = member(members, &roles.identity[1]).and_then(Value::key);
        if !id.is_none_or(|id| self.ids.insert(xxh3_64(id.as_bytes()))) {
            return;
        }
        self.has_arrivals |= member(members, ARRIVAL).is_some();
        self.note_time(at, arrival);
        if let Some((latitude, longitude)) = roles.positions.first().and_then(|position| place(members, position)) {
            self.spots.insert(((latitude * 100.0) as i64, (longitude * 100.0) as i64));
        }
        let kind = roles.kind.as_ref().and_then(|kind| text(members, kind));
        for (thing, field) in self.things.iter_mut().zip(&roles.entities) {
            let Some(key) = member(members, field).and_then(Value::key) else { continue };
            thing.note(number, &key, at, kind, members, roles);
        }
    }

    /// From the first to the last event.
    pub(super) fn span_ms(&self) -> i64 {
        self.from.zip(self.to).map_or(0, |(from, to)| to.0 - from.0)
    }

    fn note_time(&mut self, at: Timestamp, arrival: Timestamp) {
        self.from = Some(self.from.map_or(at, |from| from.min(at)));
        self.to = Some(self.to.map_or(at, |to| to.max(at)));
        self.behind_ms = self.behind_ms.max(arrival.0 - at.0);
        self.ahead_ms = self.ahead_ms.max(at.0 - arrival.0);
        self.gap_ms = self.gap_ms.max(self.heard.map_or(0, |heard| arrival.0 - heard.0));
        self.heard = Some(arrival);
        let second = arrival.0 / 1000;
        self.second = if self.second.0 == second { (second, self.second.1 + 1) } else { (second, 1) };
        self.peak = self.peak.max(self.second.1);
    }
}

impl Thing {
    fn note(&mut self, number: u64, key: &str, at: Timestamp, kind: Option<&str>, members: &[(String, Value)], roles: &Roles) {
        self.events += 1;
        for (name, _) in members.iter().filter(|(_, value)| *value != Value::Null) {
            match self.beside.get_mut(name) {
                Some(count) => *count += 1,
                None => drop(self.beside.insert(name.clone(), 1)),
            }
        }
        if let Some(kind) = kind {
            match self.kinds.get_mut(kind) {
                Some(count) => *count += 1,
                None => drop(self.kinds.insert(kind.to_owned(), 1)),
            }
        }
        let positions: Vec<Option<(f64, f64)>> = roles.positions.iter().map(|position| place(members, position)).collect();
        let Some(last) = self.last.get_mut(key) else {
            self.different += 1;
            self.last.insert(key.to_owned(), Last { at, kind: kind.map(str::to_owned), positions });
            return;
        };
        for ((now, before), moves) in positions.iter().zip(&mut last.positions).zip(&mut self.moves) {
            *moves += u64::from(before.is_some() && now.is_some() && now != before);
            *before = now.or(*before);
        }
        if let Some((before, now)) = last.kind.as_deref().zip(kind).filter(|(before, now)| before != now) {
            let pair = (before.to_owned(), now.to_owned());
            let follow = self.follows.entry(pair).or_insert(Follow { first: number, ..Follow::default() });
            follow.count += 1;
            follow.longest_ms = follow.longest_ms.max(at.0 - last.at.0);
        }
        last.kind = kind.map(str::to_owned).or(last.kind.take());
        last.at = at;
    }
}

fn place(members: &[(String, Value)], position: &Position) -> Option<(f64, f64)> {
    let half = |name: &str| match member(members, name) {
        Some(Value::Number(number)) => Some(number.value),
        _ => None,
    };
    half(&position.latitude).zip(half(&position.longitude))
}

/// A text that is not empty.
fn text<'m>(members: &'m [(String, Value)], name: &str) -> Option<&'m str> {
    match member(members, name) {
        Some(Value::Text(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}
