//! Sources: streams, files, and the pairs, tables and absences that are made from streams.

mod absence;
mod derived;
mod stream;

use std::collections::{BTreeMap, BTreeSet};

use domain::Span;

use super::check_name;
use super::expressions::field_scope;
use crate::document::Path;
use crate::raw::{RawPipeline, RawSource};
use crate::report::Report;
use crate::resolved::{Encoding, Source, SourceKind};
use crate::sql::Scope;
use crate::suggestion::{did_you_mean, nearest};

/// The sources that could be read, bases before what is made of them.
#[derive(Default)]
pub(super) struct Sources {
    resolved: Vec<Source>,
    /// What expressions over each see.
    scopes: Vec<Scope>,
    /// Every declared name; none where a fault left nothing to build on.
    places: BTreeMap<String, Option<usize>>,
    /// Streams and other sources that another source is made of.
    used: BTreeSet<String>,
}

/// Reads all sources.
pub(super) fn resolve(raw: &RawPipeline, exists: &dyn Fn(&str) -> bool, report: &mut Report<'_>) -> Sources {
    let all = Path::default().key("source");
    let mut sources = Sources::default();
    let names = report.document().keys(&all);
    let mut derived = Vec::new();
    for name in names {
        let path = all.key(&name);
        check_name(&path, &name, report);
        let Some(kind) = kind_of(&path, report) else {
            sources.places.insert(name, None);
            continue;
        };
        let Some(source) = raw.source.get(&name) else { continue };
        check_keys(&path, kind, source, report);
        match (kind, &source.pair, &source.table) {
            (Kind::Stream, ..) => {
                let read = stream::stream(&name, source, &path, report);
                sources.add(name, Some(read));
            }
            (Kind::Table, _, Some(table)) if table.file.is_some() => {
                let read = stream::file(&name, source, table, &path, exists, report);
                sources.add(name, read);
            }
            _ => {
                sources.places.insert(name.clone(), None);
                derived.push((name, source, path));
            }
        }
    }
    sources.report_two_encodings(&all, report);
    for (name, source, path) in derived {
        let read = match &source.absence {
            Some(raw) => absence::absence(&name, raw, &path.key("absence"), &mut sources, report),
            None => derived::derived(&name, source, &path, &mut sources, report),
        };
        if source.absence.as_ref().is_some_and(|absence| absence.topic.is_some()) {
            sources.used.insert(name.clone());
        }
        sources.add(name, read);
    }
    sources
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Stream,
    Pair,
    Table,
    Absence,
}

impl Sources {
    /// The source of this name; reports a name that is not declared.
    pub(super) fn find(&self, name: &str, path: &Path, report: &mut Report<'_>) -> Option<usize> {
        match self.places.get(name) {
            Some(place) => *place,
            None => {
                let help = did_you_mean(name, self.places.keys().map(String::as_str));
                report.value(path, "unknown_source", format!("there is no source `{name}`")).suggest_maybe(help);
                None
            }
        }
    }

    /// The declared source that a mistyped name was meant for.
    pub(super) fn meant(&self, name: &str) -> Option<String> {
        nearest(name, &self.places.keys().map(String::as_str).collect::<Vec<_>>()).map(str::to_owned)
    }

    /// A source that was found.
    pub(super) fn get(&self, place: usize) -> &Source {
        &self.resolved[place]
    }

    /// How far apart in time two events of a source can be that arrive at once: lateness and skew together.
    pub(super) fn reach(&self, place: usize) -> Span {
        let base = match &self.get(place).kind {
            SourceKind::Pair(pair) => pair.from,
            SourceKind::Table(table) => table.from,
            SourceKind::Absence(absence) => absence.from,
            SourceKind::Stream(_) | SourceKind::File { .. } => place,
        };
        match &self.get(base).kind {
            SourceKind::Stream(stream) => Span(stream.lateness.0.saturating_add(stream.skew.0)),
            _ => Span::default(),
        }
    }

    /// What expressions over a source that was found see.
    pub(super) fn scope(&self, place: usize) -> &Scope {
        &self.scopes[place]
    }

    /// Reports sources that nothing comes of: no group, no topic, no case, and no source made of it.
    pub(super) fn report_unused(&self, used: &BTreeSet<String>, report: &mut Report<'_>) {
        for name in self.places.keys().filter(|name| !self.used.contains(*name) && !used.contains(*name)) {
            let path = Path::default().key("source").key(name);
            report
                .key(&path, "unused_source", format!("nothing uses the source `{name}`"))
                .suggest("remove it, or make a group of it");
        }
    }

    /// Reports streams that read one topic in different ways.
    fn report_two_encodings(&self, all: &Path, report: &mut Report<'_>) {
        let mut read: BTreeMap<&str, (&str, Encoding)> = BTreeMap::new();
        for source in &self.resolved {
            let SourceKind::Stream(stream) = &source.kind else { continue };
            let (first, encoding) = *read.entry(&stream.topic).or_insert((&source.name, stream.encoding));
            if encoding != stream.encoding {
                let (topic, own, other) = (&stream.topic, stream.encoding.name(), encoding.name());
                let message = format!("`{topic}` is read as {own} here and as {other} by the source `{first}`");
                let path = all.key(&source.name);
                let shown = if report.is_written(&path.key("encoding")) { path.key("encoding") } else { path.key("topic") };
                report.value(&shown, "two_encodings", message).suggest("a topic has one encoding: declare the same in both");
            }
        }
    }

    /// The sources, every derived one after its base.
    pub(super) fn into_resolved(self) -> Vec<Source> {
        self.resolved
    }

    fn add(&mut self, name: String, read: Option<(Source, Vec<String>)>) {
        let place = read.map(|(source, broken)| {
            self.scopes.push(field_scope(&source.name, &source.fields, &broken));
            self.resolved.push(source);
            self.resolved.len() - 1
        });
        self.places.insert(name, place);
    }

    /// The stream that a derived source is made from.
    fn base(&mut self, name: &str, path: &Path, report: &mut Report<'_>) -> Option<usize> {
        self.used.insert(name.into());
        let is_derived =
            |path: &Path, report: &Report<'_>| ["pair", "table", "absence"].iter().any(|key| report.is_written(&path.key(key)));
        if self.places.contains_key(name) && is_derived(&Path::default().key("source").key(name), report) {
            let message = format!("`{name}` is no stream, and pairs, tables and absences are made from streams");
            report.value(path, "not_a_stream", message).suggest("name the stream with the events themselves");
            return None;
        }
        self.find(name, path, report)
    }
}

/// Which of the four kinds a source is; reports none and several.
fn kind_of(path: &Path, report: &mut Report<'_>) -> Option<Kind> {
    let kinds = [("topic", Kind::Stream), ("pair", Kind::Pair), ("table", Kind::Table), ("absence", Kind::Absence)];
    let written: Vec<Kind> =
        kinds.into_iter().filter(|(key, _)| report.is_written(&path.key(key))).map(|(_, kind)| kind).collect();
    match written.as_slice() {
        [only] => Some(*only),
        [] => {
            let message = "this source says neither `topic` nor `pair` nor `table` nor `absence`";
            report.value(path, "missing_key", message).suggest("write topic = \"…\" for a stream of events");
            None
        }
        _ => {
            let message = "a source has only one of `topic`, `pair`, `table` and `absence`";
            report.value(path, "misplaced_key", message).suggest("declare two sources");
            None
        }
    }
}

/// Reports keys that belong to another kind of source.
fn check_keys(path: &Path, kind: Kind, raw: &RawSource, report: &mut Report<'_>) {
    let from_file = raw.table.as_ref().is_some_and(|table| table.file.is_some());
    let own: &[&str] = match kind {
        Kind::Stream => return,
        Kind::Pair => &["pair"],
        Kind::Table if from_file => &["table", "fields"],
        Kind::Table => &["table"],
        Kind::Absence => &["absence"],
    };
    const STREAM_KEYS: [&str; 10] =
        ["encoding", "key", "time", "skew", "lateness", "silent_after", "dedup", "peak_per_second", "identity", "fields"];
    for key in
        report.document().keys(path).iter().filter(|key| STREAM_KEYS.contains(&key.as_str()) && !own.contains(&key.as_str()))
    {
        let help = if from_file { "remove it" } else { "declare it at the stream that this source is made from" };
        report.key(&path.key(key), "misplaced_key", format!("`{key}` belongs to a stream")).suggest(help);
    }
}

/// The place of a field by name; reports a name that is not declared.
pub(super) fn field_place(source: &Source, scope: &Scope, name: &str, path: &Path, report: &mut Report<'_>) -> Option<usize> {
    let place = source.fields.iter().position(|field| field.name == name);
    if place.is_none() && !scope.is_broken(name) {
        let help = did_you_mean(name, source.fields.iter().map(|field| field.name.as_str()));
        report
            .value(path, "unknown_field", format!("there is no `{name}` among the fields of `{}`", source.name))
            .suggest_maybe(help);
    }
    place
}

/// Whether a source is a stream.
fn is_stream(source: &Source) -> bool {
    matches!(source.kind, SourceKind::Stream(_))
}
