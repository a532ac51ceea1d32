//! The built-in functions: their names and what they take and give.

use crate::expression::{Function, Type};

/// What a function takes.
pub(super) enum Takes {
    /// Exactly one argument of a type.
    One(Type),
    /// Two or more numbers.
    Numbers,
    /// Two or more of one type.
    Alike,
    /// Exactly two of one type.
    TwoAlike,
    /// A text and a text literal.
    TextAndLiteral,
}

/// One row of the table of functions.
pub(super) struct Signature {
    pub(super) name: &'static str,
    pub(super) function: Function,
    pub(super) takes: Takes,
    /// None: the type of the arguments.
    pub(super) gives: Option<Type>,
}

const fn row(name: &'static str, function: Function, takes: Takes, gives: Option<Type>) -> Signature {
    Signature { name, function, takes, gives }
}

/// Every function there is.
pub(super) const FUNCTIONS: [Signature; 13] = [
    row("abs", Function::Abs, Takes::One(Type::Number), Some(Type::Number)),
    row("floor", Function::Floor, Takes::One(Type::Number), Some(Type::Number)),
    row("ceil", Function::Ceil, Takes::One(Type::Number), Some(Type::Number)),
    row("round", Function::Round, Takes::One(Type::Number), Some(Type::Number)),
    row("sqrt", Function::Sqrt, Takes::One(Type::Number), Some(Type::Number)),
    row("least", Function::Least, Takes::Numbers, Some(Type::Number)),
    row("greatest", Function::Greatest, Takes::Numbers, Some(Type::Number)),
    row("coalesce", Function::Coalesce, Takes::Alike, None),
    row("nullif", Function::NullIf, Takes::TwoAlike, None),
    row("lower", Function::Lower, Takes::One(Type::Text), Some(Type::Text)),
    row("upper", Function::Upper, Takes::One(Type::Text), Some(Type::Text)),
    row("starts_with", Function::StartsWith, Takes::TextAndLiteral, Some(Type::Boolean)),
    row("ends_with", Function::EndsWith, Takes::TextAndLiteral, Some(Type::Boolean)),
];

impl Signature {
    /// Whether so many arguments are right.
    pub(super) fn accepts(&self, count: usize) -> bool {
        match self.takes {
            Takes::One(_) => count == 1,
            Takes::TwoAlike | Takes::TextAndLiteral => count == 2,
            Takes::Numbers | Takes::Alike => count >= 2,
        }
    }

    /// How the arguments are written.
    pub(super) fn usage(&self) -> &'static str {
        match self.takes {
            Takes::One(Type::Text) => "(text)",
            Takes::One(_) => "(number)",
            Takes::Numbers => "(number, number, …)",
            Takes::Alike => "(value, value, …)",
            Takes::TwoAlike => "(value, value)",
            Takes::TextAndLiteral => "(text, 'literal')",
        }
    }
}
