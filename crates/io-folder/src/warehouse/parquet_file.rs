//! Rows as the bytes of a Parquet file and back. One row group; the columns by their names, so that other programs read it.
//! Never touches a file.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use domain::Timestamp;
use parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical},
    column::reader::{ColumnReader, ColumnReaderImpl, get_typed_column_reader},
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    errors::{ParquetError, Result},
    file::{
        properties::WriterProperties,
        reader::{FileReader, SerializedFileReader},
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::Type,
};
use ports::{Cell, CellKind, Rows};

use crate::Error;

/// The bytes of a file with these rows. A row may end before the columns do; what it lacks is null.
pub(super) fn encode(columns: &[(String, CellKind)], rows: &[Vec<Cell>]) -> Result<Vec<u8>> {
    let fields = columns.iter().enumerate().map(|(place, (name, kind))| column_type(name, *kind, place == 0).map(Arc::new));
    let schema = Type::group_type_builder("rows").with_fields(fields.collect::<Result<Vec<_>>>()?).build()?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for (place, (_, kind)) in columns.iter().enumerate() {
        let Some(mut column) = group.next_column()? else { break };
        let cells = rows.iter().map(|row| row.get(place).unwrap_or(&Cell::Null));
        let required = place == 0;
        match kind {
            CellKind::Integer | CellKind::Instant => write::<Int64Type>(&mut column, required, cells, |cell| match cell {
                Cell::Integer(value) => Some(*value),
                Cell::Instant(at) => Some(at.0),
                _ => None,
            })?,
            CellKind::Float => write::<DoubleType>(&mut column, required, cells, |cell| match cell {
                Cell::Float(value) => Some(*value),
                _ => None,
            })?,
            CellKind::Boolean => write::<BoolType>(&mut column, required, cells, |cell| match cell {
                Cell::Boolean(value) => Some(*value),
                _ => None,
            })?,
            CellKind::Text => write::<ByteArrayType>(&mut column, required, cells, |cell| match cell {
                Cell::Text(text) => Some(ByteArray::from(text.as_str())),
                _ => None,
            })?,
        }
        column.close()?;
    }
    group.close()?;
    writer.into_inner()
}

/// The rows of a file, with a cell for each of these columns; those that the file lacks are null.
pub(super) fn decode(columns: &[(String, CellKind)], bytes: Bytes) -> Result<Rows> {
    let reader = SerializedFileReader::new(bytes)?;
    let mut rows = Rows::new();
    for place in 0..reader.num_row_groups() {
        let group = reader.get_row_group(place)?;
        let start = rows.len();
        let length = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        rows.resize_with(start + length, || vec![Cell::Null; columns.len()]);
        let schema = group.metadata().schema_descr();
        for (to, (name, kind)) in columns.iter().enumerate() {
            if let Some(from) = (0..schema.num_columns()).find(|from| schema.column(*from).name() == name) {
                let required = schema.column(from).max_def_level() == 0;
                let cells = read(group.get_column_reader(from)?, *kind, required, length)?;
                for (row, cell) in rows[start..].iter_mut().zip(cells) {
                    row[to] = cell;
                }
            }
        }
    }
    Ok(rows)
}

/// A file cannot be made of the rows that are there.
pub(super) fn unwritable(folder: &Path, error: &ParquetError) -> Error {
    Error::Broken(format!(
        "the rows for {} cannot be written as Parquet ({error}): this is a bug, the rows are safe",
        folder.display()
    ))
}

/// A file is not what was written.
pub(super) fn damaged(path: &Path, what: String) -> Error {
    let advice = "Bring it back from a copy, or move it away: its rows are then missing, everything else goes on";
    Error::Damaged { path: path.into(), what, advice, alone: false }
}

fn column_type(name: &str, kind: CellKind, required: bool) -> Result<Type> {
    let (physical, logical) = match kind {
        CellKind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        CellKind::Float => (Physical::DOUBLE, None),
        CellKind::Integer => (Physical::INT64, None),
        CellKind::Boolean => (Physical::BOOLEAN, None),
        CellKind::Instant => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
    };
    let repetition = if required { Repetition::REQUIRED } else { Repetition::OPTIONAL };
    Type::primitive_type_builder(name, physical).with_logical_type(logical).with_repetition(repetition).build()
}

fn write<'c, T: DataType>(
    column: &mut SerializedColumnWriter<'_>,
    required: bool,
    cells: impl Iterator<Item = &'c Cell>,
    value: impl Fn(&Cell) -> Option<T::T>,
) -> Result<()> {
    let cells: Vec<Option<T::T>> = cells.map(value).collect();
    let present: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let values: Vec<T::T> = cells.into_iter().flatten().collect();
    column.typed::<T>().write_batch(&values, (!required).then_some(&present), None)?;
    Ok(())
}

fn read(reader: ColumnReader, kind: CellKind, required: bool, rows: usize) -> Result<Vec<Cell>> {
    match (kind, reader) {
        (CellKind::Integer, reader @ ColumnReader::Int64ColumnReader(_)) => {
            read_typed::<Int64Type>(reader, required, rows, |value| Ok(Cell::Integer(value)))
        }
        (CellKind::Instant, reader @ ColumnReader::Int64ColumnReader(_)) => {
            read_typed::<Int64Type>(reader, required, rows, |value| Ok(Cell::Instant(Timestamp(value))))
        }
        (CellKind::Float, reader @ ColumnReader::DoubleColumnReader(_)) => {
            read_typed::<DoubleType>(reader, required, rows, |value| Ok(Cell::Float(value)))
        }
        (CellKind::Boolean, reader @ ColumnReader::BoolColumnReader(_)) => {
            read_typed::<BoolType>(reader, required, rows, |value| Ok(Cell::Boolean(value)))
        }
        (CellKind::Text, reader @ ColumnReader::ByteArrayColumnReader(_)) => {
            read_typed::<ByteArrayType>(reader, required, rows, |value| Ok(Cell::Text(value.as_utf8()?.to_owned())))
        }
        (kind, _) => Err(ParquetError::General(format!("a column of kind {kind:?} is stored as another type"))),
    }
}

fn read_typed<T: DataType>(
    reader: ColumnReader,
    required: bool,
    rows: usize,
    cell: impl Fn(T::T) -> Result<Cell>,
) -> Result<Vec<Cell>> {
    let mut reader: ColumnReaderImpl<T> = get_typed_column_reader(reader);
    let (mut values, mut present) = (Vec::new(), Vec::new());
    let mut done = 0;
    while done < rows {
        let (read, _, _) = reader.read_records(rows - done, (!required).then_some(&mut present), None, &mut values)?;
        if read == 0 {
            return Err(ParquetError::General(format!("a column ends after {done} of {rows} rows")));
        }
        done += read;
    }
    let mut values = values.into_iter();
    if required {
        return values.map(cell).collect();
    }
    let filled = present.into_iter().map(|level| if level == 0 { None } else { values.next() });
    filled.map(|value| value.map_or(Ok(Cell::Null), &cell)).collect()
}
