//! What can go wrong in this crate: settings that make no world. Everything else is decided by the city itself.
//! This file never prints and never ends a process.

use thiserror::Error;

/// Why something was not simulated.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// Settings outside their bounds, all of them at once.
    #[error("nothing was simulated, correct these settings: {}", .faults.join("; "))]
    Settings {
        /// One sentence for each fault: what is wrong and what would be right.
        faults: Vec<String>,
    },
    /// A scenario that nobody wrote.
    #[error("there is no scenario `{name}`: choose one of {known}")]
    Scenario {
        /// What was asked for.
        name: String,
        /// What could be asked for.
        known: String,
    },
}

/// Collects the faults of settings, so that all of them are told at once.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<String>);

impl Faults {
    /// Notes a number that is outside its bounds.
    pub(crate) fn within<T: PartialOrd + std::fmt::Display>(&mut self, name: &str, value: T, low: T, high: T) {
        // Written so that a NaN is a fault too.
        if !(value >= low && value <= high) {
            self.0.push(format!("`{name}` is {value}, and has to be from {low} to {high}"));
        }
    }

    /// Notes whatever else is wrong.
    pub(crate) fn unless(&mut self, right: bool, sentence: &str) {
        if !right {
            self.0.push(sentence.to_owned());
        }
    }

    pub(crate) fn finish(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Settings { faults: self.0 }) }
    }
}
