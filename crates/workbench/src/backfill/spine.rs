//! The spine of a backfill: which entities at which instants, and whatever else shall stay beside the features.

use std::{
    collections::HashMap,
    fs::{self, File},
    path::Path,
};

use domain::{EARLIEST, LATEST, Timestamp};
use parquet::{file::reader::SerializedFileReader, record::reader::RowIter};
use pipeline::Pipeline;
use serde_json::Value;

use super::csv;
use crate::{Error, members::Members, parquet_value::json};

/// The column with the instants.
const AT: &str = "at";
const WHAT_A_SPINE_IS: &str = "a spine has a column `at` and one for each entity type, such as `store`";

/// All rows, in the order of their file.
#[derive(Debug)]
pub(super) struct Spine {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<Row>,
    /// Columns that name entities.
    pub(super) entities: Vec<SpineEntity>,
}

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) at: Timestamp,
    /// By column; shorter when the last ones are absent.
    cells: Vec<Value>,
}

/// A column that names entities.
#[derive(Debug)]
pub(super) struct SpineEntity {
    pub(super) column: usize,
    /// The groups that know such entities.
    pub(super) groups: Vec<usize>,
}

impl Row {
    /// One cell, null when absent.
    pub(super) fn cell(&self, column: usize) -> &Value {
        self.cells.get(column).unwrap_or(&Value::Null)
    }
}

impl Spine {
    /// Reads a file of JSON lines, CSV with a header, or Parquet.
    pub(super) fn read(path: &Path, pipeline: &Pipeline) -> Result<Self, Error> {
        let mut reading = Reading { path, columns: Vec::new(), places: HashMap::new(), rows: Vec::new() };
        match path.extension().and_then(|ending| ending.to_str()).unwrap_or_default() {
            "jsonl" | "ndjson" => reading.json_lines()?,
            "csv" => reading.csv()?,
            "parquet" => reading.parquet()?,
            ending => {
                return Err(Error::Ending { path: path.into(), ending: ending.into(), known: ".jsonl, .ndjson, .csv, .parquet" });
            }
        }
        let Reading { columns, rows, .. } = reading;
        let entities = |(column, name): (usize, &String)| {
            let groups = (pipeline.groups.iter().enumerate()).filter(|(_, group)| group.entity == *name).map(|(place, _)| place);
            let groups: Vec<usize> = groups.collect();
            (!groups.is_empty()).then_some(SpineEntity { column, groups })
        };
        let entities: Vec<SpineEntity> = columns.iter().enumerate().filter_map(entities).collect();
        if entities.is_empty() && !rows.is_empty() {
            let mut names: Vec<&str> = pipeline.groups.iter().map(|group| group.entity.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            let message = format!("no column is called after an entity type of the pipeline ({})", names.join(", "));
            return Err(Error::content(path, 0, message, WHAT_A_SPINE_IS));
        }
        Ok(Self { columns, rows, entities })
    }

    /// The instants in their order, each with its rows.
    pub(super) fn instants(&self) -> Vec<(Timestamp, Vec<usize>)> {
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.sort_by_key(|row| self.rows[*row].at);
        order
            .chunk_by(|one, other| self.rows[*one].at == self.rows[*other].at)
            .map(|rows| (self.rows[rows[0]].at, rows.to_vec()))
            .collect()
    }

    /// The key of an entity as the engine spells it.
    pub(super) fn key(&self, row: usize, column: usize) -> Option<String> {
        match self.rows[row].cell(column) {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(match number.as_f64() {
                // The shortest text of a whole number has no point.
                Some(float) if !number.is_i64() && !number.is_u64() => float.to_string(),
                _ => number.to_string(),
            }),
            Value::Bool(_) | Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The cells of a row, one for each column, instants in milliseconds.
    pub(super) fn cells(&self, row: usize) -> impl Iterator<Item = Value> {
        let row = &self.rows[row];
        let cell = |(place, name): (usize, &String)| if name == AT { Value::from(row.at.0) } else { row.cell(place).clone() };
        self.columns.iter().enumerate().map(cell)
    }

    /// Whether a column holds the instants.
    pub(super) fn is_at(name: &str) -> bool {
        name == AT
    }
}

struct Reading<'a> {
    path: &'a Path,
    columns: Vec<String>,
    places: HashMap<String, usize>,
    rows: Vec<Row>,
}

impl Reading<'_> {
    fn json_lines(&mut self) -> Result<(), Error> {
        let text = self.text()?;
        for (line, text) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let Members(members) = serde_json::from_str(text).map_err(|error| {
                Error::content(self.path, line, format!("this line is no JSON object ({error})"), WHAT_A_SPINE_IS)
            })?;
            self.add(line, members)?;
        }
        Ok(())
    }

    fn csv(&mut self) -> Result<(), Error> {
        let text = self.text()?;
        let mut records = csv::records(&text);
        let Some((_, names)) = records.next() else { return Ok(()) };
        for (line, cells) in records {
            if cells.len() != names.len() {
                let message = format!("this row has {} cells where the header has {}", cells.len(), names.len());
                return Err(Error::content(self.path, line, message, "quote cells that hold a comma, a quote or a new line"));
            }
            let present = names.iter().zip(cells).filter(|(_, cell)| !cell.is_empty());
            self.add(line, present.map(|(name, cell)| (name.trim().to_owned(), Value::from(cell))))?;
        }
        // Columns that are empty in every row are carried through as well.
        for name in names {
            self.place(name.trim());
        }
        Ok(())
    }

    fn parquet(&mut self) -> Result<(), Error> {
        let file = File::open(self.path).map_err(Error::reading(self.path))?;
        let reader = SerializedFileReader::new(file).map_err(Error::parquet(self.path))?;
        for (line, row) in (1..).zip(RowIter::from_file_into(Box::new(reader))) {
            let row = row.map_err(Error::parquet(self.path))?;
            self.add(line, row.get_column_iter().map(|(name, field)| (name.clone(), json(field))))?;
        }
        Ok(())
    }

    fn text(&self) -> Result<String, Error> {
        fs::read_to_string(self.path).map_err(Error::reading(self.path))
    }

    fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.columns.len();
        self.columns.push(name.to_owned());
        self.places.insert(name.to_owned(), place);
        place
    }

    fn add(&mut self, line: u64, members: impl IntoIterator<Item = (String, Value)>) -> Result<(), Error> {
        let mut cells = Vec::new();
        let mut at = None;
        for (name, value) in members {
            let place = self.place(&name);
            if name == AT {
                at = instant(&value);
            }
            cells.resize(cells.len().max(place + 1), Value::Null);
            cells[place] = value;
        }
        let at = at.filter(|at| (EARLIEST..LATEST).contains(at)).ok_or_else(|| {
            let message = "`at` is no time between 2000 and 2100";
            Error::content(self.path, line, message, "write RFC 3339 such as \"2026-03-01T18:30:00Z\", or milliseconds")
        })?;
        self.rows.push(Row { at, cells });
        Ok(())
    }
}

fn instant(value: &Value) -> Option<Timestamp> {
    match value {
        Value::Number(ms) => ms.as_i64().map(Timestamp),
        Value::String(text) => Timestamp::parse(text).or_else(|| text.parse().ok().map(Timestamp)),
        _ => None,
    }
}
