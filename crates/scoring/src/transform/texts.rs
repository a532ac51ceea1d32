//! The texts of a program. A row holds no free text, only places in lists of categories, so every text that an expression can come
//! to is known beforehand. Each gets a number in the order of texts: comparing two is comparing numbers, and a function of a text is
//! a table. This file never sees a row.

use std::collections::BTreeSet;

use domain::ValueKind;
use pipeline::{Expr, Function, Transform};

/// All texts of a program, in order: labels, literals, and both with other letters. Specs are bounded, and so are these.
#[derive(Debug, Default)]
pub(super) struct Texts(Vec<String>);

impl Texts {
    /// The texts that some expressions can come to, with these kinds of fields.
    pub(super) fn of(kinds: &[ValueKind], transforms: &[Transform]) -> Self {
        let mut all = BTreeSet::new();
        for labels in kinds.iter().filter_map(labels) {
            all.extend(labels.iter().cloned());
        }
        for transform in transforms {
            collect(&transform.expr, kinds, &mut all);
        }
        Self(all.into_iter().collect())
    }

    pub(super) fn place(&self, text: &str) -> Option<u64> {
        self.0.binary_search_by(|known| known.as_str().cmp(text)).ok().map(|place| place as u64)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// The list of a category.
pub(super) fn labels(kind: &ValueKind) -> Option<&Vec<String>> {
    if let ValueKind::Category(labels) = kind { Some(labels) } else { None }
}

/// A text with small or large letters.
pub(super) fn recased(function: Function, text: &str) -> String {
    if function == Function::Lower { text.to_lowercase() } else { text.to_uppercase() }
}

/// Adds every text below an expression, and gives back those that it can come to itself.
fn collect(expr: &Expr, kinds: &[ValueKind], all: &mut BTreeSet<String>) -> BTreeSet<String> {
    let mut visit = |expr: &Expr| collect(expr, kinds, all);
    let own = match expr {
        Expr::Field(field) => {
            kinds.get(*field).and_then(labels).map(|labels| labels.iter().cloned().collect()).unwrap_or_default()
        }
        Expr::Text(text) => BTreeSet::from([text.clone()]),
        Expr::Number(_) | Expr::Boolean(_) | Expr::Null(_) => BTreeSet::new(),
        Expr::Negate(inner) | Expr::Not(inner) | Expr::IsNull(inner) => {
            visit(inner);
            BTreeSet::new()
        }
        Expr::Arithmetic(_, left, right) | Expr::Compare(_, left, right) | Expr::And(left, right) | Expr::Or(left, right) => {
            visit(left);
            visit(right);
            BTreeSet::new()
        }
        Expr::In(inner, list) => {
            visit(inner);
            list.iter().for_each(|literal| drop(visit(literal)));
            BTreeSet::new()
        }
        Expr::Case(branches, otherwise) => {
            branches.iter().for_each(|(condition, _)| drop(visit(condition)));
            branches.iter().map(|(_, value)| value).chain([&**otherwise]).flat_map(visit).collect()
        }
        Expr::Call(function, arguments) => {
            let texts: BTreeSet<String> = arguments.iter().flat_map(visit).collect();
            match function {
                Function::Lower | Function::Upper => texts.iter().map(|text| recased(*function, text)).collect(),
                _ => texts,
            }
        }
    };
    all.extend(own.iter().cloned());
    own
}
