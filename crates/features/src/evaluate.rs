//! Expressions over columns, by polars' kernels: one call evaluates a whole micro-batch.
//!
//! The tree was checked by the resolver, so a mismatch of types here is a bug and panics. Nulls and three-valued logic are
//! polars' own; what SQL leaves open (division by zero, overflow) is null, see `docs/semantics.md`.

mod call;

use pipeline::{Arithmetic, Comparison, Expr, Field, FieldKind, Type};
use polars::prelude::*;

use crate::columns::{Columns, NULL};

/// The values of an expression, one a row.
#[derive(Clone, Debug)]
pub(crate) enum Values {
    Number(Float64Chunked),
    Text(StringChunked),
    Boolean(BooleanChunked),
    Time(Int64Chunked),
}

/// Evaluates over some rows.
pub(crate) struct Evaluator<'a> {
    fields: Fields<'a>,
    length: usize,
}

/// What `Expr::Field` refers to.
enum Fields<'a> {
    /// Some rows of a batch of events.
    Batch { fields: &'a [Field], columns: &'a Columns, rows: &'a [u32] },
    /// Values that were computed before.
    Computed(&'a [Values]),
}

impl<'a> Evaluator<'a> {
    /// Over some rows of a batch of events.
    pub(crate) fn new(fields: &'a [Field], columns: &'a Columns, rows: &'a [u32]) -> Self {
        Self { fields: Fields::Batch { fields, columns, rows }, length: rows.len() }
    }

    /// Over values that were computed before.
    pub(crate) fn over(values: &'a [Values], length: usize) -> Self {
        Self { fields: Fields::Computed(values), length }
    }

    /// The expression's value for each row.
    pub(crate) fn values(&self, expr: &Expr) -> Values {
        match expr {
            Expr::Field(field) => self.field(*field),
            Expr::Number(number) => Values::Number(self.constant(Some(*number))),
            Expr::Text(text) => Values::Text(StringChunked::full(PlSmallStr::EMPTY, text, self.length)),
            Expr::Boolean(truth) => Values::Boolean(BooleanChunked::full(PlSmallStr::EMPTY, *truth, self.length)),
            Expr::Null(kind) => self.null(*kind),
            Expr::Negate(inner) => Values::Number(self.number(inner).apply_values(|number| -number)),
            Expr::Not(inner) => Values::Boolean(!&self.truth(inner)),
            Expr::Arithmetic(operator, left, right) => Values::Number(self.arithmetic(*operator, left, right)),
            Expr::Compare(comparison, left, right) => Values::Boolean(self.compare(*comparison, left, right)),
            Expr::And(left, right) => Values::Boolean(&self.truth(left) & &self.truth(right)),
            Expr::Or(left, right) => Values::Boolean(&self.truth(left) | &self.truth(right)),
            Expr::In(inner, list) => Values::Boolean(self.contained(inner, list)),
            Expr::IsNull(inner) => Values::Boolean(self.is_null(inner)),
            Expr::Case(branches, otherwise) => self.case(branches, otherwise),
            Expr::Call(function, arguments) => call::call(self, *function, arguments),
        }
    }

    /// Whether the condition holds, row by row: null is no.
    pub(crate) fn holds(&self, condition: &Expr) -> Vec<bool> {
        self.truth(condition).iter().map(|truth| truth == Some(true)).collect()
    }

    fn field(&self, field: usize) -> Values {
        match &self.fields {
            Fields::Batch { fields, columns, rows } => of_batch(&fields[field].kind, columns, field, rows),
            Fields::Computed(values) => values[field].clone(),
        }
    }

    fn constant(&self, number: Option<f64>) -> Float64Chunked {
        match number {
            Some(number) => Float64Chunked::full(PlSmallStr::EMPTY, number, self.length),
            None => Float64Chunked::full_null(PlSmallStr::EMPTY, self.length),
        }
    }

    fn null(&self, kind: Type) -> Values {
        let (name, length) = (PlSmallStr::EMPTY, self.length);
        match kind {
            Type::Number => Values::Number(self.constant(None)),
            Type::Text => Values::Text(StringChunked::full_null(name, length)),
            Type::Boolean => Values::Boolean(BooleanChunked::full_null(name, length)),
            Type::Time => Values::Time(Int64Chunked::full_null(name, length)),
        }
    }

    fn number(&self, expr: &Expr) -> Float64Chunked {
        match self.values(expr) {
            Values::Number(numbers) => numbers,
            other => panic!("the resolver promised a number and not {other:?}"),
        }
    }

    fn truth(&self, expr: &Expr) -> BooleanChunked {
        match self.values(expr) {
            Values::Boolean(truths) => truths,
            other => panic!("the resolver promised a condition and not {other:?}"),
        }
    }

    fn arithmetic(&self, operator: Arithmetic, left: &Expr, right: &Expr) -> Float64Chunked {
        let result = match (self.values(left), self.values(right)) {
            (Values::Number(left), Values::Number(right)) => match operator {
                Arithmetic::Add => left + right,
                Arithmetic::Subtract => left - right,
                Arithmetic::Multiply => left * right,
                Arithmetic::Divide => left / right,
            },
            (Values::Time(left), Values::Time(right)) => {
                let seconds = left.iter().zip(right.iter()).map(|(left, right)| Some(left?.checked_sub(right?)? as f64 / 1000.0));
                seconds.collect()
            }
            other => panic!("the resolver promised numbers or times and not {other:?}"),
        };
        finite(&result)
    }

    fn compare(&self, comparison: Comparison, left: &Expr, right: &Expr) -> BooleanChunked {
        match (self.values(left), self.values(right)) {
            (Values::Number(left), Values::Number(right)) => ordered(comparison, &left, &right),
            (Values::Text(left), Values::Text(right)) => ordered(comparison, &left, &right),
            (Values::Time(left), Values::Time(right)) => ordered(comparison, &left, &right),
            (Values::Boolean(left), Values::Boolean(right)) => ordered(comparison, &left, &right),
            other => panic!("the resolver promised two of one type and not {other:?}"),
        }
    }

    fn contained(&self, inner: &Expr, list: &[Expr]) -> BooleanChunked {
        let equals = |literal| self.compare(Comparison::Equal, inner, literal);
        let (first, others) = list.split_first().unwrap_or_else(|| panic!("the resolver refuses an empty list"));
        others.iter().fold(equals(first), |found, literal| &found | &equals(literal))
    }

    fn is_null(&self, inner: &Expr) -> BooleanChunked {
        match self.values(inner) {
            Values::Number(values) => values.is_null(),
            Values::Text(values) => values.is_null(),
            Values::Boolean(values) => values.is_null(),
            Values::Time(values) => values.is_null(),
        }
    }

    fn case(&self, branches: &[(Expr, Expr)], otherwise: &Expr) -> Values {
        branches.iter().rev().fold(self.values(otherwise), |otherwise, (condition, value)| {
            let mask: BooleanChunked = self.holds(condition).into_iter().map(Some).collect();
            choose(&mask, self.values(value), otherwise)
        })
    }
}

/// A field of some rows as the type that expressions see.
fn of_batch(kind: &FieldKind, columns: &Columns, field: usize, rows: &[u32]) -> Values {
    let units = |row: &u32| Some(columns.units(field)[*row as usize]).filter(|units| *units != NULL);
    let rows = rows.iter();
    match kind {
        FieldKind::Text | FieldKind::Cell { .. } => {
            let texts = columns.texts(field);
            Values::Text(rows.map(|row| texts.get(*row as usize)).collect())
        }
        FieldKind::Category(labels) => {
            let label = |place: i64| usize::try_from(place).ok().and_then(|place| labels.get(place)).map(String::as_str);
            Values::Text(rows.map(|row| units(row).and_then(label)).collect())
        }
        FieldKind::Integer { .. } => Values::Number(rows.map(|row| units(row).map(|units| units as f64)).collect()),
        FieldKind::Decimal { digits, .. } => {
            let scale = 10f64.powi(i32::from(*digits));
            Values::Number(rows.map(|row| units(row).map(|units| units as f64 / scale)).collect())
        }
        FieldKind::Boolean => Values::Boolean(rows.map(|row| units(row).map(|units| units == 1)).collect()),
        FieldKind::Time => Values::Time(rows.map(units).collect()),
    }
}

/// The first where the mask is set, else the second.
fn choose(mask: &BooleanChunked, then: Values, otherwise: Values) -> Values {
    let chosen = match (&then, &otherwise) {
        (Values::Number(then), Values::Number(otherwise)) => then.zip_with(mask, otherwise).map(Values::Number),
        (Values::Text(then), Values::Text(otherwise)) => then.zip_with(mask, otherwise).map(Values::Text),
        (Values::Boolean(then), Values::Boolean(otherwise)) => then.zip_with(mask, otherwise).map(Values::Boolean),
        (Values::Time(then), Values::Time(otherwise)) => then.zip_with(mask, otherwise).map(Values::Time),
        other => panic!("the resolver promised branches of one type and not {other:?}"),
    };
    chosen.unwrap_or_else(|error| panic!("mask and branches have one length: {error}"))
}

fn ordered<'a, T>(comparison: Comparison, left: &'a T, right: &'a T) -> BooleanChunked
where
    T: ChunkCompareEq<&'a T, Item = BooleanChunked> + ChunkCompareIneq<&'a T, Item = BooleanChunked>,
{
    match comparison {
        Comparison::Equal => left.equal(right),
        Comparison::NotEqual => left.not_equal(right),
        Comparison::Less => left.lt(right),
        Comparison::LessOrEqual => left.lt_eq(right),
        Comparison::Greater => left.gt(right),
        Comparison::GreaterOrEqual => left.gt_eq(right),
    }
}

/// Nulls where a number is infinite or not a number.
fn finite(numbers: &Float64Chunked) -> Float64Chunked {
    numbers.apply(|number| number.filter(|number| number.is_finite()))
}
