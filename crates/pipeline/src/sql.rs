//! Expressions: the small part of SQL in which specs state keys, values and conditions.
//!
//! Text becomes words (`token`), words become an untyped tree (`parser`, `syntax`), the tree becomes a typed
//! [`Expr`] or faults (`check`). Nothing here evaluates an expression, and no input makes it panic.

mod check;
mod function;
mod parser;
mod syntax;
mod token;

use std::ops::Range;

use crate::expression::{Expr, Type};

pub(crate) use check::phrase;
pub(crate) use parser::parse;
pub(crate) use syntax::Syntax;

/// Longer expressions are refused: a page of text is no condition that anybody can check by reading.
pub(crate) const LENGTH_MAX: usize = 4_096;
/// Nesting of a tree, so that whoever walks one may recurse.
pub(crate) const HEIGHT_MAX: usize = 64;
/// Nodes of a checked tree: `BETWEEN` and `CASE x` repeat their operand, which nested would grow without bound.
pub(crate) const NODES_MAX: usize = 2_000;

/// Something wrong with an expression, at a byte range of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SqlFault {
    pub(crate) code: &'static str,
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) suggestion: Option<String>,
}

impl SqlFault {
    pub(crate) fn new(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), suggestion: None }
    }

    pub(crate) fn with_help(mut self, help: impl Into<Option<String>>) -> Self {
        self.suggestion = help.into();
        self
    }
}

/// What an expression may refer to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// What the names are called in messages: `the feature columns`.
    pub(crate) noun: String,
    /// `Expr::Field(i)` is the i-th of these.
    pub(crate) names: Vec<ScopeName>,
    /// Names that are declared with a fault: whoever uses one of them, or its columns, is not blamed.
    pub(crate) broken: Vec<String>,
}

/// One name that an expression may use.
#[derive(Clone, Debug)]
pub(crate) struct ScopeName {
    pub(crate) name: String,
    pub(crate) kind: Type,
    /// The texts that a category can be.
    pub(crate) labels: Option<Vec<String>>,
}

impl Scope {
    /// Whether a name is known to be at fault already.
    pub(crate) fn is_broken(&self, name: &str) -> bool {
        let is_column_of = |feature: &String| name.strip_prefix(feature.as_str()).is_some_and(|rest| rest.starts_with('_'));
        self.broken.iter().any(|broken| broken == name || is_column_of(broken))
    }
}

/// A checked expression.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) expr: Expr,
    pub(crate) kind: Type,
}

/// Gives an untyped tree its types. All faults at once; none at all when only names at fault already are to blame.
pub(crate) fn check(syntax: &Syntax, scope: &Scope) -> Result<Checked, Vec<SqlFault>> {
    check::check(syntax, scope)
}

/// Parses and checks a text.
pub(crate) fn compile(text: &str, scope: &Scope) -> Result<Checked, Vec<SqlFault>> {
    let syntax = parse(text).map_err(|fault| vec![fault])?;
    check(&syntax, scope)
}
