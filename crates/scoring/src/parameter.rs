//! Declared parameters and the ranges they must lie in. Knows nothing of what they are for.

use std::fmt::Display;
use std::ops::RangeInclusive;

/// A declared parameter that does not lie in its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is {found}; declare a value from {least} to {greatest}")]
pub struct OutOfRange {
    /// What the parameter is called where it is declared.
    pub name: &'static str,
    found: String,
    least: String,
    greatest: String,
}

/// Refuses a value outside its range; a NaN lies in none.
pub(crate) fn within<T: PartialOrd + Display>(name: &'static str, value: &T, range: RangeInclusive<T>) -> Result<(), OutOfRange> {
    if range.contains(value) {
        return Ok(());
    }
    let (least, greatest) = (range.start().to_string(), range.end().to_string());
    Err(OutOfRange { name, found: value.to_string(), least, greatest })
}

#[cfg(test)]
mod tests {
    use domain::Span;

    use super::within;

    #[test]
    fn a_fault_says_what_would_do() {
        let fault = within("half_life", &Span(60_000), Span(5_400_000)..=Span(10_800_000)).unwrap_err();
        assert_eq!(fault.to_string(), "`half_life` is 1m; declare a value from 90m to 3h");
        assert!(within("quantile", &f64::NAN, 0.0..=1.0).is_err());
        assert_eq!(within("quantile", &1.0, 0.0..=1.0), Ok(()));
    }
}
