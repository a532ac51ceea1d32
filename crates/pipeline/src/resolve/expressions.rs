//! Compiles the expressions of a spec and reports their faults at their place in the file.

use crate::document::Path;
use crate::expression::{Expr, Type};
use crate::raw::Sql;
use crate::report::Report;
use crate::resolved::{Field, FieldKind};
use crate::sql::{self, Checked, Scope, ScopeName, SqlFault};

/// Compiles a value.
pub(super) fn value(path: &Path, text: &Sql, scope: &Scope, report: &mut Report<'_>) -> Option<Checked> {
    sql::compile(&text.0, scope).map_err(|faults| report_all(path, faults, report)).ok()
}

/// Compiles a condition.
pub(super) fn condition(path: &Path, text: &Sql, scope: &Scope, report: &mut Report<'_>) -> Option<Expr> {
    let checked = value(path, text, scope, report)?;
    if checked.kind != Type::Boolean {
        let message = format!("expected a condition, found {}", sql::phrase(checked.kind));
        report.value(path, "type_mismatch", message).suggest("compare it with something, as in `type = 'order.ready'`");
        return None;
    }
    Some(checked.expr)
}

/// Compiles a condition that may be left out. Whether it is there and right makes no difference after a fault.
pub(super) fn optional_condition(path: &Path, text: Option<&Sql>, scope: &Scope, report: &mut Report<'_>) -> Option<Expr> {
    text.and_then(|text| condition(path, text, scope, report))
}

/// Reports faults of the expression at a path.
pub(super) fn report_all(path: &Path, faults: Vec<SqlFault>, report: &mut Report<'_>) {
    for fault in faults {
        report.part(path, fault.span, fault.code, fault.message).suggest_maybe(fault.suggestion);
    }
}

/// The fields of a source as an expression sees them.
pub(super) fn field_scope(source: &str, fields: &[Field], broken: &[String]) -> Scope {
    let names = fields.iter().map(|field| {
        let (kind, labels) = match &field.kind {
            FieldKind::Text | FieldKind::Cell { .. } => (Type::Text, None),
            FieldKind::Integer { .. } | FieldKind::Decimal { .. } => (Type::Number, None),
            FieldKind::Boolean => (Type::Boolean, None),
            FieldKind::Time => (Type::Time, None),
            FieldKind::Category(labels) => (Type::Text, Some(labels.clone())),
        };
        ScopeName { name: field.name.clone(), kind, labels }
    });
    Scope { noun: format!("the fields of `{source}`"), names: names.collect(), broken: broken.to_vec() }
}
