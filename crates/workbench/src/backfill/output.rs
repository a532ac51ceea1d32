//! Writing the rows of a backfill: JSON lines, CSV or Parquet, by the ending of the file's name.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    csv,
    parquet_output::ParquetOutput,
    table::{ColumnKind, Columns, text},
};
use crate::{Error, unfinished::Unfinished};

/// A file that is being written.
pub(super) struct Output {
    path: PathBuf,
    unfinished: Unfinished,
    format: Format,
    columns: Vec<(String, ColumnKind)>,
}

enum Format {
    JsonLines(BufWriter<File>),
    Csv(BufWriter<File>),
    Parquet(Box<ParquetOutput>),
}

impl Output {
    pub(super) fn create(path: &Path, columns: &Columns) -> Result<Self, Error> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let known = ".jsonl, .ndjson, .csv, .parquet";
        if !known.split(", ").any(|known| known.strip_prefix('.') == Some(ending)) {
            return Err(Error::Ending { path: path.into(), ending: ending.into(), known });
        }
        let columns: Vec<(String, ColumnKind)> = columns.iter().map(|(name, kind)| (name.to_owned(), kind)).collect();
        let (unfinished, file) = Unfinished::create(path)?;
        let format = match ending {
            "parquet" => Format::Parquet(Box::new(ParquetOutput::new(file, &columns).map_err(Error::parquet(path))?)),
            "csv" => {
                let mut file = BufWriter::new(file);
                let names = columns.iter().map(|(name, _)| name.clone());
                file.write_all(csv_line(names).as_bytes()).map_err(Error::writing(path))?;
                Format::Csv(file)
            }
            _ => Format::JsonLines(BufWriter::new(file)),
        };
        Ok(Self { path: path.into(), unfinished, format, columns })
    }

    pub(super) fn write(&mut self, rows: &[Vec<Value>]) -> Result<(), Error> {
        match &mut self.format {
            Format::JsonLines(file) => {
                for row in rows {
                    file.write_all(json_line(&self.columns, row).as_bytes()).map_err(Error::writing(&self.path))?;
                }
            }
            Format::Csv(file) => {
                for row in rows {
                    let cells = row.iter().zip(&self.columns).map(|(cell, (_, kind))| text(cell, *kind));
                    file.write_all(csv_line(cells).as_bytes()).map_err(Error::writing(&self.path))?;
                }
            }
            Format::Parquet(file) => file.write(rows).map_err(Error::parquet(&self.path))?,
        }
        Ok(())
    }

    /// Completes the file and gives it its name.
    pub(super) fn finish(self) -> Result<(), Error> {
        let written = Error::writing(&self.path);
        let file = match self.format {
            Format::JsonLines(file) | Format::Csv(file) => file.into_inner().map_err(|error| written(error.into_error()))?,
            Format::Parquet(file) => file.finish().map_err(Error::parquet(&self.path))?,
        };
        self.unfinished.finish(&file)
    }
}

fn csv_line(cells: impl Iterator<Item = String>) -> String {
    let mut line = String::new();
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            line.push(',');
        }
        csv::write_cell(&mut line, &cell);
    }
    line.push('\n');
    line
}

fn json_line(columns: &[(String, ColumnKind)], row: &[Value]) -> String {
    let mut line = String::from("{");
    for ((name, kind), cell) in columns.iter().zip(row) {
        let cell = match (cell, kind) {
            (Value::Number(_), ColumnKind::Time) => Value::from(text(cell, *kind)).to_string(),
            (cell, _) => cell.to_string(),
        };
        let comma = if line.len() == 1 { "" } else { "," };
        line.push_str(&format!("{comma}{}:{cell}", Value::from(name.as_str())));
    }
    line.push_str("}\n");
    line
}
