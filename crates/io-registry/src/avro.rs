//! Avro: its schemas, its bytes read as JSON, and JSON written as its bytes. Never asks anybody for a schema.
//!
//! Why there is no library beneath: `docs/adr/0016-readers-of-avro-and-protobuf.md`.

pub(crate) mod decimal;
mod forms;
mod parse;
mod read;
mod schema;
mod write;

pub(crate) use self::schema::Schema;

#[cfg(test)]
mod tests;
