//! Plays the lives of a script, one after the other in the order in which they begin.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use domain::Timestamp;
use pipeline::{Pipeline, SourceKind};
use serde_json::Value;

use super::{
    script::{Draw, Life, Script, Step, Way},
    stage::{Position, Stage},
};
use crate::dice::Dice;

/// How much two durations of the same thing differ.
const DURATION_SPREAD: f64 = 0.25;
/// A rush comes and goes within this time.
const RUSH_HOURS: f64 = 3.0;
/// At its height there is half as much again to do, between two of them half as much.
const RUSH_SHARE: f64 = 0.5;
const HOUR_MS: f64 = 3_600_000.0;

/// Something that happened.
#[derive(Clone, Debug)]
pub(super) struct Occurrence {
    pub(super) time: Timestamp,
    /// Index in the pipeline's sources.
    pub(super) source: usize,
    /// What the event says.
    pub(super) members: Vec<(String, Value)>,
}

/// A script being played.
#[derive(Debug)]
pub(super) struct Player<'a> {
    script: &'a Script,
    pipeline: &'a Pipeline,
    stage: Stage,
    dice: Dice,
    start: Timestamp,
    /// When which life begins, and for which thing.
    schedule: BinaryHeap<Reverse<(Timestamp, &'a str, Option<usize>)>>,
    lives: u64,
    events: u64,
}

/// What one life knows.
struct Cast<'a> {
    life: &'a Life,
    /// The thing of each pool.
    things: BTreeMap<&'a str, usize>,
    names: BTreeMap<&'a str, String>,
    places: BTreeMap<&'a str, Position>,
    /// When each named step was.
    times: BTreeMap<&'a str, i64>,
}

impl<'a> Player<'a> {
    pub(super) fn new(script: &'a Script, pipeline: &'a Pipeline, start: Timestamp, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let stage = Stage::new(script.middle, &script.pool, &mut dice);
        let mut schedule = BinaryHeap::new();
        for (name, life) in &script.life {
            match &life.each {
                None => schedule.push(Reverse((start, name.as_str(), None))),
                Some(pool) => {
                    schedule.extend((0..stage.pools[pool].len()).map(|thing| Reverse((start, name.as_str(), Some(thing)))))
                }
            }
        }
        Self { script, pipeline, stage, dice, start, schedule, lives: 0, events: 0 }
    }

    /// When the next life begins.
    pub(super) fn next_begins(&self) -> Option<Timestamp> {
        self.schedule.peek().map(|Reverse((at, ..))| *at)
    }

    /// Plays the next life to its end.
    pub(super) fn play(&mut self) -> Vec<Occurrence> {
        let Some(Reverse((at, name, thing))) = self.schedule.pop() else { return Vec::new() };
        let life = &self.script.life[name];
        if let Some(again) = self.again(life, at) {
            self.schedule.push(Reverse((again, name, thing)));
        }
        self.lives += 1;
        let mut cast = self.cast(life, at, thing);
        let mut occurrences = Vec::new();
        let mut now = at.0;
        for step in &life.step {
            if step.chance.is_some_and(|chance| !self.dice.happens(chance)) {
                continue;
            }
            now = self.step_time(step, &cast, now);
            match &step.go {
                None => occurrences.push(self.occurrence(step, &cast, now, step.at.as_deref().map(|at| cast.places[at]))),
                Some(way) => now = self.walk(step, way, &mut cast, now, &mut occurrences),
            }
            if let Some(name) = &step.name {
                cast.times.insert(name, now);
            }
            if step.ends {
                break;
            }
        }
        self.release(&cast, now);
        occurrences
    }

    fn again(&mut self, life: &Life, at: Timestamp) -> Option<Timestamp> {
        let wait_ms = match (life.each.is_some(), life.every) {
            (true, None) => return None,
            (true, Some(every)) => every * 1000.0,
            (false, _) => {
                let hours = (at.0 - self.start.0) as f64 / HOUR_MS;
                let rush = 1.0 + RUSH_SHARE * libm::sin(hours * std::f64::consts::TAU / RUSH_HOURS);
                // Waiting times of independent beginnings are exponential.
                -libm::log(1.0 - self.dice.share()) * HOUR_MS / (life.per_hour * rush)
            }
        };
        Some(Timestamp(at.0 + (wait_ms as i64).max(1)))
    }

    fn cast(&mut self, life: &'a Life, at: Timestamp, thing: Option<usize>) -> Cast<'a> {
        let mut cast =
            Cast { life, things: BTreeMap::new(), names: BTreeMap::new(), places: BTreeMap::new(), times: BTreeMap::new() };
        for pool in life.each.iter().chain(&life.pick) {
            let chosen = if life.each.as_ref() == Some(pool) { thing } else { None };
            let place = chosen.unwrap_or_else(|| self.stage.pick(pool, at.0, &mut self.dice));
            let thing = &self.stage.pools[pool][place];
            cast.things.insert(pool, place);
            cast.names.insert(pool, thing.name.clone());
            cast.places.insert(pool, thing.position);
        }
        for (name, template) in &life.own {
            cast.names.insert(name, template.replace("{}", &self.lives.to_string()));
        }
        for (name, place) in &life.place {
            let near = cast.places.get(place.near.as_str()).copied().unwrap_or(self.middle());
            cast.places.insert(name, near.near(place.within, &mut self.dice));
        }
        cast
    }

    fn middle(&self) -> Position {
        Position { lat: self.script.middle.lat, lon: self.script.middle.lon }
    }

    fn step_time(&mut self, step: &Step, cast: &Cast<'_>, now: i64) -> i64 {
        let since = step.since.iter().filter_map(|name| cast.times.get(name.as_str()).copied()).max().unwrap_or(now);
        let pace = step.pace.as_ref().and_then(|pool| Some(self.stage.pools[pool][*cast.things.get(pool.as_str())?].pace));
        let seconds = self.dice.between(step.after[0], step.after[1]);
        let seconds = if seconds > 0.0 { seconds * pace.unwrap_or(1.0) * self.dice.factor(DURATION_SPREAD) } else { 0.0 };
        since + (seconds * 1000.0) as i64
    }

    /// Events along a way; the time of arrival.
    fn walk(&mut self, step: &Step, way: &Way, cast: &mut Cast<'a>, now: i64, occurrences: &mut Vec<Occurrence>) -> i64 {
        let (from, to) = (cast.places[way.who.as_str()], cast.places[way.to.as_str()]);
        let seconds = from.metres_to(to) / way.speed * self.dice.factor(DURATION_SPREAD);
        for part in 1..=(seconds / way.every) as usize {
            let passed = part as f64 * way.every;
            let position = from.towards(to, passed / seconds);
            occurrences.push(self.occurrence(step, cast, now + (passed * 1000.0) as i64, Some(position)));
        }
        if let Some((who, position)) = cast.places.iter_mut().find(|(who, _)| **who == way.who) {
            *position = to;
            if let (Some(things), Some(place)) = (self.stage.pools.get_mut(*who), cast.things.get(who)) {
                things[*place].position = to;
            }
        }
        now + (seconds * 1000.0) as i64
    }

    fn occurrence(&mut self, step: &Step, cast: &Cast<'_>, time: i64, position: Option<Position>) -> Occurrence {
        let source = self.pipeline.sources.iter().position(|source| source.name == step.source).unwrap_or_default();
        let time = Timestamp(time);
        self.events += 1;
        let mut members = Vec::new();
        if let SourceKind::Stream(stream) = &self.pipeline.sources[source].kind {
            let name = |field: usize| self.pipeline.sources[source].fields[field].name.clone();
            members.push((name(stream.identity_id), Value::from(format!("e{}", self.events))));
            members.push((name(stream.identity_source), Value::from(format!("{}-service", step.source))));
            members.push((name(stream.time), Value::from(time.to_string())));
        }
        let always = cast.life.always.get(&step.source).into_iter().flatten();
        for (name, draw) in step.set.iter().chain(always) {
            let value = draw_value(draw, cast, &mut self.dice);
            match members.iter_mut().find(|(known, _)| known == name) {
                Some((_, known)) => *known = value,
                None => members.push((name.clone(), value)),
            }
        }
        if let Some(Position { lat, lon }) = position {
            members.extend([("lat".to_owned(), rounded(lat, 6)), ("lon".to_owned(), rounded(lon, 6))]);
        }
        Occurrence { time, source, members }
    }

    fn release(&mut self, cast: &Cast<'_>, now: i64) {
        for (pool, place) in &cast.things {
            if self.script.pool[*pool].busy
                && let Some(things) = self.stage.pools.get_mut(*pool)
            {
                things[*place].free_at = now;
            }
        }
    }
}

fn draw_value(draw: &Draw, cast: &Cast<'_>, dice: &mut Dice) -> Value {
    match draw {
        Draw::Text(template) => {
            let filled =
                cast.names.iter().fold(template.clone(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
            Value::from(filled)
        }
        Draw::Integer(integer) => Value::from(*integer),
        Draw::Float(float) => Value::from(*float),
        Draw::Truth(truth) => Value::from(*truth),
        Draw::Range { between: [low, high], digits: 0 } => Value::from(dice.between(*low, *high + 1.0).floor().min(*high) as i64),
        Draw::Range { between: [low, high], digits } => rounded(dice.between(*low, *high), *digits),
        Draw::Choice { one_of } if one_of.is_empty() => Value::Null,
        Draw::Choice { one_of } => draw_value(&one_of[dice.below(one_of.len() as u64) as usize], cast, dice),
    }
}

/// A number whose text has at most so many digits after the point.
fn rounded(value: f64, digits: u8) -> Value {
    let text = format!("{value:.*}", usize::from(digits));
    serde_json::from_str(&text).unwrap_or(Value::Null)
}
