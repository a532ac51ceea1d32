//! Collects the faults of one document. Every stage writes here and goes on, so that all faults are shown at once.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::document::{Document, Path};
use crate::fault::{COLLECTED_MAX, Fault};

/// The faults so far, and the document that they point into.
pub(crate) struct Report<'a> {
    document: &'a Document<'a>,
    faults: Vec<Fault>,
    /// Paths that somebody tried to write under a mistyped name; they are not reported as missing as well.
    meant: BTreeSet<Path>,
    /// Takes what is written after too many faults.
    surplus: Fault,
}

impl<'a> Report<'a> {
    /// Starts with what reading the document brought up.
    pub(crate) fn new(document: &'a Document<'a>, faults: Vec<Fault>) -> Self {
        let surplus = Fault::new("", 0..0, "too_many", String::new(), String::new());
        Self { document, faults, meant: BTreeSet::new(), surplus }
    }

    /// The document.
    pub(crate) fn document(&self) -> &'a Document<'a> {
        self.document
    }

    /// Adds a fault of the value at a path.
    pub(crate) fn value(&mut self, path: &Path, code: &'static str, message: impl Into<String>) -> &mut Fault {
        self.add(self.document.span(path), path, code, message.into())
    }

    /// Adds a fault of the key at a path.
    pub(crate) fn key(&mut self, path: &Path, code: &'static str, message: impl Into<String>) -> &mut Fault {
        self.add(self.document.key_span(path), path, code, message.into())
    }

    /// Adds a fault of a part of the text at a path.
    pub(crate) fn part(&mut self, path: &Path, part: Range<usize>, code: &'static str, message: String) -> &mut Fault {
        self.add(self.document.text_span(path, part), path, code, message)
    }

    /// Takes the value, or reports why there is none.
    pub(crate) fn take<T>(&mut self, path: &Path, code: &'static str, result: Result<T, String>) -> Option<T> {
        result.map_err(|message| self.value(path, code, message)).ok()
    }

    /// Remembers that a mistyped key was meant for this path.
    pub(crate) fn mark_meant(&mut self, path: Path) {
        self.meant.insert(path);
    }

    /// Whether something is written at a path, be it right, wrong or mistyped.
    pub(crate) fn is_written(&self, path: &Path) -> bool {
        self.document.contains(path) || self.meant.contains(path)
    }

    /// Reports a key that has to be there, unless it was written wrongly and reported already.
    pub(crate) fn missing(&mut self, table: &Path, key: &str, why: &str) {
        if !self.is_written(&table.key(key)) {
            self.value(table, "missing_key", format!("`{key}` is missing: {why}"));
        }
    }

    /// Whether nothing was found so far.
    pub(crate) fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// The faults.
    pub(crate) fn into_faults(self) -> Vec<Fault> {
        self.faults
    }

    fn add(&mut self, span: Range<usize>, path: &Path, code: &'static str, message: String) -> &mut Fault {
        let place = self.faults.len();
        if place >= COLLECTED_MAX {
            return &mut self.surplus;
        }
        self.faults.push(Fault::new(self.document.text(), span, code, path.to_string(), message));
        &mut self.faults[place]
    }
}
