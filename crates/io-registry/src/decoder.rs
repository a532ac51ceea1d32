//! The bytes of one record to JSON text. Asks nobody: whatever the schemas of a batch are, they were prepared.

use std::{collections::HashMap, sync::Arc};

use crate::{
    error::Error,
    fault::Fault,
    frame::{self, SchemaId},
    schema::{Definition, Schema},
};

/// Longer records are refused unread: the bound that the engine has for payloads.
pub const RECORD_BYTES_MAX: usize = 1 << 20;

/// Records that become longer than that as JSON are refused: the engine would not read them.
pub const JSON_BYTES_MAX: usize = 1 << 20;

/// An order event is two to three times as long as JSON, where every record carries the names: mostly one allocation is enough.
const NAMES_TIMES: usize = 3;

/// What is known of a schema.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    /// Records can be read.
    Readable(Arc<Schema>),
    /// It was read and makes no sense, for good.
    Unusable(Arc<str>),
    /// It, or what it builds on, is not registered as yet.
    Missing(Arc<str>),
}

/// Reads the records of one batch.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    schemas: HashMap<SchemaId, Known>,
}

impl Decoder {
    pub(crate) fn new(schemas: HashMap<SchemaId, Known>) -> Self {
        Self { schemas }
    }

    /// A decoder for schemas that build on no others, without a registry.
    pub fn of<'d>(definitions: impl IntoIterator<Item = (SchemaId, &'d Definition)>) -> Result<Self, Error> {
        let read = |(id, definition): (SchemaId, &Definition)| {
            let schema = Schema::parse(definition.format, &definition.text, &[]);
            let schema = schema.map_err(|why| Error::Schema { format: definition.format.title(), why })?;
            Ok((id, Known::Readable(Arc::new(schema))))
        };
        definitions.into_iter().map(read).collect::<Result<_, _>>().map(Self::new)
    }

    /// The record as one JSON object.
    pub fn json(&self, record: &[u8]) -> Result<Vec<u8>, Fault> {
        if record.len() > RECORD_BYTES_MAX {
            return Err(Fault::TooLarge);
        }
        let (id, rest) = frame::split(record)?;
        let schema = match self.schemas.get(&id) {
            Some(Known::Readable(schema)) => schema,
            Some(Known::Unusable(why)) => return Err(Fault::UnusableSchema { id, why: why.to_string() }),
            Some(Known::Missing(why)) => return Err(Fault::UnknownSchema { id, why: why.to_string() }),
            None => return Err(Fault::NotPrepared { id }),
        };
        let mut json = Vec::with_capacity(NAMES_TIMES * rest.len());
        schema.read(rest, &mut json).map_err(|stop| stop.of(id))?;
        if json.len() > JSON_BYTES_MAX { Err(Fault::TooLarge) } else { Ok(json) }
    }
}
