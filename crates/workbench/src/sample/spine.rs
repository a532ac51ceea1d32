//! Instants worth asking about: moments of lives, with the entities that took part in them.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Span, Timestamp};
use h3o::{LatLng, Resolution};
use pipeline::{Expr, FieldKind, Pipeline};
use serde_json::Value;

use super::play::Occurrence;
use crate::dice::Dice;

/// Moments of all lives so far.
#[derive(Debug)]
pub(super) struct Candidates {
    /// Entity, stream, and field that names it.
    keys: BTreeSet<(String, usize, String)>,
    /// Cells: stream and field, and how they are made of others.
    cells: BTreeMap<(usize, String), (String, String, Resolution)>,
    moments: Vec<(Timestamp, BTreeMap<String, String>)>,
    /// Entities of the present life beyond its moments: the most that any life had.
    widest: usize,
}

impl Candidates {
    pub(super) fn new(pipeline: &Pipeline) -> Self {
        let mut keys = BTreeSet::new();
        let mut cells = BTreeMap::new();
        for group in &pipeline.groups {
            let (Some(base), Expr::Field(field)) = (pipeline.base_of(group.source), &group.key) else { continue };
            let fields = &pipeline.sources[group.source].fields;
            let name = fields[*field].name.clone();
            if let FieldKind::Cell { latitude, longitude, resolution } = fields[*field].kind
                && let Ok(resolution) = Resolution::try_from(resolution)
            {
                let parts = (fields[latitude].name.clone(), fields[longitude].name.clone(), resolution);
                cells.insert((base, name.clone()), parts);
            }
            keys.insert((group.entity.clone(), base, name));
        }
        Self { keys, cells, moments: Vec::new(), widest: 0 }
    }

    /// Remembers when this life began and whom it concerned.
    pub(super) fn note(&mut self, life: &[Occurrence]) {
        let mut entities = BTreeMap::new();
        for occurrence in life {
            for (entity, source, field) in self.keys.iter().filter(|(_, source, _)| *source == occurrence.source) {
                let text = match self.cells.get(&(*source, field.clone())) {
                    Some((lat, lon, resolution)) => cell(occurrence, lat, lon, *resolution),
                    None => {
                        member(occurrence, field).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
                    }
                };
                if let Some(text) = text {
                    entities.entry(entity.clone()).or_insert(text);
                }
            }
        }
        self.widest = self.widest.max(entities.len());
        if let Some(first) = life.first().filter(|_| !entities.is_empty()) {
            // An instant later, so that the beginning itself is seen.
            self.moments.push((first.time.plus(Span(1)), entities));
        }
    }

    /// So many moments within an interval as JSON lines, in their order; those that concern most entities are preferred.
    pub(super) fn rows(&self, from: Timestamp, to: Timestamp, count: usize, dice: &mut Dice) -> Vec<String> {
        let within = |widest: bool| {
            let moments = self.moments.iter().filter(move |(_, entities)| (entities.len() == self.widest) == widest);
            moments.filter(|(at, _)| (from..to).contains(at))
        };
        let mut moments: Vec<_> = within(true).collect();
        if moments.is_empty() {
            moments = within(false).collect();
        }
        // Fisher and Yates, as far as it is needed.
        let count = count.min(moments.len());
        for place in 0..count {
            let other = place + dice.below((moments.len() - place) as u64) as usize;
            moments.swap(place, other);
        }
        moments.truncate(count);
        moments.sort();
        let line = |(row, (at, entities)): (usize, &&(Timestamp, BTreeMap<String, String>))| {
            let entities: Vec<String> = entities
                .iter()
                .map(|(entity, key)| format!(",{}:{}", Value::from(entity.as_str()), Value::from(key.as_str())))
                .collect();
            format!("{{\"row\":{},\"at\":\"{at}\"{}}}\n", row + 1, entities.concat())
        };
        moments.iter().enumerate().map(line).collect()
    }
}

fn member<'o>(occurrence: &'o Occurrence, name: &str) -> Option<&'o Value> {
    occurrence.members.iter().find(|(known, value)| known == name && !value.is_null()).map(|(_, value)| value)
}

fn cell(occurrence: &Occurrence, lat: &str, lon: &str, resolution: Resolution) -> Option<String> {
    let degrees = |name| member(occurrence, name).and_then(Value::as_f64);
    let position = LatLng::new(degrees(lat)?, degrees(lon)?).ok()?;
    Some(position.to_cell(resolution).to_string())
}
