//! Records in Avro and Protobuf, turned into the JSON text that the engine reads, with the schemas of a Confluent-compatible registry.
//!
//! `Registry` fetches schemas and remembers them, `Decoder` turns the bytes of one record into JSON, `check` says beforehand what of a
//! pipeline's fields a schema cannot give, `Encoder` writes records. What becomes what stands in `docs/reference/encodings.md`.
//! Never decides whether a record is a good event, and never keeps one.

mod avro;
mod cache;
mod check;
mod client;
mod decoder;
mod encoder;
mod error;
mod fault;
mod form;
mod frame;
mod json;
mod protobuf;
mod registry;
mod schema;
mod secret;
mod settings;

pub use check::{Kind, Mismatch, Wanted};
pub use decoder::{Decoder, JSON_BYTES_MAX, RECORD_BYTES_MAX};
pub use encoder::Encoder;
pub use error::Error;
pub use fault::Fault;
pub use frame::SchemaId;
pub use registry::Registry;
pub use schema::{Definition, Format, Reference};
pub use secret::Secret;
pub use settings::{Login, Roots, Settings};
