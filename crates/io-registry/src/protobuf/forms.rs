//! Which shapes the members of a message can have, for the check before the first record comes.

use prost_reflect::{FieldDescriptor, Kind};

use super::{Schema, known::Known};
use crate::form::Form;

impl Schema {
    /// The shapes of a member of the first message; none when it does not have it.
    pub(crate) fn forms(&self, field: &str) -> Option<Vec<Form>> {
        let field = self.message(&[0])?.get_field_by_name(field)?;
        let form = of(&field);
        Some(if field.supports_presence() { vec![Form::Null, form] } else { vec![form] })
    }
}

fn of(field: &FieldDescriptor) -> Form {
    if field.is_map() {
        return Form::Unreadable("a map");
    }
    if field.is_list() {
        return Form::Unreadable("a repeated field");
    }
    match field.kind() {
        Kind::Bool => Form::Boolean,
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 | Kind::Uint32 | Kind::Fixed32 => Form::Small,
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 | Kind::Uint64 | Kind::Fixed64 => Form::Whole,
        Kind::Float | Kind::Double => Form::Fraction,
        Kind::String => Form::Text,
        Kind::Bytes => Form::Unreadable("bytes"),
        // Zero is what a field has that nobody set, and seldom meant.
        Kind::Enum(kind) => {
            Form::Labels(kind.values().filter(|value| value.number() != 0).map(|value| value.name().to_owned()).collect())
        }
        Kind::Message(message) => match Known::of(message.full_name()) {
            Some(Known::Instant) => Form::Instant { as_text: true },
            Some(Known::ConfluentDecimal | Known::GoogleDecimal) => Form::Fraction,
            Some(Known::Span) => Form::Other("a duration"),
            Some(Known::Wrapper) => message.get_field(1).map_or(Form::Unreadable("a message"), |inner| of(&inner)),
            _ => Form::Unreadable("a message"),
        },
    }
}
