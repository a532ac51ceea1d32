//! Events and rows as the oracle holds them: one content for each field of their source.

use pipeline::{Field, FieldKind};

/// What a field holds; a null field holds none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Content {
    /// Of every kind with units: numbers, booleans, times, categories.
    Units(i64),
    /// Of `string` and `cell`.
    Text(String),
}

/// An event, or a row of a derived source.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The event time; `i64::MIN` for the rows of a file.
    pub(crate) from: i64,
    /// Tables only: the instant at which the row ends.
    pub(crate) end: Option<i64>,
    /// The 128-bit identity; 0 for the rows of a file.
    pub(crate) identity: u128,
    /// In the order of the source's fields.
    pub(crate) contents: Vec<Option<Content>>,
}

/// What a content is called in a key or an identity.
pub(crate) fn text_of(field: &Field, content: &Content) -> String {
    match (&field.kind, content) {
        (_, Content::Text(text)) => text.clone(),
        (FieldKind::Decimal { digits, .. }, Content::Units(units)) => decimal_text(*units, *digits),
        (FieldKind::Category(labels), Content::Units(place)) => labels[*place as usize].clone(),
        (_, Content::Units(units)) => units.to_string(),
    }
}

/// The shortest decimal text of `units / 10^digits`.
fn decimal_text(units: i64, digits: u8) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let step = 10i64.pow(u32::from(digits));
    let (whole, rest) = (units.abs() / step, units.abs() % step);
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    let fraction = format!("{rest:0width$}", width = usize::from(digits));
    format!("{sign}{whole}.{}", fraction.trim_end_matches('0'))
}
