//! The typed tree of a SQL expression over the fields of one source (or, for transforms, over feature columns).
//!
//! Trees are built by the resolver only, so whoever evaluates one may rely on its types: the column-wise evaluator of
//! `features` and any row-wise evaluator see the same checked tree. What each node means stands in `docs/semantics.md`.

/// What an expression yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// IEEE double; `integer` and `decimal` fields.
    Number,
    /// `string`, `category` and `cell` fields.
    Text,
    /// Three-valued truth.
    Boolean,
    /// Milliseconds since 1970; only compared, subtracted (giving seconds) and carried.
    Time,
}

/// One checked expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// The field at this place in the source's list of fields.
    Field(usize),
    /// A number literal.
    Number(f64),
    /// A text literal.
    Text(String),
    /// `TRUE` or `FALSE`.
    Boolean(bool),
    /// `NULL`, of whatever type its place asks for.
    Null(Type),
    /// `-x`
    Negate(Box<Expr>),
    /// `NOT x`
    Not(Box<Expr>),
    /// `a + b` and its like. Subtracting times gives seconds.
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// `a < b` and its like, over two expressions of one type.
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// `a AND b`
    And(Box<Expr>, Box<Expr>),
    /// `a OR b`
    Or(Box<Expr>, Box<Expr>),
    /// `x IN ('a', 'b')`; the list holds literals of the type of `x` and no nulls.
    In(Box<Expr>, Vec<Expr>),
    /// `x IS NULL`
    IsNull(Box<Expr>),
    /// `CASE WHEN c THEN v … ELSE d END`, a missing `ELSE` being null.
    Case(Vec<(Expr, Expr)>, Box<Expr>),
    /// A function call with the right number and types of arguments.
    Call(Function, Vec<Expr>),
}

impl Expr {
    /// Shows every field that the expression uses, as often as it does.
    pub fn each_field(&self, visit: &mut dyn FnMut(usize)) {
        match self {
            Self::Field(place) => visit(*place),
            Self::Number(_) | Self::Text(_) | Self::Boolean(_) | Self::Null(_) => {}
            Self::Negate(value) | Self::Not(value) | Self::IsNull(value) | Self::In(value, _) => value.each_field(visit),
            Self::Arithmetic(_, left, right) | Self::Compare(_, left, right) | Self::And(left, right) | Self::Or(left, right) => {
                left.each_field(visit);
                right.each_field(visit);
            }
            Self::Case(arms, otherwise) => {
                for (when, then) in arms {
                    when.each_field(visit);
                    then.each_field(visit);
                }
                otherwise.each_field(visit);
            }
            Self::Call(_, arguments) => arguments.iter().for_each(|argument| argument.each_field(visit)),
        }
    }
}

/// Operators between numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`; division by zero gives null.
    Divide,
}

/// Operators that compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>` or `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Built-in functions. Except for `Coalesce`, `Least`, `Greatest`, `NullIf` and `Shrunk`, a null argument gives null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// `abs(number)`
    Abs,
    /// `floor(number)`
    Floor,
    /// `ceil(number)`
    Ceil,
    /// `round(number)`: half away from zero.
    Round,
    /// `sqrt(number)`: null for negative numbers.
    Sqrt,
    /// `least(a, b, …)` over numbers: nulls are left out; null when all are.
    Least,
    /// `greatest(a, b, …)` over numbers: nulls are left out; null when all are.
    Greatest,
    /// `coalesce(a, b, …)`, all of one type: the first that is not null.
    Coalesce,
    /// `nullif(a, b)`: null when both are equal, else `a`, also when `b` is null.
    NullIf,
    /// `lower(text)`
    Lower,
    /// `upper(text)`
    Upper,
    /// `starts_with(text, 'literal')`
    StartsWith,
    /// `ends_with(text, 'literal')`
    EndsWith,
    /// What `shrink` declares, and no text can call: of four numbers - a value, how many observations it is made of, the strength of its
    /// prior as a literal, and what it is shrunk towards, shrunk itself - the first towards the last, or the one of both that is known.
    Shrunk,
}
