//! Stages and ends: the events that move a case. All events of one case have to lie in one partition, since that is where it is followed.

use std::collections::BTreeSet;

use crate::document::Path;
use crate::raw::{RawCase, RawMove};
use crate::report::Report;
use crate::resolve::check_name;
use crate::resolve::expressions::optional_condition;
use crate::resolve::sources::{Sources, field_place};
use crate::resolved::{Move, SourceKind};

/// More stages and ends than this are no way that anybody follows.
const MOVES_MAX: usize = 32;

/// The stages and ends that could be read.
#[derive(Default)]
pub(super) struct Moves {
    pub(super) stages: Vec<Move>,
    pub(super) ends: Vec<Move>,
    /// All stages by name, those at fault as well.
    pub(super) stage_names: Vec<String>,
    /// Sources that a stage or an end names.
    pub(super) used: BTreeSet<String>,
    /// Whether all could be read: else nobody is blamed for what may be missing.
    pub(super) whole: bool,
    /// The name of the first move's key.
    key: Option<String>,
}

impl Moves {
    /// Reads all stages and ends.
    pub(super) fn read(raw: &RawCase, path: &Path, sources: &Sources, report: &mut Report<'_>) -> Self {
        let (stages, ends) = (path.key("stages"), path.key("ends"));
        let stage_names = report.document().keys(&stages);
        let end_names = report.document().keys(&ends);
        let mut moves = Self { whole: true, stage_names, ..Self::default() };
        if moves.stage_names.len() < 2 && report.document().contains(&stages) {
            let message = "a case needs at least two stages: the first opens it, and when the last comes is predicted";
            report
                .key(&stages, "missing_key", message)
                .suggest("add delivered = { source = \"…\", where = \"…\" }, for instance");
        }
        let count = moves.stage_names.len() + end_names.len();
        if count > MOVES_MAX {
            let message = format!("{count} stages and ends are declared; {MOVES_MAX} are allowed");
            report.key(&stages, "out_of_range", message).suggest("leave out those that no prediction needs");
        }
        for name in moves.stage_names.clone() {
            let read = moves.one(&name, raw.stages.get(&name), &stages.key(&name), sources, report);
            moves.stages.extend(read);
        }
        for name in end_names {
            if moves.stage_names.contains(&name) {
                let message = format!("`{name}` is a stage and an end");
                report.key(&ends.key(&name), "duplicate_name", message).suggest("rename one of the two");
            }
            let read = moves.one(&name, raw.ends.get(&name), &ends.key(&name), sources, report);
            moves.ends.extend(read);
        }
        moves
    }

    /// The streams that move the case, each once.
    pub(super) fn streams(&self) -> BTreeSet<usize> {
        self.stages.iter().chain(&self.ends).map(|moved| moved.source).collect()
    }

    fn one(
        &mut self,
        name: &str,
        raw: Option<&RawMove>,
        path: &Path,
        sources: &Sources,
        report: &mut Report<'_>,
    ) -> Option<Move> {
        check_name(path, name, report);
        let read = raw.and_then(|raw| self.read_one(name, raw, path, sources, report));
        self.whole &= read.is_some();
        read
    }

    fn read_one(&mut self, name: &str, raw: &RawMove, path: &Path, sources: &Sources, report: &mut Report<'_>) -> Option<Move> {
        let written = raw.source.as_ref()?;
        self.used.extend([Some(written.clone()), sources.meant(written)].into_iter().flatten());
        let place = sources.find(written, &path.key("source"), report)?;
        let (source, scope) = (sources.get(place), sources.scope(place));
        let SourceKind::Stream(stream) = &source.kind else {
            let message = format!("`{written}` is no stream, and only events move a case");
            report.value(&path.key("source"), "not_a_stream", message).suggest("name the stream with the events themselves");
            return None;
        };
        let filter = optional_condition(&path.key("where"), raw.filter.as_ref(), scope, report);
        let topics = source.fields[stream.key].name.as_str();
        let key = match &raw.key {
            Some(key) => field_place(source, scope, key, &path.key("key"), report)?,
            None => stream.key,
        };
        if key != stream.key {
            let key = &source.fields[key].name;
            let message = format!("events of one `{key}` lie in several partitions: the key of `{written}` is `{topics}`");
            let help = format!("a case is followed in one partition: read a topic that is partitioned by `{key}`");
            report.value(&path.key("key"), "not_the_topics_key", message).suggest(help);
        } else if let Some(first) = self.key.as_deref().filter(|first| *first != topics && raw.key.is_none()) {
            let message = format!("the key of `{written}` is `{topics}`, and that of the case is `{first}`");
            let help = format!(
                "read a topic that is partitioned by `{first}`, or write key = \"{topics}\" if it is another name for the same thing"
            );
            report.value(&path.key("source"), "not_the_topics_key", message).suggest(help);
        }
        self.key.get_or_insert_with(|| topics.to_owned());
        Some(Move { name: name.into(), source: place, filter, key })
    }
}
