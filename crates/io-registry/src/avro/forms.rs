//! Which shapes the members of a record can have, for the check before the first record comes.

use super::schema::{Schema, Type, TypeId};
use crate::form::Form;

impl Schema {
    /// The shapes of a member; none when no record has it.
    pub(crate) fn forms(&self, field: &str) -> Option<Vec<Form>> {
        let roots = match &self.types[self.root] {
            Type::Union(branches) => branches.clone(),
            _ => vec![self.root],
        };
        let mut forms = Vec::new();
        for root in roots {
            let Type::Record(fields) = &self.types[root] else { continue };
            if let Some(field) = fields.iter().find(|one| one.name == field) {
                self.of_type(field.kind, &mut forms);
            }
        }
        (!forms.is_empty()).then_some(forms)
    }

    fn of_type(&self, id: TypeId, forms: &mut Vec<Form>) {
        forms.push(match &self.types[id] {
            // A union cannot contain another one but through a record, which ends this.
            Type::Union(branches) => return branches.iter().for_each(|branch| self.branch(*branch, forms)),
            other => form(other),
        });
    }

    fn branch(&self, id: TypeId, forms: &mut Vec<Form>) {
        forms.push(form(&self.types[id]));
    }
}

fn form(kind: &Type) -> Form {
    match kind {
        Type::Null => Form::Null,
        Type::Boolean => Form::Boolean,
        Type::Int => Form::Small,
        Type::Long | Type::Decimal { scale: 0, .. } => Form::Whole,
        Type::Float | Type::Double | Type::Decimal { .. } => Form::Fraction,
        Type::Text => Form::Text,
        Type::Uuid => Form::Other("a UUID"),
        Type::Date => Form::Other("a date"),
        Type::Local(_) => Form::Other("a local time, which belongs to no zone"),
        Type::Instant(_) => Form::Instant { as_text: false },
        Type::Enum(symbols) => Form::Labels(symbols.iter().map(|symbol| symbol.name.clone()).collect()),
        Type::Bytes | Type::Fixed(_) => Form::Unreadable("bytes without a logical type"),
        Type::Array(_) => Form::Unreadable("a list"),
        Type::Map(_) => Form::Unreadable("a map"),
        Type::Record(_) => Form::Unreadable("a record"),
        Type::Union(_) | Type::Open => Form::Unreadable("a union within a union"),
    }
}
