//! The values that are shown, read from the online store as any reader would. Reads often, chooses seldom, so that rows do not jump.

use std::time::Duration;

use domain::{FeatureVector, NEVER, Span, Timestamp, Value, is_outdated, unpack};
use ports::{OnlineStore, Serving, VectorKey};

use crate::{
    failure::Failure,
    host::Host,
    parts::AnyOnline,
    view::{
        entities::{Kind, Shown, kinds},
        frame::{Cell, Condition, Panel, Row},
        text,
    },
};

/// How long rows keep their places: long enough to read across one.
const CHOOSE_EVERY: Duration = Duration::from_secs(2);
/// Entities of a type among which the busiest are looked for. A city has fewer; of a million, these are a fair sample.
const LOOKED_AT_MAX: usize = 5000;
/// Rows of an entity type: more than most screens are high.
const ROWS_MAX: usize = 80;

/// The entity types of a host and the entities that were chosen.
#[derive(Debug, Default)]
pub(super) struct Panels {
    chosen_at: Option<Duration>,
    shown: Vec<Chosen>,
}

#[derive(Debug)]
struct Chosen {
    kind: Kind,
    online: AnyOnline,
    keys: Vec<String>,
    count: usize,
    more: bool,
}

impl Panels {
    /// What is to be seen at a time since the beginning, with as many rows as there is room for.
    pub(super) async fn look(&mut self, host: &Host, at: Duration, rows_max: usize) -> Result<Vec<Panel>, Failure> {
        if self.chosen_at.is_none_or(|since| at.saturating_sub(since) >= CHOOSE_EVERY) {
            self.shown = choose(host).await?;
            // Until there is something to see, it is looked for at every occasion.
            let is_empty = self.shown.iter().all(|chosen| chosen.keys.is_empty());
            self.chosen_at = (!is_empty).then_some(at);
        }
        let now = host.clock().now();
        let mut panels = Vec::new();
        for chosen in &self.shown {
            panels.push(chosen.panel(now, rows_max).await?);
        }
        Ok(panels)
    }
}

async fn choose(host: &Host) -> Result<Vec<Chosen>, Failure> {
    let hosted = host.hosted();
    let mut shown: Vec<Chosen> = Vec::new();
    for one in &hosted {
        let first = shown.len();
        let serving = one.online.serving().await?;
        for plan in one.plans() {
            let served = |group: &str| {
                let served = serving.iter().any(|serving| serving.group == group && serving.generation == plan.generation);
                served.then_some(plan.generation)
            };
            for kind in kinds(&plan.pipeline, served) {
                // Groups of one entity type may have been built at different times.
                match shown[first..].iter_mut().find(|chosen| chosen.kind.entity == kind.entity) {
                    Some(chosen) => {
                        chosen.kind.groups.extend(kind.groups);
                        chosen.kind.choose();
                    }
                    None => shown.push(Chosen { kind, online: one.online.clone(), keys: Vec::new(), count: 0, more: false }),
                }
            }
        }
        if hosted.len() > 1 {
            shown[first..].iter_mut().for_each(|chosen| chosen.kind.title = format!("{} {}", one.id, chosen.kind.entity));
        }
    }
    for chosen in &mut shown {
        chosen.rank().await?;
    }
    Ok(shown)
}

impl Chosen {
    /// Finds the entities with the largest values of the first column, or of the first of whose group there are any.
    async fn rank(&mut self) -> Result<(), Failure> {
        let online = &self.online;
        let Kind { entity, groups, columns, .. } = &mut self.kind;
        let mut found = None;
        for (place, column) in columns.iter().enumerate() {
            let Shown { group, generation, .. } = &groups[column.group];
            let serving = Serving { group: group.name.clone(), generation: *generation };
            let sample = online.sample(entity, &serving, LOOKED_AT_MAX).await?;
            if !sample.is_empty() {
                found = Some((place, sample));
                break;
            }
        }
        let Some((first, sample)) = found else { return Ok(()) };
        columns[..=first].rotate_right(1);
        (self.count, self.more) = (sample.len(), sample.len() == LOOKED_AT_MAX);
        let (column, schema) = (&columns[0], &groups[columns[0].group].schema);
        let value = |packed: &[u8]| unpack(packed, schema).ok().and_then(|vector| vector.values[column.place].map(plain));
        let mut ranked: Vec<(Option<f64>, String)> = sample.into_iter().map(|(key, packed)| (value(&packed), key)).collect();
        // Shorter keys first, so that 9 comes before 10.
        let by_key = |one: &str, other: &str| one.len().cmp(&other.len()).then_with(|| one.cmp(other));
        ranked.sort_by(|(one, key), (other, of_other)| {
            let by_value = other.unwrap_or(f64::NEG_INFINITY).total_cmp(&one.unwrap_or(f64::NEG_INFINITY));
            by_value.then_with(|| by_key(key, of_other))
        });
        self.keys = ranked.into_iter().take(ROWS_MAX).map(|(_, key)| key).collect();
        Ok(())
    }

    async fn panel(&self, now: Timestamp, rows_max: usize) -> Result<Panel, Failure> {
        let Kind { title, entity, groups, columns } = &self.kind;
        let mut rows = Vec::new();
        for key in self.keys.iter().take(rows_max) {
            let of_group =
                groups.iter().map(|shown| VectorKey { entity, key, group: &shown.group.name, generation: shown.generation });
            let keys: Vec<VectorKey<'_>> = of_group.collect();
            let packed = self.online.read(&keys).await?;
            // A vector of another schema is one that a new generation has written a moment ago.
            let vectors: Vec<Option<FeatureVector>> =
                packed.iter().zip(groups).map(|(packed, shown)| unpack(packed.as_deref()?, &shown.schema).ok()).collect();
            let cells =
                columns.iter().map(|column| cell(vectors[column.group].as_ref(), &groups[column.group], column.place, now));
            let cells = cells.collect();
            rows.push(Row { key: key.clone(), cells, age: oldest(&vectors, now) });
        }
        let panel = Panel {
            entity: title.clone(),
            count: self.count,
            more: self.more,
            order: columns.first().map_or(String::new(), |column| format!("by {}", column.name)),
            columns: columns.iter().map(|column| column.name.clone()).collect(),
            rows,
        };
        Ok(without_empty_columns(panel))
    }
}

/// A feature that says nothing about any of them gives its place to one that does.
fn without_empty_columns(mut panel: Panel) -> Panel {
    let says: Vec<bool> = (0..panel.columns.len())
        .map(|place| place == 0 || panel.rows.iter().any(|row| !row.cells[place].text.is_empty()))
        .collect();
    let mut column = says.iter();
    panel.columns.retain(|_| column.next().copied().unwrap_or_default());
    for row in &mut panel.rows {
        let mut cell = says.iter();
        row.cells.retain(|_| cell.next().copied().unwrap_or_default());
    }
    panel
}

fn cell(vector: Option<&FeatureVector>, shown: &Shown, place: usize, now: Timestamp) -> Cell {
    let text = match vector.and_then(|vector| vector.values[place]) {
        None => String::new(),
        Some(Value::Integer(value)) => text::integer(value),
        Some(Value::Float(value)) => text::number(value),
    };
    Cell { text, condition: vector.map_or(Condition::Good, |vector| condition(vector, shown.group.tolerance, now)) }
}

fn condition(vector: &FeatureVector, tolerance: Span, now: Timestamp) -> Condition {
    if vector.source_silent {
        Condition::Silent
    } else if is_outdated(vector.valid_until, tolerance, now) {
        Condition::Outdated
    } else {
        Condition::Good
    }
}

/// The age of the oldest value that changes with time; if there is none, of the oldest at all.
fn oldest(vectors: &[Option<FeatureVector>], now: Timestamp) -> Option<Span> {
    let ages = |changes: bool| {
        let vectors = vectors.iter().flatten().filter(move |vector| changes == (vector.valid_until != NEVER));
        vectors.map(|vector| Span(now.0.saturating_sub(vector.as_of.0))).max()
    };
    ages(true).or_else(|| ages(false))
}

fn plain(value: Value) -> f64 {
    match value {
        Value::Integer(value) => value as f64,
        Value::Float(value) => value,
    }
}

#[cfg(test)]
mod tests;
