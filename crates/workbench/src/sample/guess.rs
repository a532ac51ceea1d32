//! A script for a pipeline that has none: things and lives as its fields and expressions suggest them.

use std::collections::{BTreeMap, BTreeSet};

use pipeline::{Aggregator, Expr, FieldKind, Pipeline, Source, SourceKind, Stream};

use super::script::{Draw, Life, Middle, Place, Pool, Script, Step};
use crate::Error;

const MIDDLE: Middle = Middle { lat: 52.52, lon: 13.405, within: 5000.0 };
/// Few enough for windows of some minutes to have something in them.
const THINGS: usize = 50;
const LIVES_PER_HOUR: f64 = 1200.0;
/// Seconds between two events of a life.
const PAUSE: [f64; 2] = [20.0, 600.0];
/// Numbers without bounds are drawn below this.
const NUMBER_MAX: f64 = 100.0;
/// What a place of a life is called.
const PLACE: &str = "place";

/// Makes a script.
pub(super) fn script(pipeline: &Pipeline) -> Result<Script, Error> {
    let mut script = Script { middle: MIDDLE, pool: BTreeMap::new(), life: BTreeMap::new() };
    for (place, source) in pipeline.sources.iter().enumerate() {
        if let SourceKind::Stream(stream) = &source.kind {
            let life = life(pipeline, place, stream, &mut script.pool);
            script.life.insert(source.name.clone(), life);
        }
    }
    if script.life.is_empty() {
        return Err(Error::setting("the pipeline has no stream to make events for", "declare a [source.NAME] with a topic"));
    }
    Ok(script)
}

fn life(pipeline: &Pipeline, place: usize, stream: &Stream, pools: &mut BTreeMap<String, Pool>) -> Life {
    let source = &pipeline.sources[place];
    let texts = texts(pipeline, place);
    let short_lived = pair_keys(pipeline, place);
    let positions = positions(pipeline, place);
    // The field that tells events apart is the one that expressions ask about most.
    let telling = (texts.iter())
        .filter(|(field, _)| may_tell(source, **field))
        .max_by_key(|(field, texts)| (texts.len(), usize::MAX - **field));
    let mut life = Life {
        per_hour: LIVES_PER_HOUR,
        each: None,
        every: None,
        pick: Vec::new(),
        own: BTreeMap::new(),
        place: BTreeMap::new(),
        always: BTreeMap::new(),
        step: Vec::new(),
    };
    let mut members = BTreeMap::new();
    for (index, field) in source.fields.iter().enumerate() {
        let is_told = [stream.identity_id, stream.identity_source, stream.time].contains(&index);
        let is_telling = telling.is_some_and(|(telling, _)| *telling == index);
        if is_told || is_telling || positions.contains(&index) {
            continue;
        }
        let name = field.name.clone();
        let draw = match &field.kind {
            FieldKind::Cell { .. } => continue,
            FieldKind::Text if short_lived.contains(&index) => {
                life.own.insert(name.clone(), format!("{name}-{{}}"));
                Draw::Text(format!("{{{name}}}"))
            }
            FieldKind::Text if texts.contains_key(&index) => one_of(texts[&index].iter()),
            FieldKind::Text => {
                let pool = Pool { size: THINGS, name: format!("{name}-{{}}"), first: 1, pace: 0.0, busy: false };
                pools.entry(name.clone()).or_insert(pool);
                life.pick.push(name.clone());
                Draw::Text(format!("{{{name}}}"))
            }
            FieldKind::Category(labels) => one_of(labels.iter()),
            FieldKind::Boolean => Draw::Choice { one_of: vec![Draw::Truth(false), Draw::Truth(true)] },
            FieldKind::Integer { min, max } => range(*min as f64, *max as f64, 0),
            FieldKind::Decimal { digits, min, max, .. } => {
                let scale = 10f64.powi(i32::from(*digits));
                range(*min as f64 / scale, *max as f64 / scale, *digits)
            }
            // The only instant that is known to be plausible.
            FieldKind::Time => continue,
        };
        members.insert(name, draw);
    }
    let at = (!positions.is_empty()).then(|| PLACE.to_owned());
    if let (Some(_), Some(pool)) = (&at, life.pick.first()) {
        life.place.insert(PLACE.to_owned(), Place { near: pool.clone(), within: 500.0 });
    } else if at.is_some() {
        life.place.insert(PLACE.to_owned(), Place { near: PLACE.to_owned(), within: MIDDLE.within });
    }
    life.always.insert(source.name.clone(), members);
    let step =
        |set: BTreeMap<String, Draw>, after| Step { source: source.name.clone(), after, at: at.clone(), set, ..Step::default() };
    life.step = match telling {
        None => vec![step(BTreeMap::new(), [0.0; 2])],
        Some((field, texts)) => {
            let set = |text: &String| BTreeMap::from([(source.fields[*field].name.clone(), Draw::Text(text.clone()))]);
            let pauses = std::iter::once([0.0; 2]).chain(std::iter::repeat(PAUSE));
            texts.iter().zip(pauses).map(|(text, after)| step(set(text), after)).collect()
        }
    };
    life
}

fn may_tell(source: &Source, field: usize) -> bool {
    matches!(source.fields[field].kind, FieldKind::Text | FieldKind::Category(_))
}

/// What may be drawn between bounds that are often no more than what a number can hold.
fn range(min: f64, max: f64, digits: u8) -> Draw {
    let low = if min < -NUMBER_MAX { 0f64.min(max) } else { min };
    Draw::Range { between: [low, max.min(low + NUMBER_MAX)], digits }
}

fn one_of<'t>(texts: impl Iterator<Item = &'t String>) -> Draw {
    Draw::Choice { one_of: texts.map(|text| Draw::Text(text.clone())).collect() }
}

/// Fields that both events of a pair share: new for each life, so that pairs close.
fn pair_keys(pipeline: &Pipeline, stream: usize) -> BTreeSet<usize> {
    let pairs = pipeline.sources.iter().filter_map(|source| match &source.kind {
        SourceKind::Pair(pair) if pair.from == stream => Some(pair.key),
        _ => None,
    });
    pairs.collect()
}

/// Fields that are half of a position.
fn positions(pipeline: &Pipeline, stream: usize) -> BTreeSet<usize> {
    let fields = &pipeline.sources[stream].fields;
    let cells = fields.iter().filter_map(|field| match field.kind {
        FieldKind::Cell { latitude, longitude, .. } => Some([latitude, longitude]),
        _ => None,
    });
    let mut positions: BTreeSet<usize> = cells.flatten().collect();
    for group in pipeline.groups.iter().filter(|group| group.source == stream) {
        for feature in group.features.iter().filter(|feature| feature.aggregator == Aggregator::Travel) {
            positions.extend(feature.inputs.iter().filter_map(|input| match input.expr {
                Expr::Field(field) => Some(field),
                _ => None,
            }));
        }
    }
    // The player writes positions under these names; others are drawn like any number.
    positions.retain(|field| ["lat", "lon"].contains(&fields[*field].name.as_str()));
    positions
}

/// The texts with which expressions compare each field of a stream, in the order in which the spec mentions them.
fn texts(pipeline: &Pipeline, stream: usize) -> BTreeMap<usize, Vec<String>> {
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut look = |source: usize, expr: &Expr| {
        each_comparison(expr, &mut |field, text| {
            let known = texts.entry(pipeline.sources[source].fields[field].name.clone()).or_default();
            if !known.iter().any(|known| known == text) {
                known.push(text.to_owned());
            }
        });
    };
    for source in &pipeline.sources {
        match &source.kind {
            SourceKind::Pair(pair) if pair.from == stream => {
                [&pair.start, &pair.end].into_iter().for_each(|expr| look(stream, expr))
            }
            SourceKind::Table(table) if table.from == stream => {
                table.filter.iter().chain(&table.gone).for_each(|expr| look(stream, expr))
            }
            _ => {}
        }
    }
    for group in pipeline.groups.iter().filter(|group| pipeline.base_of(group.source) == Some(stream)) {
        group.filter.iter().for_each(|expr| look(group.source, expr));
        for feature in &group.features {
            feature
                .condition
                .iter()
                .chain(feature.inputs.iter().map(|input| &input.expr))
                .for_each(|expr| look(group.source, expr));
        }
    }
    let fields = pipeline.sources[stream].fields.iter().enumerate();
    fields.filter_map(|(place, field)| Some((place, texts.remove(&field.name)?))).collect()
}

fn each_comparison(expr: &Expr, look: &mut dyn FnMut(usize, &str)) {
    match expr {
        Expr::Compare(_, left, right) => match (left.as_ref(), right.as_ref()) {
            (Expr::Field(field), Expr::Text(text)) | (Expr::Text(text), Expr::Field(field)) => look(*field, text),
            (left, right) => [left, right].into_iter().for_each(|expr| each_comparison(expr, look)),
        },
        Expr::In(inner, list) => {
            for item in list {
                if let (Expr::Field(field), Expr::Text(text)) = (inner.as_ref(), item) {
                    look(*field, text);
                }
            }
        }
        Expr::And(left, right) | Expr::Or(left, right) | Expr::Arithmetic(_, left, right) => {
            each_comparison(left, look);
            each_comparison(right, look);
        }
        Expr::Not(inner) | Expr::Negate(inner) | Expr::IsNull(inner) => each_comparison(inner, look),
        Expr::Case(branches, otherwise) => {
            for (condition, value) in branches {
                each_comparison(condition, look);
                each_comparison(value, look);
            }
            each_comparison(otherwise, look);
        }
        Expr::Call(_, arguments) => arguments.iter().for_each(|argument| each_comparison(argument, look)),
        Expr::Field(_) | Expr::Number(_) | Expr::Text(_) | Expr::Boolean(_) | Expr::Null(_) => {}
    }
}
