//! JSON objects to framed records, for producers of ours. Never registers anything.

use serde_json::Value;

use crate::{
    error::Error,
    frame::{self, SchemaId},
    schema::{Definition, Format, Schema},
};

/// Writes records of one schema.
#[derive(Debug)]
pub struct Encoder {
    id: SchemaId,
    format: Format,
    schema: Schema,
}

impl Encoder {
    /// For a schema without references and the id that a registry gave it.
    pub fn new(id: SchemaId, definition: &Definition) -> Result<Self, Error> {
        let format = definition.format;
        let schema = Schema::parse(format, &definition.text, &[]);
        let schema = schema.map_err(|why| Error::Schema { format: format.title(), why })?;
        Ok(Self { id, format, schema })
    }

    /// The bytes of a record: frame, schema and all. Protobuf writes the schema's first message.
    pub fn encode(&self, object: &Value) -> Result<Vec<u8>, Error> {
        let mut record = frame::head(self.id);
        let written = self.schema.write(object, &mut record);
        written.map_err(|why| Error::Value { format: self.format.title(), why })?;
        Ok(record)
    }
}
