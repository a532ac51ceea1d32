//! Rows as a Parquet file with one typed, nullable column for each column of the table.

use std::{fs::File, sync::Arc};

use parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical},
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    errors::ParquetError,
    file::{
        properties::WriterProperties,
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::Type,
};
use serde_json::Value;

use super::table::{ColumnKind, text};

/// A file that is being written, one row group at a time.
pub(super) struct ParquetOutput {
    writer: SerializedFileWriter<File>,
    kinds: Vec<ColumnKind>,
}

impl ParquetOutput {
    pub(super) fn new(file: File, columns: &[(String, ColumnKind)]) -> Result<Self, ParquetError> {
        let fields = columns.iter().map(|(name, kind)| column_type(name, *kind).map(Arc::new));
        let fields = fields.collect::<Result<Vec<Arc<Type>>, ParquetError>>()?;
        let schema = Arc::new(Type::group_type_builder("features").with_fields(fields).build()?);
        let properties = Arc::new(WriterProperties::builder().set_compression(Compression::SNAPPY).build());
        let writer = SerializedFileWriter::new(file, schema, properties)?;
        Ok(Self { writer, kinds: columns.iter().map(|(_, kind)| *kind).collect() })
    }

    pub(super) fn write(&mut self, rows: &[Vec<Value>]) -> Result<(), ParquetError> {
        let mut group = self.writer.next_row_group()?;
        for (place, kind) in self.kinds.iter().enumerate() {
            let Some(mut column) = group.next_column()? else { break };
            let cells = rows.iter().map(|row| &row[place]);
            match kind {
                ColumnKind::Float => write_column::<DoubleType>(&mut column, cells, Value::as_f64)?,
                ColumnKind::Integer | ColumnKind::Time => write_column::<Int64Type>(&mut column, cells, Value::as_i64)?,
                ColumnKind::Boolean => write_column::<BoolType>(&mut column, cells, Value::as_bool)?,
                ColumnKind::Text => write_column::<ByteArrayType>(&mut column, cells, |cell| {
                    (!cell.is_null()).then(|| ByteArray::from(text(cell, ColumnKind::Text).into_bytes()))
                })?,
            }
            column.close()?;
        }
        group.close()?;
        Ok(())
    }

    pub(super) fn finish(self) -> Result<File, ParquetError> {
        self.writer.into_inner()
    }
}

fn write_column<'v, T: DataType>(
    column: &mut SerializedColumnWriter<'_>,
    cells: impl Iterator<Item = &'v Value>,
    read: impl Fn(&Value) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let cells: Vec<Option<T::T>> = cells.map(read).collect();
    let present: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let values: Vec<T::T> = cells.into_iter().flatten().collect();
    column.typed::<T>().write_batch(&values, Some(&present), None)?;
    Ok(())
}

fn column_type(name: &str, kind: ColumnKind) -> Result<Type, ParquetError> {
    let (physical, logical) = match kind {
        ColumnKind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnKind::Float => (Physical::DOUBLE, None),
        ColumnKind::Integer => (Physical::INT64, None),
        ColumnKind::Boolean => (Physical::BOOLEAN, None),
        ColumnKind::Time => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS))),
    };
    let column = Type::primitive_type_builder(name, physical).with_logical_type(logical);
    column.with_repetition(Repetition::OPTIONAL).build()
}
