//! A schema in any of the languages that a registry keeps: as text with what it refers to, and ready to read records.

use crate::{avro, fault::Stop, form::Form, protobuf};

/// The language of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Avro's binary form.
    Avro,
    /// Protobuf, behind the list that says which message it is.
    Protobuf,
    /// JSON text, described by a JSON Schema, which is not looked at.
    Json,
}

/// A schema under another name that a schema builds on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// What the schema calls it: an Avro type's full name, the path of an `import` line.
    pub name: String,
    /// The subject under which it is registered.
    pub subject: String,
    /// Which version of it.
    pub version: u32,
}

/// The text of a schema, as it is registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its language.
    pub format: Format,
    /// As somebody wrote it.
    pub text: String,
    /// What it builds on.
    pub references: Vec<Reference>,
}

/// A schema that records can be read with.
#[derive(Debug)]
pub(crate) enum Schema {
    Avro(avro::Schema),
    Protobuf(protobuf::Schema),
    Json,
}

impl Format {
    /// As a registry spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Avro => "AVRO",
            Self::Protobuf => "PROTOBUF",
            Self::Json => "JSON",
        }
    }

    /// Registries leave it out where it is Avro.
    pub(crate) fn parse(name: Option<&str>) -> Option<Self> {
        [Self::Avro, Self::Protobuf, Self::Json].into_iter().find(|format| format.name() == name.unwrap_or("AVRO"))
    }

    /// As a person calls it.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Avro => "Avro",
            Self::Protobuf => "Protobuf",
            Self::Json => "JSON",
        }
    }
}

impl Definition {
    /// A schema that builds on no other.
    pub fn new(format: Format, text: impl Into<String>) -> Self {
        Self { format, text: text.into(), references: Vec::new() }
    }
}

impl Schema {
    /// `references` are names and texts of what it builds on, each after what it builds on itself.
    pub(crate) fn parse(format: Format, text: &str, references: &[(&str, &str)]) -> Result<Self, String> {
        match format {
            Format::Avro => {
                let texts: Vec<&str> = references.iter().map(|(_, text)| *text).collect();
                avro::Schema::parse(text, &texts).map(Self::Avro)
            }
            Format::Protobuf => protobuf::Schema::compile(text, references).map(Self::Protobuf),
            Format::Json => Ok(Self::Json),
        }
    }

    pub(crate) fn read(&self, record: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
        match self {
            Self::Avro(schema) => schema.read(record, out),
            Self::Protobuf(schema) => schema.read(record, out),
            Self::Json => {
                out.extend_from_slice(record);
                Ok(())
            }
        }
    }

    pub(crate) fn write(&self, object: &serde_json::Value, out: &mut Vec<u8>) -> Result<(), String> {
        match self {
            Self::Avro(schema) => schema.write(object, out),
            Self::Protobuf(schema) => schema.write(object, out),
            Self::Json => {
                out.extend_from_slice(object.to_string().as_bytes());
                Ok(())
            }
        }
    }

    /// The shapes of a member; `Err` when the schema does not say, `None` when there is no such member.
    pub(crate) fn forms(&self, field: &str) -> Result<Option<Vec<Form>>, Untold> {
        match self {
            Self::Avro(schema) => Ok(schema.forms(field)),
            Self::Protobuf(schema) => Ok(schema.forms(field)),
            Self::Json => Err(Untold),
        }
    }
}

/// The schema is not looked at: what members a record has is seen when it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Untold;
