//! What records tell of cases: which case moved where, and what it carries. Like everything here a function of single records; what
//! becomes of a case is for others to know.

use std::sync::Arc;

use domain::{Carried, Timestamp, Value};
use pipeline::{Case, Field, FieldKind, Move, Pipeline};

use super::Payloads;
use crate::{
    Reason,
    columns::{Columns, Scalar},
    evaluate::Evaluator,
    usage::fields_of_case,
};

/// Reads what the records of a pipeline's streams tell of its cases.
#[derive(Debug)]
pub struct CaseReading {
    payloads: Payloads,
    case: Case,
}

/// What a record tells of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// Which case.
    pub key: String,
    /// The event's time.
    pub time: Timestamp,
    /// Two records with the same one are the same event.
    pub identity: u128,
    /// Places of the stages that it has reached.
    pub stages: Vec<usize>,
    /// Places of the ends that it has come to.
    pub ends: Vec<usize>,
    /// By place, the attributes that have a value here.
    pub attributes: Vec<(usize, Carried)>,
}

impl CaseReading {
    /// For the case of a pipeline; none when it predicts nothing.
    pub fn new(pipeline: Arc<Pipeline>) -> Option<Self> {
        let case = pipeline.case.clone()?;
        let used = fields_of_case(&pipeline, &case);
        Some(Self { payloads: Payloads::new(pipeline, used), case })
    }

    /// The streams that tell of cases.
    pub fn sources(&self) -> Vec<usize> {
        let mut sources: Vec<usize> = self.moves().map(|told| told.source).collect();
        sources.sort_unstable();
        sources.dedup();
        sources
    }

    fn moves(&self) -> impl Iterator<Item = &Move> {
        self.case.stages.iter().chain(&self.case.ends)
    }

    /// Reads payloads of one of its [`CaseReading::sources`], in their order.
    pub fn read(&mut self, source: usize, payloads: &[&[u8]]) -> Vec<Result<Told, Reason>> {
        let decoded = self.payloads.decode(source, payloads);
        let rows = self.rows(source, &decoded.columns);
        decoded.each(rows)
    }

    fn rows(&self, source: usize, columns: &Columns) -> Vec<Told> {
        let Some(key) = self.moves().find(|told| told.source == source).map(|told| told.key) else { return Vec::new() };
        let fields = &self.payloads.pipeline.sources[source].fields;
        let rows: Vec<u32> = (0..columns.len() as u32).collect();
        let evaluator = Evaluator::new(fields, columns, &rows);
        // By row, for each move of this source whether it is one.
        let holds = |told: &Move| match &told.filter {
            _ if told.source != source => None,
            Some(filter) => Some(evaluator.holds(filter)),
            None => Some(vec![true; rows.len()]),
        };
        let stages: Vec<_> = self.case.stages.iter().map(holds).collect();
        let ends: Vec<_> = self.case.ends.iter().map(holds).collect();
        let that_hold = |all: &[Option<Vec<bool>>], row: usize| {
            let holding = all.iter().enumerate().filter(|(_, holds)| holds.as_ref().is_some_and(|holds| holds[row]));
            holding.map(|(place, _)| place).collect()
        };
        let told = |row| Told {
            key: columns.scalar(row, key).to_text(),
            time: Timestamp(columns.times[row]),
            identity: columns.identities[row],
            stages: that_hold(&stages, row),
            ends: that_hold(&ends, row),
            attributes: self.attributes(source, fields, columns, row),
        };
        (0..columns.len()).map(told).collect()
    }

    fn attributes(&self, source: usize, fields: &[Field], columns: &Columns, row: usize) -> Vec<(usize, Carried)> {
        let value = |(place, attribute): (usize, &pipeline::Attribute)| {
            let (_, field) = attribute.told_by.iter().find(|(told_by, _)| *told_by == source)?;
            Some((place, carried(&fields[*field].kind, columns.scalar(row, *field))?))
        };
        self.case.attributes.iter().enumerate().filter_map(value).collect()
    }
}

fn carried(kind: &FieldKind, scalar: Scalar) -> Option<Carried> {
    match (kind, scalar) {
        (_, Scalar::Null) => None,
        (_, Scalar::Text(text)) => Some(Carried::Text(text)),
        (FieldKind::Decimal { digits, .. }, Scalar::Units(units)) => {
            Some(Carried::Value(Value::Float(units as f64 / 10f64.powi(i32::from(*digits)))))
        }
        (_, Scalar::Units(units)) => Some(Carried::Value(Value::Integer(units))),
    }
}
