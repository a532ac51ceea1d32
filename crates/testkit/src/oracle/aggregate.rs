//! Each aggregator over the rows of one window, by the table of the page.

use std::collections::{BTreeMap, BTreeSet};

use domain::Value;
use num_bigint::BigInt;
use pipeline::{Aggregator, Feature, Field, Input, InputKind};

use super::event::{Content, Row};
use super::expression::holds;
use super::quantise::quantised;
use super::sketch;
use super::travel;

/// Where and when a feature is computed.
pub(crate) struct Scope<'f> {
    pub(crate) fields: &'f [Field],
    pub(crate) hop: i64,
    /// Of the window; none without one.
    pub(crate) width: Option<i64>,
    pub(crate) at: i64,
}

/// What a feature says.
pub(crate) struct Parts {
    /// One, except for `top`.
    pub(crate) values: Vec<Option<Value>>,
    /// What a sketched value would be without the sketch.
    pub(crate) exact: Option<f64>,
}

/// The values of a feature over the rows that its window covers.
pub(crate) fn parts(feature: &Feature, scope: &Scope<'_>, rows: &[&Row]) -> Parts {
    let mut rows = rows.iter().copied().filter(|row| holds(feature.condition.as_ref(), scope.fields, row)).collect::<Vec<_>>();
    rows.sort_by_key(|row| (row.from, row.identity));
    let exact = |exact: Option<f64>, value: Option<Value>| Parts { values: vec![value], exact };
    match feature.aggregator {
        Aggregator::Count | Aggregator::OpenCount => one(Some(Value::Integer(rows.len() as i64))),
        Aggregator::Rate { per } => {
            // A rate without a window has nothing to be divided by; the resolver refuses it.
            one(scope.width.map(|width| Value::Float(rows.len() as f64 / (width as f64 / per.0 as f64))))
        }
        Aggregator::Travel => one(Some(Value::Float(travel::length(&positions(feature, scope, &rows))))),
        Aggregator::Distinct => {
            let contents = rows.iter().filter_map(|row| quantised(&feature.inputs[0], scope.fields, row)).collect::<Vec<_>>();
            let different = contents.iter().collect::<BTreeSet<_>>().len();
            exact(Some(different as f64), Some(Value::Integer(sketch::distinct(&contents))))
        }
        Aggregator::Quantile { q } => {
            let scale = feature.inputs[0].kind.scale();
            let units = units(feature, scope, &rows).into_iter().map(|(_, units)| units).collect::<Vec<_>>();
            let value = sketch::binned_quantile(&units, q).map(|middle| Value::Float(middle / scale));
            exact(sketch::exact_quantile(&units, q).map(|units| units as f64 / scale), value)
        }
        Aggregator::Top { k } => top(&feature.inputs[0], usize::from(k), &units(feature, scope, &rows)),
        Aggregator::Ewma { half_life } => one(ewma(feature, scope, half_life.0, &units(feature, scope, &rows))),
        Aggregator::Sum
        | Aggregator::Mean
        | Aggregator::Std
        | Aggregator::Min
        | Aggregator::Max
        | Aggregator::First
        | Aggregator::Last => one(numeric(feature.aggregator, &feature.inputs[0].kind, &units(feature, scope, &rows))),
    }
}

fn one(value: Option<Value>) -> Parts {
    Parts { values: vec![value], exact: None }
}

/// Time and units of the rows whose value is not null, in the order of (time, identity).
fn units(feature: &Feature, scope: &Scope<'_>, rows: &[&Row]) -> Vec<(i64, i64)> {
    let units = |row: &&Row| match quantised(&feature.inputs[0], scope.fields, row)? {
        Content::Units(units) => Some((row.from, units)),
        Content::Text(text) => panic!("text {text} for {}: only distinct takes text", feature.name),
    };
    rows.iter().filter_map(units).collect()
}

fn numeric(aggregator: Aggregator, kind: &InputKind, units: &[(i64, i64)]) -> Option<Value> {
    let scale = kind.scale();
    let (mut sum, mut squares) = (BigInt::from(0), BigInt::from(0));
    for (_, units) in units {
        sum += BigInt::from(*units);
        squares += BigInt::from(*units) * BigInt::from(*units);
    }
    if aggregator == Aggregator::Sum {
        return Some(Value::Float(double(&sum) / scale));
    }
    let n = units.len() as f64;
    let ((_, first), (_, last)) = (units.first()?, units.last()?);
    Some(match aggregator {
        Aggregator::Mean => Value::Float(double(&sum) / n / scale),
        Aggregator::Std => {
            let spread = BigInt::from(units.len()) * squares - &sum * &sum;
            Value::Float((double(&spread) / n / n).sqrt() / scale)
        }
        Aggregator::Min => carried(kind, units.iter().map(|(_, units)| *units).min()?),
        Aggregator::Max => carried(kind, units.iter().map(|(_, units)| *units).max()?),
        Aggregator::First => carried(kind, *first),
        Aggregator::Last => carried(kind, *last),
        other => panic!("{other:?} is no aggregator of plain numbers"),
    })
}

/// What single units become in a vector.
fn carried(kind: &InputKind, units: i64) -> Value {
    match kind {
        InputKind::Decimal { .. } => Value::Float(units as f64 / kind.scale()),
        _ => Value::Integer(units),
    }
}

/// The nearest double of a whole number. Its text is parsed, since parsing is sure to round only once.
fn double(whole: &BigInt) -> f64 {
    whole.to_string().parse().unwrap_or(f64::NAN)
}

fn ewma(feature: &Feature, scope: &Scope<'_>, half_life: i64, units: &[(i64, i64)]) -> Option<Value> {
    // By tile, and so from the oldest to the newest: Σu and n.
    let mut tiles: BTreeMap<i64, (BigInt, i64)> = BTreeMap::new();
    for (time, units) in units {
        let tile = tiles.entry(time.div_euclid(scope.hop)).or_insert((BigInt::from(0), 0));
        tile.0 += BigInt::from(*units);
        tile.1 += 1;
    }
    if tiles.is_empty() {
        return None;
    }
    let now = scope.at.div_euclid(scope.hop);
    let (mut values, mut weights) = (0.0, 0.0);
    for (tile, (sum, n)) in &tiles {
        let age = ((now - tile) * scope.hop) as f64;
        let weight = libm::exp2(-(age / half_life as f64));
        values += weight * double(sum);
        weights += weight * *n as f64;
    }
    // Tiles so old that their weights vanish say nothing.
    (weights > 0.0).then(|| Value::Float(values / weights / feature.inputs[0].kind.scale()))
}

fn top(input: &Input, k: usize, units: &[(i64, i64)]) -> Parts {
    let units = units.iter().map(|(_, units)| *units).collect::<Vec<_>>();
    let (kept, overflow) = sketch::top(&units);
    let mut values = Vec::new();
    for place in 0..k {
        let found = kept.get(place);
        values.push(found.map(|(value, _)| carried(&input.kind, *value)));
        values.push(Some(Value::Integer(found.map_or(0, |(_, count)| *count))));
    }
    values.push(Some(Value::Integer(overflow)));
    Parts { values, exact: None }
}

/// Latitude and longitude in degrees, in the order of (time, identity); positions that are not whole are left out.
fn positions(feature: &Feature, scope: &Scope<'_>, rows: &[&Row]) -> Vec<(f64, f64)> {
    let degrees = |input: &Input, row: &Row| match quantised(input, scope.fields, row)? {
        Content::Units(units) => Some(units as f64 / input.kind.scale()),
        Content::Text(text) => panic!("text {text} for {}: only distinct takes text", feature.name),
    };
    let position = |row: &&Row| Some((degrees(&feature.inputs[0], row)?, degrees(&feature.inputs[1], row)?));
    rows.iter().filter_map(position).collect()
}
