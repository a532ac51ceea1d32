//! Faults of a spec: what is wrong, where, and what to do next. Also draws them for a terminal.
//!
//! Knows nothing of TOML or SQL: whoever finds a fault hands over a place in the text.

use std::fmt;
use std::ops::Range;

use serde::Serialize;

/// More faults than this are not worth reading; the rest shows up once these are mended.
const FAULTS_MAX: usize = 200;
/// More faults than this are not even collected, since finding the place of each takes a walk through the text. Some more than
/// are shown, because the stages find them out of order.
pub(crate) const COLLECTED_MAX: usize = 1_000;

/// One thing that is wrong with a spec.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Machine-readable kind, such as `unknown_field`.
    pub code: &'static str,
    /// Place in the spec, such as `group.store.features.prep_mean.windows[1]`; empty for the whole file.
    pub path: String,
    /// Line of the file, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Number of characters that are meant, at least 1.
    pub width: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub suggestion: Option<String>,
}

impl Fault {
    /// Makes a fault that points at a byte range of the text.
    pub(crate) fn new(text: &str, span: Range<usize>, code: &'static str, path: String, message: String) -> Self {
        let start = floor_boundary(text, span.start);
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let meant = &text[start..floor_boundary(text, span.end).max(start)];
        let width = meant.lines().next().map_or(0, |first| first.chars().count()).max(1);
        let line = before.matches('\n').count() + 1;
        let column = text[line_start..start].chars().count() + 1;
        Self { code, path, line, column, width, message, suggestion: None }
    }

    /// Adds what to do about it.
    pub(crate) fn suggest(&mut self, suggestion: impl Into<String>) {
        self.suggestion = Some(suggestion.into());
    }

    /// Adds what to do about it, if anything is known.
    pub(crate) fn suggest_maybe(&mut self, suggestion: Option<String>) {
        if suggestion.is_some() {
            self.suggestion = suggestion;
        }
    }
}

/// All faults of one spec, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults {
    /// The file, as it is shown to people.
    file: String,
    text: String,
    faults: Vec<Fault>,
}

impl Faults {
    /// Sorts the faults by place and drops repetitions.
    pub(crate) fn new(file: &str, text: &str, mut faults: Vec<Fault>) -> Self {
        faults.sort_by(|a, b| (a.line, a.column, a.code).cmp(&(b.line, b.column, b.code)));
        faults.dedup();
        faults.truncate(FAULTS_MAX);
        Self { file: file.into(), text: text.into(), faults }
    }

    /// The faults, in the order of the file; never empty.
    pub fn all(&self) -> &[Fault] {
        &self.faults
    }

    /// The file that has the faults, as it is shown to people.
    pub fn file(&self) -> &str {
        &self.file
    }

    fn draw(&self, fault: &Fault, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "error[{}]: {}", fault.code, fault.message)?;
        let gutter = " ".repeat(fault.line.to_string().len());
        writeln!(out, "{gutter}--> {}:{}:{}", self.file, fault.line, fault.column)?;
        if let Some(line) = self.text.lines().nth(fault.line - 1) {
            let indent: String =
                line.chars().take(fault.column - 1).map(|character| if character == '\t' { '\t' } else { ' ' }).collect();
            writeln!(out, "{gutter} |")?;
            writeln!(out, "{} | {line}", fault.line)?;
            writeln!(out, "{gutter} | {indent}{}", "^".repeat(fault.width))?;
        }
        if let Some(suggestion) = &fault.suggestion {
            writeln!(out, "{gutter} = help: {suggestion}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            self.draw(fault, out)?;
            writeln!(out)?;
        }
        let count = self.faults.len();
        write!(out, "{}: {count} {}", self.file, if count == 1 { "fault" } else { "faults" })
    }
}

impl std::error::Error for Faults {}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
