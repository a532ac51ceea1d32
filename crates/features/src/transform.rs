//! Transforms: values computed from the joined row of features, by the same evaluator as everything else.

use domain::{Value, ValueKind};
use pipeline::Pipeline;
use polars::prelude::*;

use crate::evaluate::{Evaluator, Values};

/// The transforms of many rows. `columns` holds one entry for each column of [`Pipeline::row_columns`] that is not a transform,
/// with one value for each row; what comes back holds one entry for each transform.
pub fn transforms(pipeline: &Pipeline, columns: &[Vec<Option<Value>>]) -> Vec<Vec<Option<Value>>> {
    let rows = columns.first().map_or(0, Vec::len);
    let kinds: Vec<ValueKind> = pipeline.row_columns().into_iter().map(|(_, kind)| kind).collect();
    let mut known: Vec<Values> = kinds.iter().zip(columns).map(|(kind, column)| values_of(kind, column)).collect();
    let mut results = Vec::new();
    for transform in &pipeline.transforms {
        let computed = Evaluator::over(&known, rows).values(&transform.expr);
        let result = column_of(&transform.kind, &computed);
        // Later transforms see what a reader sees.
        known.push(values_of(&transform.kind, &result));
        results.push(result);
    }
    results
}

fn values_of(kind: &ValueKind, column: &[Option<Value>]) -> Values {
    let integers = || column.iter().map(|value| value.map(|value| if let Value::Integer(number) = value { number } else { 0 }));
    match kind {
        ValueKind::Float | ValueKind::Integer => Values::Number(column.iter().map(|value| value.map(number)).collect()),
        ValueKind::Boolean => Values::Boolean(integers().map(|truth| truth.map(|truth| truth == 1)).collect()),
        ValueKind::Time => Values::Time(integers().collect()),
        ValueKind::Category(labels) => {
            let label = |place: i64| usize::try_from(place).ok().and_then(|place| labels.get(place)).map(String::as_str);
            Values::Text(integers().map(|place| place.and_then(label)).collect::<StringChunked>())
        }
    }
}

fn column_of(kind: &ValueKind, values: &Values) -> Vec<Option<Value>> {
    match (values, kind) {
        (Values::Number(numbers), _) => numbers.iter().map(|number| number.map(Value::Float)).collect(),
        (Values::Boolean(truths), _) => truths.iter().map(|truth| truth.map(|truth| Value::Integer(i64::from(truth)))).collect(),
        (Values::Time(times), _) => times.iter().map(|time| time.map(Value::Integer)).collect(),
        (Values::Text(texts), ValueKind::Category(labels)) => {
            let place = |text: &str| labels.iter().position(|label| label == text).map(|place| Value::Integer(place as i64));
            texts.iter().map(|text| text.and_then(place)).collect()
        }
        (Values::Text(_), kind) => panic!("the resolver gives a text transform a list of categories and not {kind:?}"),
    }
}

fn number(value: Value) -> f64 {
    match value {
        Value::Float(number) => number,
        Value::Integer(number) => number as f64,
    }
}
