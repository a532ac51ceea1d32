//! The steps of a program: one operation on registers each, and what it means.
//!
//! A step reads registers that were written before it. Its meaning is that of the column kernels: nulls in, nulls out but for the
//! three-valued `AND` and `OR`; a number that is not finite becomes null after arithmetic; NaN is equal to itself and above all.

use std::cmp::Ordering;

use domain::{Evidence, Value, shrunk_towards};
use pipeline::{Arithmetic, Comparison};

/// A value in its eight bytes, or null: the bits of a double, 0 or 1, milliseconds, or the place of a text among all texts of the
/// program in their order.
pub(super) type Word = Option<u64>;

/// The place of a register.
pub(super) type Register = usize;

/// One operation. Equal steps give equal values, so that a compiler may keep one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// An input as a double.
    LoadNumber(usize),
    /// An input as truth.
    LoadTruth(usize),
    /// An input as a whole number: milliseconds, or the place in a list of categories.
    LoadInteger(usize),
    /// What a table has at the place that a register holds; null beyond its end.
    Lookup {
        table: usize,
        of: Register,
    },
    Negate(Register),
    Not(Register),
    IsNull(Register),
    Arithmetic(Arithmetic, Register, Register),
    /// From the second instant to the first, in seconds.
    Seconds(Register, Register),
    CompareNumbers(Comparison, Register, Register),
    /// Of truths, instants and texts.
    CompareIntegers(Comparison, Register, Register),
    And(Register, Register),
    Or(Register, Register),
    /// The second register where the first is true, else the third.
    Choose(Register, Register, Register),
    /// The first register, or the second where the first is null.
    Coalesce(Register, Register),
    Round(Rounding, Register),
    /// The lesser of two numbers, or the one that is there.
    Least(Register, Register),
    /// The greater of two numbers, or the one that is there.
    Greatest(Register, Register),
    /// A value that is made of so many observations, with a strength, towards a prior.
    Shrunk(Register, Register, Register, Register),
}

/// Functions of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rounding {
    Abs,
    Floor,
    Ceil,
    Round,
    Sqrt,
}

impl Step {
    /// The value of this step.
    pub(super) fn value(self, row: &[Option<Value>], registers: &[Word], tables: &[Vec<Word>]) -> Word {
        let number = |register: Register| registers[register].map(f64::from_bits);
        match self {
            Self::LoadNumber(input) => row[input].map(|value| match value {
                Value::Float(number) => number.to_bits(),
                Value::Integer(number) => (number as f64).to_bits(),
            }),
            Self::LoadTruth(input) => row[input].map(|value| u64::from(integer(value) == 1)),
            Self::LoadInteger(input) => row[input].map(|value| integer(value) as u64),
            Self::Lookup { table, of } => {
                registers[of].and_then(|place| tables[table].get(usize::try_from(place).ok()?).copied().flatten())
            }
            Self::Negate(of) => number(of).map(|number| (-number).to_bits()),
            Self::Not(of) => registers[of].map(|truth| 1 - truth),
            Self::IsNull(of) => Some(u64::from(registers[of].is_none())),
            Self::Arithmetic(operator, left, right) => finite(arithmetic(operator, number(left)?, number(right)?)),
            Self::Seconds(left, right) => {
                let difference = (registers[left]? as i64).checked_sub(registers[right]? as i64)?;
                Some((difference as f64 / 1000.0).to_bits())
            }
            Self::CompareNumbers(comparison, left, right) => {
                Some(u64::from(holds(comparison, order(number(left)?, number(right)?))))
            }
            Self::CompareIntegers(comparison, left, right) => {
                let order = (registers[left]? as i64).cmp(&(registers[right]? as i64));
                Some(u64::from(holds(comparison, order)))
            }
            Self::And(left, right) => match (registers[left], registers[right]) {
                (Some(0), _) | (_, Some(0)) => Some(0),
                (left, right) => left.and(right),
            },
            Self::Or(left, right) => match (registers[left], registers[right]) {
                (Some(1), _) | (_, Some(1)) => Some(1),
                (left, right) => left.and(right),
            },
            Self::Choose(condition, then, otherwise) => registers[if registers[condition] == Some(1) { then } else { otherwise }],
            Self::Coalesce(first, second) => registers[first].or(registers[second]),
            Self::Round(rounding, of) => finite(rounding.of(number(of)?)),
            Self::Least(left, right) => extreme(number(left), number(right), f64::min),
            Self::Greatest(left, right) => extreme(number(left), number(right), f64::max),
            Self::Shrunk(value, n, strength, prior) => {
                let [n, strength] = [n, strength].map(|of| number(of).unwrap_or(0.0));
                shrunk_towards(Evidence { value: number(value), n, strength }, number(prior)).map(f64::to_bits)
            }
        }
    }
}

impl Rounding {
    fn of(self, number: f64) -> f64 {
        match self {
            Self::Abs => number.abs(),
            Self::Floor => number.floor(),
            Self::Ceil => number.ceil(),
            Self::Round => number.round(),
            Self::Sqrt => number.sqrt(),
        }
    }
}

/// What stands in place of a double where a whole number is asked for is no such number: the columns have zero there.
fn integer(value: Value) -> i64 {
    if let Value::Integer(number) = value { number } else { 0 }
}

fn arithmetic(operator: Arithmetic, left: f64, right: f64) -> f64 {
    match operator {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
    }
}

fn finite(number: f64) -> Word {
    number.is_finite().then(|| number.to_bits())
}

/// The total order of the column kernels: both zeros are equal, and NaN is equal to itself and above everything else.
fn order(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
}

fn holds(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}

fn extreme(left: Option<f64>, right: Option<f64>, pick: impl Fn(f64, f64) -> f64) -> Word {
    let best = match (left, right) {
        (Some(left), Some(right)) => Some(pick(left, right)),
        (left, right) => left.or(right),
    };
    best.map(f64::to_bits)
}
