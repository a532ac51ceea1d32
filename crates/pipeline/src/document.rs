//! The TOML of a spec with the place of every key and value, looked up by path.
//!
//! Says where things stand and in which order they were written; what they mean is for others.

use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::fault::{COLLECTED_MAX, Fault};
use crate::literal::source_offsets;

/// What the TOML parser says of a key that is written twice.
const DUPLICATE: &str = "duplicate key";

/// A way from the root of a spec to one of its values.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path(Vec<Segment>);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Key(String),
    Index(usize),
}

impl Path {
    /// The way to a key of the table at this path.
    pub(crate) fn key(&self, key: &str) -> Self {
        let mut segments = self.0.clone();
        segments.push(Segment::Key(key.into()));
        Self(segments)
    }

    /// The way to an element of the list at this path.
    pub(crate) fn index(&self, index: usize) -> Self {
        let mut segments = self.0.clone();
        segments.push(Segment::Index(index));
        Self(segments)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if place == 0 => write!(out, "{key}")?,
                Segment::Key(key) => write!(out, ".{key}")?,
                Segment::Index(index) => write!(out, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A spec as it was written.
pub(crate) struct Document<'a> {
    text: &'a str,
    root: Spanned<DeValue<'a>>,
}

impl<'a> Document<'a> {
    /// Reads TOML. A key that is written twice is a fault beside the document, since the rest can still be checked; after
    /// any other mistake there is no document, since what follows would be guesswork.
    pub(crate) fn read(text: &'a str) -> (Option<Self>, Vec<Fault>) {
        let (table, errors) = DeTable::parse_recoverable(text);
        let readable = errors.iter().all(|error| error.message() == DUPLICATE);
        let faults = errors.iter().take(COLLECTED_MAX).map(|error| {
            let twice = error.message() == DUPLICATE;
            let span = error.span().unwrap_or(0..0);
            let code = if twice { "duplicate_key" } else { "syntax" };
            let message = if twice {
                format!("`{}` is written twice", text.get(span.clone()).unwrap_or_default())
            } else {
                error.message().into()
            };
            let mut fault = Fault::new(text, span, code, String::new(), message);
            fault.suggest(if twice { "remove or rename one of the two" } else { "correct the TOML here; texts are quoted" });
            fault
        });
        let faults = faults.collect();
        let root = Spanned::new(0..0, DeValue::Table(table.into_inner()));
        (readable.then_some(Self { text, root }), faults)
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// The value of the whole document, a table.
    pub(crate) fn root(&self) -> &Spanned<DeValue<'a>> {
        &self.root
    }

    /// Whether something is written at the path.
    pub(crate) fn contains(&self, path: &Path) -> bool {
        self.place(&path.0).is_some()
    }

    /// The place to show for a path: a value, the name of a table, or the nearest thing around it that is written.
    pub(crate) fn span(&self, path: &Path) -> Range<usize> {
        (0..=path.0.len()).rev().find_map(|length| self.place(&path.0[..length])).map_or(0..0, |(key, value)| {
            match value.get_ref() {
                DeValue::Table(_) => key.unwrap_or_else(|| value.span()),
                _ => value.span(),
            }
        })
    }

    /// The place of the last key of a path, or the nearest thing around it that is written.
    pub(crate) fn key_span(&self, path: &Path) -> Range<usize> {
        self.place(&path.0).and_then(|(key, _)| key).unwrap_or_else(|| self.span(path))
    }

    /// The place of a part of the text at a path, given as a byte range of the decoded text.
    pub(crate) fn text_span(&self, path: &Path, part: Range<usize>) -> Range<usize> {
        let whole = self.span(path);
        let Some((_, value)) = self.place(&path.0) else { return whole };
        let (DeValue::String(decoded), Some(raw)) = (value.get_ref(), self.text.get(whole.clone())) else { return whole };
        match source_offsets(raw, decoded) {
            Some(offsets) if part.end < offsets.len() => whole.start + offsets[part.start]..whole.start + offsets[part.end],
            _ => whole,
        }
    }

    /// The keys of the table at a path, in the order in which they were written.
    pub(crate) fn keys(&self, path: &Path) -> Vec<String> {
        let Some((_, value)) = self.place(&path.0) else { return Vec::new() };
        let DeValue::Table(table) = value.get_ref() else { return Vec::new() };
        let mut keys: Vec<(usize, String)> = table.iter().map(|(key, _)| (key.span().start, key.get_ref().to_string())).collect();
        keys.sort();
        keys.into_iter().map(|(_, key)| key).collect()
    }

    fn place(&self, segments: &[Segment]) -> Option<(Option<Range<usize>>, &Spanned<DeValue<'a>>)> {
        let mut key_span = None;
        let mut value = &self.root;
        for segment in segments {
            match (segment, value.get_ref()) {
                (Segment::Key(key), DeValue::Table(table)) => {
                    let (key, inner) = table.get_key_value(key.as_str())?;
                    key_span = Some(key.span());
                    value = inner;
                }
                (Segment::Index(index), DeValue::Array(array)) => {
                    key_span = None;
                    value = array.get(*index)?;
                }
                _ => return None,
            }
        }
        Some((key_span, value))
    }
}
