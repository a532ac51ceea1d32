//! Where words go: results to standard output, progress and failures to standard error.

use std::io::{self, IsTerminal, Write};

use serde_json::Value;

use crate::{arguments::Color, failure::Failure, marker::Marker};

const RED: &str = "\x1b[1;31m";
const GREEN: &str = "\x1b[1;32m";
const PLAIN: &str = "\x1b[0m";

/// How one run talks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    json: bool,
    quiet: bool,
    color: Color,
}

impl Console {
    pub(crate) fn new(json: bool, quiet: bool, color: Color) -> Self {
        Self { json, quiet, color }
    }

    /// For a run whose arguments could not be read.
    pub(crate) fn json() -> Self {
        Self { json: true, quiet: true, color: Color::Never }
    }

    /// Prints the result: the object for programs, or the text for people.
    pub(crate) fn result(&self, object: impl FnOnce() -> Value, text: impl FnOnce() -> String) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            writeln!(out, "{}", object())?
        } else {
            writeln!(out, "{}", text().trim_end())?
        }
        out.flush()
    }

    /// Prints a text that is the result in itself; for programs it becomes the one member of an object.
    pub(crate) fn text(&self, name: &str, text: &str) -> io::Result<()> {
        self.result(|| Value::Object([(name.to_owned(), Value::from(text))].into_iter().collect()), || text.to_owned())
    }

    /// A line of a long task, for people; programs wait for the object at the end.
    pub(crate) fn line(&self, line: &str) -> io::Result<()> {
        if self.json || self.quiet {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        writeln!(out, "{line}")?;
        out.flush()
    }

    /// Says why nothing came of it.
    pub(crate) fn failure(&self, failure: &Failure) -> io::Result<()> {
        if self.json {
            return writeln!(io::stdout().lock(), "{}", failure.to_json());
        }
        let mut err = io::stderr().lock();
        if failure.message.starts_with("error") {
            return writeln!(err, "{}", self.paint_faults(&failure.message, io::stderr().is_terminal()));
        }
        writeln!(err, "{} {}", self.paint(RED, "error:", io::stderr().is_terminal()), failure.message)
    }

    /// Progress of long tasks.
    pub(crate) fn marker(&self) -> Marker {
        Marker::new(self.quiet)
    }

    /// Whether nobody wants to hear of more than the result.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether there is a person before a terminal that can show a whole page.
    pub(crate) fn has_screen(&self) -> bool {
        let can = std::env::var_os("TERM").is_some_and(|name| !name.is_empty() && name != "dumb");
        !self.json && !self.quiet && can && io::stdout().is_terminal()
    }

    /// Whether a page may have colours.
    pub(crate) fn has_colors(&self) -> bool {
        self.wants_colors(io::stdout().is_terminal())
    }

    /// A word for something that is as it should be.
    pub(crate) fn good(&self, word: &str) -> String {
        self.paint(GREEN, word, io::stdout().is_terminal())
    }

    /// A word for something that is not.
    pub(crate) fn bad(&self, word: &str) -> String {
        self.paint(RED, word, io::stdout().is_terminal())
    }

    /// Faults as they are drawn, their beginnings in red.
    pub(crate) fn faults(&self, drawn: &str) -> String {
        self.paint_faults(drawn, io::stdout().is_terminal())
    }

    fn paint_faults(&self, drawn: &str, on_terminal: bool) -> String {
        let line = |line: &str| match line.split_once(": ") {
            Some((head, rest)) if head.starts_with("error[") => format!("{}: {rest}\n", self.paint(RED, head, on_terminal)),
            _ => format!("{line}\n"),
        };
        drawn.lines().map(line).collect::<String>().trim_end().to_owned()
    }

    fn paint(&self, color: &str, word: &str, on_terminal: bool) -> String {
        if self.wants_colors(on_terminal) { format!("{color}{word}{PLAIN}") } else { word.to_owned() }
    }

    fn wants_colors(&self, on_terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => on_terminal && std::env::var_os("NO_COLOR").is_none(),
        }
    }
}
