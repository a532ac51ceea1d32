//! What of a pipeline's fields a schema cannot give, found before the first record comes. All faults at once.

use std::fmt;

use crate::{
    form::Form,
    schema::{Format, Schema, Untold},
};

/// What a source declares a field to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// A number in steps.
    Decimal,
    /// True or false.
    Boolean,
    /// An instant.
    Time,
    /// One of these texts.
    Category(Vec<String>),
}

/// A field that a source declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// What it is to be read as.
    pub kind: Kind,
}

/// A field that the schema cannot give, with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Under which name the schema is registered.
    pub subject: String,
    /// Which field; none when there is no schema that could have one.
    pub field: Option<String>,
    /// What is wrong, and what to do.
    pub what: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(formatter, "{}, field `{field}`: {}", self.subject, self.what),
            None => write!(formatter, "{}: {}", self.subject, self.what),
        }
    }
}

impl Mismatch {
    /// Of a subject as a whole.
    pub(crate) fn whole(subject: &str, what: String) -> Self {
        Self { subject: subject.into(), field: None, what }
    }
}

/// A schema in another language than the one that was declared. JSON in the frame of a registry is read under any name.
pub(crate) fn foreign(subject: &str, declared: Format, found: Format) -> Option<Mismatch> {
    let differs = declared != found && found != Format::Json;
    differs.then(|| {
        let (declared, found) = (declared.title(), found.title());
        let what =
            format!("its latest schema is {found}, and the source is declared as {declared}: declare what producers write");
        Mismatch::whole(subject, what)
    })
}

/// Every wanted field that records of this schema do not have, or not as declared. A schema that does not say passes.
pub(crate) fn check(subject: &str, schema: &Schema, wanted: &[Wanted]) -> Vec<Mismatch> {
    let fault = |field: &Wanted| {
        let what = match schema.forms(&field.name) {
            Err(Untold) => return None,
            Ok(None) => "the latest schema does not have it: add it there, or take it out of the source".into(),
            Ok(Some(forms)) => unreadable(&field.kind, &forms)?,
        };
        Some(Mismatch { subject: subject.into(), field: Some(field.name.clone()), what })
    };
    wanted.iter().filter_map(fault).collect()
}

/// The first shape that is not read as declared.
fn unreadable(kind: &Kind, forms: &[Form]) -> Option<String> {
    if forms.iter().all(|form| *form == Form::Null) {
        return Some("the schema says that it is always null: give it a type there, or take it out of the source".into());
    }
    forms.iter().filter(|form| **form != Form::Null).find_map(|form| kind.refuses(form))
}

impl Kind {
    fn refuses(&self, form: &Form) -> Option<String> {
        let is_read = match (self, form) {
            (Self::Category(labels), Form::Labels(symbols)) => return surplus(labels, symbols),
            (Self::Text, Form::Text | Form::Labels(_) | Form::Other(_) | Form::Instant { as_text: true }) => true,
            (Self::Integer, Form::Small | Form::Whole) => true,
            (Self::Decimal, Form::Small | Form::Whole | Form::Fraction) => true,
            (Self::Boolean, Form::Boolean) => true,
            // A long or a text without a logical type may well be an instant; an int is too small for one.
            (Self::Time, Form::Instant { .. } | Form::Whole | Form::Text) => true,
            (Self::Category(_), Form::Text) => true,
            _ => false,
        };
        let advice = match form.fits() {
            "" => "no field can be read from that, so change the schema".to_owned(),
            fit => format!("declare it as {fit}, or change the schema"),
        };
        (!is_read).then(|| format!("it is {} in the schema and {} in the source: {advice}", form.name(), self.name()))
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Integer => "an integer",
            Self::Decimal => "a decimal",
            Self::Boolean => "a boolean",
            Self::Time => "a time",
            Self::Category(_) => "a category",
        }
    }
}

/// Symbols that records may carry and the source does not take.
fn surplus(labels: &[String], symbols: &[String]) -> Option<String> {
    let surplus: Vec<&str> = symbols.iter().filter(|symbol| !labels.contains(symbol)).map(String::as_str).collect();
    (!surplus.is_empty()).then(|| {
        format!(
            "records may say {}, which the source does not list: add that to the category, or declare a string",
            surplus.join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AVRO: &str = r#"{"type":"record","name":"Order","fields":[
        {"name":"text","type":"string"}, {"name":"int","type":["null","int"]}, {"name":"long","type":"long"}, {"name":"double","type":"double"},
        {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}}, {"name":"day","type":{"type":"int","logicalType":"date"}},
        {"name":"kind","type":{"type":"enum","name":"Kind","symbols":["a","b"]}}, {"name":"either","type":["string","long"]},
        {"name":"nothing","type":["null"]}, {"name":"bytes","type":"bytes"},
        {"name":"cents","type":{"type":"bytes","logicalType":"decimal","precision":4}}]}"#;
    const PROTOBUF: &str = r#"syntax = "proto3"; import "google/protobuf/timestamp.proto";
        enum Kind { unset = 0; a = 1; b = 2; }
        message Order { Kind kind = 1; google.protobuf.Timestamp at = 2; repeated string names = 3; uint64 long = 4; }"#;

    /// The beginning of what is said, or nothing.
    fn check(format: Format, field: &str, kind: Kind, expected: &str) {
        let text = if format == Format::Avro { AVRO } else { PROTOBUF };
        let schema = Schema::parse(format, text, &[]).expect("sound");
        let wanted = Wanted { name: field.into(), kind: kind.clone() };
        let found = super::check("s", &schema, &[wanted]).pop().map_or(String::new(), |fault| fault.what);
        let agree = if expected.is_empty() { found.is_empty() } else { found.starts_with(expected) };
        assert!(agree, "{field} as {kind:?}: {found:?}");
    }

    fn labels(labels: &[&str]) -> Kind {
        Kind::Category(labels.iter().map(|label| (*label).to_owned()).collect())
    }

    #[test]
    fn what_can_be_read_passes() {
        for (field, kind) in [
            ("text", Kind::Text),
            ("text", Kind::Time),
            ("text", labels(&["x"])),
            ("int", Kind::Integer),
            ("int", Kind::Decimal),
            ("long", Kind::Time),
            ("double", Kind::Decimal),
            ("cents", Kind::Integer),
            ("at", Kind::Time),
            ("day", Kind::Text),
            ("kind", Kind::Text),
            ("kind", labels(&["b", "c", "a"])),
        ] {
            check(Format::Avro, field, kind, "");
        }
        check(Format::Protobuf, "kind", labels(&["a", "b"]), "");
        check(Format::Protobuf, "at", Kind::Time, "");
        check(Format::Protobuf, "at", Kind::Text, "");
        check(Format::Protobuf, "long", Kind::Time, "");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        check(
            Format::Avro,
            "text",
            Kind::Decimal,
            "it is a text in the schema and a decimal in the source: declare it as `\"string\"`",
        );
        check(Format::Avro, "int", Kind::Time, "it is a whole number of at most 32 bits in the schema and a time");
        check(Format::Avro, "double", Kind::Integer, "it is a number with a fraction");
        check(
            Format::Avro,
            "at",
            Kind::Text,
            "it is an instant in the schema and a string in the source: declare it as `\"time\"`",
        );
        check(Format::Avro, "day", Kind::Time, "it is a date");
        check(Format::Avro, "kind", labels(&["a"]), "records may say b, which the source does not list");
        check(Format::Avro, "either", Kind::Text, "it is a whole number in the schema");
        check(Format::Avro, "nothing", Kind::Text, "the schema says that it is always null");
        check(
            Format::Avro,
            "bytes",
            Kind::Text,
            "it is bytes without a logical type in the schema and a string in the source: no field",
        );
        check(Format::Avro, "absent", Kind::Text, "the latest schema does not have it");
        check(Format::Protobuf, "names", Kind::Text, "it is a repeated field");
        check(Format::Protobuf, "kind", labels(&["a"]), "records may say b");
    }

    #[test]
    fn another_language_is_said() {
        let found = foreign("s", Format::Avro, Format::Protobuf).map(|fault| fault.to_string());
        let expected = "s: its latest schema is Protobuf, and the source is declared as Avro: declare what producers write";
        assert_eq!(found.as_deref(), Some(expected));
        assert_eq!(foreign("s", Format::Avro, Format::Avro), None);
        assert_eq!(foreign("s", Format::Protobuf, Format::Json), None);
    }

    #[test]
    fn a_json_schema_is_not_looked_at() {
        let wanted = Wanted { name: "a".into(), kind: Kind::Text };
        assert_eq!(super::check("s", &Schema::Json, &[wanted]), []);
    }
}
