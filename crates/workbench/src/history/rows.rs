//! Rows of a Parquet file as JSON objects, one row group at a time.

use std::{fmt, fs::File, path::Path};

use parquet::{
    errors::ParquetError,
    file::reader::{FileReader, SerializedFileReader},
    record::{Field, Row, reader::RowIter},
};
use serde_json::{Map, Value};

use crate::{Error, parquet_value::json};

/// A text column of this name is the event itself.
const PAYLOAD: &str = "payload";

/// The rows of one file.
pub(super) struct Rows {
    rows: RowIter<'static>,
    total: i64,
    read: i64,
}

impl Rows {
    pub(super) fn new(path: &Path, file: File) -> Result<Self, Error> {
        let reader = SerializedFileReader::new(file).map_err(Error::parquet(path))?;
        let total = reader.metadata().file_metadata().num_rows();
        Ok(Self { rows: RowIter::from_file_into(Box::new(reader)), total, read: 0 })
    }

    pub(super) fn share_read(&self) -> f64 {
        if self.total == 0 { 1.0 } else { self.read as f64 / self.total as f64 }
    }

    /// The next row as a payload. Counts rows in `number`.
    pub(super) fn next_payload(&mut self, number: &mut u64) -> Result<Option<Vec<u8>>, ParquetError> {
        let Some(row) = self.rows.next() else { return Ok(None) };
        *number += 1;
        self.read += 1;
        Ok(Some(payload(row?)))
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "row {} of {}", self.read, self.total)
    }
}

/// The columns that are not null. What is written around an event in a column of its own goes into the event, so that
/// both kinds of file are read in one way from here on.
fn payload(row: Row) -> Vec<u8> {
    let columns = row.into_columns();
    let text = columns.iter().find_map(|(name, field)| match field {
        Field::Str(text) if name == PAYLOAD => Some(text.clone()),
        _ => None,
    });
    let present = columns.into_iter().filter(|(name, field)| *field != Field::Null && (text.is_none() || name.starts_with('_')));
    let members: Map<String, Value> = present.map(|(name, field)| (name, json(&field))).collect();
    let Some(text) = text else { return Value::Object(members).to_string().into_bytes() };
    match text.trim_start().strip_prefix('{') {
        Some(rest) if !members.is_empty() => {
            let around = Value::Object(members).to_string();
            let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
            format!("{}{comma}{rest}", &around[..around.len() - 1]).into_bytes()
        }
        _ => text.into_bytes(),
    }
}
