//! Lines about what happens, for a person, on standard error. Never among results, and never across a live page.

use std::io::{self, IsTerminal};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    Layer,
    filter::Targets,
    fmt::{self, format},
    registry::LookupSpan,
};

use crate::{arguments::Telling, console::Console, failure::Failure};

/// Where others say what they want to hear of.
const VARIABLE: &str = "RUST_LOG";

/// What is to be written.
pub(super) struct Wanted {
    filter: Option<Targets>,
    /// Something was asked for, and there is no place for it.
    displaced: bool,
}

impl Wanted {
    pub(super) fn of(telling: &Telling, console: &Console, on_screen: bool) -> Result<Self, Failure> {
        let asked = telling.log.clone().or_else(|| std::env::var(VARIABLE).ok()).filter(|asked| !asked.is_empty());
        // A page owns the terminal, and lines on it would be drawn over at best.
        if on_screen && io::stderr().is_terminal() {
            return Ok(Self { filter: None, displaced: asked.is_some() });
        }
        let filter = match asked {
            Some(asked) => Some(filter(&asked)?),
            None if console.is_quiet() => None,
            // Something that somebody should look after.
            None => Some(Targets::new().with_default(LevelFilter::WARN)),
        };
        Ok(Self { filter, displaced: false })
    }

    pub(super) fn announcement(&self) -> Option<String> {
        let words = "Log lines would disturb this page: add `2> headway.log`, or --headless, to have them.";
        self.displaced.then(|| words.to_owned())
    }

    pub(super) fn layer<S: tracing::Subscriber + for<'a> LookupSpan<'a>>(&self) -> Option<impl Layer<S> + use<S>> {
        let format = format().with_ansi(false);
        let filter = self.filter.clone()?;
        Some(fmt::layer().event_format(format).with_ansi(false).with_writer(io::stderr).with_filter(filter))
    }
}

/// A level, or targets with levels, as in `info` or `warn,dataplane=debug`.
fn filter(text: &str) -> Result<Targets, Failure> {
    text.parse().map_err(|error| {
        Failure::configuration(format!(
            "`{text}` says nothing about a log ({error}): take off, error, warn, info, debug or trace, or parts with levels as in \
             `warn,dataplane=debug`."
        ))
    })
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn a_filter_is_a_level_or_parts_with_levels() {
        assert!(filter("info").expect("a level").would_enable("dataplane", &Level::INFO));
        let parts = filter("warn,dataplane=debug").expect("parts");
        assert!(parts.would_enable("dataplane::features", &Level::DEBUG) && !parts.would_enable("headway", &Level::INFO));
        assert!(filter("dataplane=loud").expect_err("no level").message.contains("warn,dataplane=debug"));
    }
}
