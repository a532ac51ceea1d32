//! Declared parameters and the ranges they must lie in. Knows nothing of what they are for, nor of the text that declares them.

use std::fmt::Display;
use std::ops::RangeInclusive;

use domain::Span;

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
    shown(name, value, range, |value| value.to_string())
}

/// The same for seconds, which are declared as lengths of time.
pub(crate) fn within_seconds(name: &'static str, value: f64, range: RangeInclusive<f64>) -> Result<(), OutOfRange> {
    shown(name, &value, range, |seconds| {
        let span = Span((seconds * 1000.0).round() as i64);
        if seconds.is_finite() { span.to_string() } else { seconds.to_string() }
    })
}

fn shown<T: PartialOrd>(
    name: &'static str,
    value: &T,
    range: RangeInclusive<T>,
    show: impl Fn(&T) -> String,
) -> Result<(), OutOfRange> {
    if range.contains(value) {
        return Ok(());
    }
    Err(OutOfRange { name, found: show(value), least: show(range.start()), greatest: show(range.end()) })
}

#[cfg(test)]
mod tests {
    use domain::Span;

    use super::{within, within_seconds};

    #[test]
    fn a_fault_says_what_would_do() {
        let fault = within("half_life", &Span(60_000), Span(5_400_000)..=Span(10_800_000)).unwrap_err();
        assert_eq!(fault.to_string(), "`half_life` is 1m; declare a value from 90m to 3h");
        assert!(within("quantile", &f64::NAN, 0.0..=1.0).is_err());
        assert_eq!(within("quantile", &1.0, 0.0..=1.0), Ok(()));
    }

    #[test]
    fn seconds_are_shown_as_they_are_declared() {
        let fault = within_seconds("step_last", 0.05, 0.1..=120.0).unwrap_err();
        assert_eq!(fault.to_string(), "`step_last` is 50ms; declare a value from 100ms to 2m");
        let fault = within_seconds("step_last", f64::NAN, 0.1..=120.0).unwrap_err();
        assert!(fault.to_string().starts_with("`step_last` is NaN;"), "{fault}");
    }
}
