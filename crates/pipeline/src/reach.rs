//! How far back the log has to go for a value to be whole, with the arithmetic in words.

use domain::{Span, Timestamp};

use crate::resolved::{Group, Pipeline, SourceKind};

/// How far before an instant a record may have been appended that its values are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// The span.
    pub back: Span,
    /// How much further a replay begins: a copy is known by its first occurrence in the same dedup slice or the one before,
    /// whatever time that one carried.
    pub dedup: Span,
    /// Such as `window 6h + hop 1m + lateness 10m`.
    pub words: String,
    /// Whether a window asks for it, and not only how long values are kept.
    pub by_window: bool,
}

impl Reach {
    /// How far back a replay begins that has to decide as the first run did.
    pub fn replay(&self) -> Span {
        Span(self.back.0.saturating_add(self.dedup.0))
    }

    /// When the windows are full again, if the log begins at an instant.
    pub fn whole_at(&self, begins: Timestamp) -> Timestamp {
        begins.plus(self.back)
    }
}

/// The reach of a group's windows, or of this one; of a group without windows by how long its values are kept. None for a
/// file, which is always there as a whole.
pub fn reach(pipeline: &Pipeline, group: &Group, window: Option<Span>) -> Option<Reach> {
    let source = &pipeline.sources[group.source];
    let base = &pipeline.sources[pipeline.base_of(group.source)?];
    let SourceKind::Stream(stream) = &base.kind else { return None };
    let widest = window.unwrap_or_else(|| group.widest());
    let mut parts: Vec<(&str, Span)> = Vec::new();
    match &source.kind {
        SourceKind::Table(table) => parts.push(("longest row", table.longest)),
        _ if widest == Span(0) => parts.push(("keep", group.keep)),
        _ => parts.extend([("window", widest), ("hop", group.hop)]),
    }
    if let SourceKind::Pair(pair) = &source.kind {
        parts.push(("longest duration", pair.longest));
    }
    if let SourceKind::Absence(absence) = &source.kind {
        let longest = absence.rule.longest();
        parts.push(("longest absence", longest));
    }
    parts.extend([("lateness", stream.lateness), ("skew", stream.skew)]);
    let words: Vec<String> = parts.iter().map(|(name, span)| format!("{name} {span}")).collect();
    let back = Span(parts.iter().fold(0i64, |sum, (_, span)| sum.saturating_add(span.0)));
    let dedup = Span(stream.dedup.0.saturating_mul(2));
    Some(Reach { back, dedup, words: words.join(" + "), by_window: widest > Span(0) })
}
