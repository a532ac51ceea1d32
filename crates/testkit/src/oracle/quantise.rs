//! From a row to the exact values that aggregators take, and to the text of an entity's key.

use pipeline::{Expr, Field, FieldKind, Input, InputKind};

use super::decode::UNITS_MAX;
use super::event::{Content, Row, text_of};
use super::expression::{Scalar, evaluate};

/// The value of an input for a row, in units of the input's own step; none when it is null.
pub(crate) fn quantised(input: &Input, fields: &[Field], row: &Row) -> Option<Content> {
    match (&input.expr, &input.kind) {
        // A category that is counted as text, and an integer that is taken with a step, are no bare use of their units.
        (Expr::Field(index), kind) if same_units(&fields[*index].kind, kind) => row.contents[*index].clone(),
        (expr, kind) => quantise(&evaluate(expr, fields, row), kind),
    }
}

fn same_units(field: &FieldKind, input: &InputKind) -> bool {
    match (field, input) {
        (FieldKind::Decimal { digits: declared, .. }, InputKind::Decimal { digits }) => declared == digits,
        (FieldKind::Text | FieldKind::Cell { .. }, InputKind::Text)
        | (FieldKind::Integer { .. }, InputKind::Integer)
        | (FieldKind::Boolean, InputKind::Boolean)
        | (FieldKind::Time, InputKind::Time) => true,
        (FieldKind::Category(labels), InputKind::Category(input_labels)) => labels == input_labels,
        _ => false,
    }
}

fn quantise(value: &Scalar, kind: &InputKind) -> Option<Content> {
    match (value, kind) {
        (Scalar::Null, _) => None,
        (Scalar::Number(x), InputKind::Decimal { .. } | InputKind::Integer) => {
            let units = (x * kind.scale()).round_ties_even();
            (units.is_finite() && units.abs() <= UNITS_MAX as f64).then_some(Content::Units(units as i64))
        }
        (Scalar::Boolean(truth), InputKind::Boolean) => Some(Content::Units(i64::from(*truth))),
        (Scalar::Time(millis), InputKind::Time) => Some(Content::Units(*millis)),
        (Scalar::Text(text), InputKind::Text) => Some(Content::Text(text.clone())),
        (Scalar::Text(text), InputKind::Category(labels)) => {
            labels.iter().position(|label| label == text).map(|place| Content::Units(place as i64))
        }
        (value, kind) => panic!("{value:?} as an input of {kind:?}: the tree is not well typed"),
    }
}

/// The text of a key, of a group or of a derived source; none when the row belongs to nobody.
pub(crate) fn key_text(key: &Expr, fields: &[Field], row: &Row) -> Option<String> {
    let text = match key {
        Expr::Field(index) => text_of(&fields[*index], row.contents[*index].as_ref()?),
        expr => match evaluate(expr, fields, row) {
            Scalar::Null => return None,
            Scalar::Number(number) if !number.is_finite() => return None,
            // Zero has one text, whatever its sign.
            Scalar::Number(number) => format!("{}", number + 0.0),
            Scalar::Text(text) => text,
            other => panic!("{other:?} as a key: the tree is not well typed"),
        },
    };
    (!text.is_empty()).then_some(text)
}
