//! The entities of a micro-batch: each distinct key once, with a small number by which rows refer to it.

use hashbrown::HashTable;
use pipeline::{Expr, Field, FieldKind};

use crate::{
    columns::Columns,
    evaluate::{Evaluator, Values},
    slab::key_hash,
};

/// Distinct keys, in the order of their first row.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    buffer: String,
    /// Hash and end in the buffer.
    ends: Vec<(u64, usize)>,
    index: HashTable<u32>,
}

impl Keys {
    /// The keys of these rows, the place of each row's key, and the rows that have one.
    pub(crate) fn of(expr: &Expr, fields: &[Field], columns: &Columns, rows: &[u32]) -> (Self, Vec<u32>, Vec<u32>) {
        let mut keys = Self::default();
        let (mut places, mut kept) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        let mut take = |row: u32, key: Option<&str>| {
            if let Some(key) = key.filter(|key| !key.is_empty()) {
                places.push(keys.place(key));
                kept.push(row);
            }
        };
        match expr {
            Expr::Field(field) if matches!(fields[*field].kind, FieldKind::Text | FieldKind::Cell { .. }) => {
                let texts = columns.texts(*field);
                rows.iter().for_each(|row| take(*row, texts.get(*row as usize)));
            }
            _ => match Evaluator::new(fields, columns, rows).values(expr) {
                Values::Text(texts) => rows.iter().zip(texts.iter()).for_each(|(row, text)| take(*row, text)),
                Values::Number(numbers) => {
                    rows.iter().zip(numbers.iter()).for_each(|(row, number)| take(*row, number.map(shortest).as_deref()));
                }
                other => panic!("the resolver promised a text or a number as key and not {other:?}"),
            },
        }
        (keys, places, kept)
    }

    /// Hash and text of each, by place.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, &str)> {
        (0..self.ends.len()).map(|place| (self.ends[place].0, self.text(place as u32)))
    }

    pub(crate) fn hash(&self, place: u32) -> u64 {
        self.ends[place as usize].0
    }

    pub(crate) fn text(&self, place: u32) -> &str {
        let place = place as usize;
        let start = if place == 0 { 0 } else { self.ends[place - 1].1 };
        &self.buffer[start..self.ends[place].1]
    }

    fn place(&mut self, key: &str) -> u32 {
        let hash = key_hash(key);
        let Self { buffer, ends, index } = self;
        let text = |place: u32| {
            let place = place as usize;
            let start = if place == 0 { 0 } else { ends[place - 1].1 };
            &buffer[start..ends[place].1]
        };
        if let Some(place) = index.find(hash, |place| ends[*place as usize].0 == hash && text(*place) == key) {
            return *place;
        }
        buffer.push_str(key);
        let place = u32::try_from(ends.len()).unwrap_or_else(|_| panic!("a micro-batch has fewer than 2^32 rows"));
        ends.push((hash, buffer.len()));
        index.insert_unique(hash, place, |place| ends[*place as usize].0);
        place
    }
}

/// A number key as text: the shortest that reads back as the same number.
fn shortest(number: f64) -> String {
    // Zero has one spelling.
    if number == 0.0 { "0".to_owned() } else { format!("{number}") }
}
