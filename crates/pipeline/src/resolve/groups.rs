//! Groups: entity, key, source, hop and policies; their features are read in `features`.

use std::collections::{BTreeMap, BTreeSet};

use domain::Span;

use super::expressions::{optional_condition, value};
use super::features::{GroupContext, features};
use super::sources::Sources;
use super::{check_name, expressions::report_all};
use crate::document::Path;
use crate::expression::{Expr, Type};
use crate::quantities::{self, show_span};
use crate::raw::{RawGroup, RawPipeline, RawWhenOutdated, SpanText};
use crate::report::Report;
use crate::resolved::{Group, WhenOutdated};
use crate::sql::{SqlFault, phrase};

/// Shorter hops make more tiles than any window needs.
const HOP_MIN: Span = Span(1_000);
/// Longer hops would make the tail of a window coarser than a day.
const HOP_MAX: Span = Span(86_400_000);
/// The hop of a group without windows, where it only paces rewrites.
const HOP_DEFAULT: Span = Span(60_000);
/// How long a vector outlives its entity's last event when a spec does not say and no window is wider.
const KEEP_DEFAULT: Span = Span(7 * 86_400_000);
/// Entities of a group when a spec does not say.
const ENTITIES_DEFAULT: u64 = 100_000;
/// A vector is read in one piece; more columns than this belong into several groups.
const COLUMNS_MAX: usize = 512;

/// The groups that could be read.
#[derive(Default)]
pub(super) struct Groups {
    pub(super) groups: Vec<Group>,
    /// Names of features at fault.
    pub(super) broken: Vec<String>,
    /// Sources that a group names.
    pub(super) used_sources: BTreeSet<String>,
    /// Where each column was declared.
    pub(super) columns: BTreeMap<String, Path>,
}

/// Reads all groups.
pub(super) fn resolve(raw: &RawPipeline, sources: &Sources, report: &mut Report<'_>) -> Groups {
    let all = Path::default().key("group");
    let mut groups = Groups::default();
    let names = report.document().keys(&all);
    if names.is_empty() && !report.is_written(&all) {
        let message = "a pipeline needs at least one group";
        report.value(&Path::default(), "missing_key", message).suggest("write [group.NAME] with entity, key, source and hop");
    }
    for name in names {
        let path = all.key(&name);
        check_name(&path, &name, report);
        let features_path = path.key("features");
        let read = raw.group.get(&name).and_then(|raw| {
            groups
                .used_sources
                .extend(raw.source.iter().flat_map(|source| [Some(source.clone()), sources.meant(source)]).flatten());
            group(&name, raw, &path, sources, &mut groups.broken, report)
        });
        let Some(group) = read else {
            groups.broken.extend(report.document().keys(&features_path));
            continue;
        };
        groups.check_columns(&group, &features_path, report);
        groups.groups.push(group);
    }
    groups
}

impl Groups {
    /// Column names are unique in the pipeline, since a transform and a model name columns without their group.
    fn check_columns(&mut self, group: &Group, features_path: &Path, report: &mut Report<'_>) {
        let columns = group.columns();
        if columns.len() > COLUMNS_MAX {
            let message = format!("this group has {} columns; {COLUMNS_MAX} are allowed", columns.len());
            report.key(features_path, "too_many_columns", message).suggest("split it into several groups");
        }
        for column in columns {
            let path = features_path.key(&group.features[column.feature].name);
            if let Some(other) = self.columns.get(&column.name) {
                let message = format!("the column `{}` is made by `{other}` already", column.name);
                report.key(&path, "duplicate_name", message).suggest("rename one of the two features");
            } else {
                self.columns.insert(column.name, path);
            }
        }
    }
}

fn group(
    name: &str,
    raw: &RawGroup,
    path: &Path,
    sources: &Sources,
    broken: &mut Vec<String>,
    report: &mut Report<'_>,
) -> Option<Group> {
    if let Some(entity) = &raw.entity {
        check_name(&path.key("entity"), entity, report);
    }
    let mut span = |key: &str, text: &Option<SpanText>| {
        text.as_ref().and_then(|text| report.take(&path.key(key), "bad_span", quantities::span(&text.0)))
    };
    let hop = span("hop", &raw.hop);
    let tolerance = span("tolerance", &raw.tolerance);
    let keep = span("keep", &raw.keep);
    let hop = check_hop(hop, raw, path, report);
    if raw.features.is_empty()
        && report.document().keys(&path.key("features")).is_empty()
        && report.is_written(&path.key("features"))
    {
        report
            .key(&path.key("features"), "missing_key", "this group has no features")
            .suggest("add one, such as orders = { count = \"*\", windows = [\"1h\"] }");
    }
    let source = sources.find(raw.source.as_ref()?, &path.key("source"), report)?;
    let scope = sources.scope(source);
    let key = raw.key.as_ref().and_then(|text| {
        let path = path.key("key");
        let checked = value(&path, text, scope, report)?;
        if !matches!(checked.kind, Type::Text | Type::Number) {
            let message = format!("a key is a text or a number, not {}", phrase(checked.kind));
            report_all(&path, vec![SqlFault::new("type_mismatch", 0..text.0.len(), message)], report);
        }
        Some(checked.expr)
    });
    let filter = optional_condition(&path.key("where"), raw.filter.as_ref(), scope, report);
    let context = GroupContext { source: sources.get(source), scope, key: key.as_ref(), hop };
    let features = features(raw, &path.key("features"), &context, broken, report);
    let mut group = Group {
        name: name.into(),
        entity: raw.entity.clone()?,
        key: key.unwrap_or(Expr::Null(Type::Text)),
        source,
        filter,
        hop: hop.unwrap_or(HOP_DEFAULT),
        tolerance: tolerance.or(hop).unwrap_or(HOP_DEFAULT),
        when_outdated: when_outdated(raw.when_outdated),
        keep: KEEP_DEFAULT,
        entities_max: raw.entities.unwrap_or(ENTITIES_DEFAULT),
        features,
    };
    group.keep = keep.unwrap_or(KEEP_DEFAULT.max(group.widest()));
    if group.keep < group.widest() {
        let (written, widest) = (show_span(group.keep), show_span(group.widest()));
        let message = format!("`keep` is {written}, shorter than the widest window, {widest}");
        report.value(&path.key("keep"), "keep_too_short", message).suggest(format!("write \"{widest}\" or more"));
    } else if group.keep < sources.reach(source) {
        let (written, reach) = (show_span(group.keep), show_span(sources.reach(source)));
        let message = format!("`keep` is {written}, shorter than the source's lateness and skew together, {reach}");
        report.value(&path.key("keep"), "keep_too_short", message).suggest(format!("write \"{reach}\" or more"));
    }
    Some(group)
}

/// The hop, if it is known. A group without windows may leave it out.
fn check_hop(hop: Option<Span>, raw: &RawGroup, path: &Path, report: &mut Report<'_>) -> Option<Span> {
    let has_windows = raw.features.values().any(|feature| feature.windows.is_some());
    if has_windows {
        report.missing(path, "hop", "the grain of the windows' tails, such as \"1m\"");
    } else if !report.is_written(&path.key("hop")) {
        return Some(HOP_DEFAULT);
    }
    let hop = hop?;
    if hop < HOP_MIN || hop > HOP_MAX {
        let message = format!("a hop of {} is out of range", show_span(hop));
        report.value(&path.key("hop"), "out_of_range", message).suggest("choose 1s to 1d; 1m suits windows below some hours");
        return None;
    }
    Some(hop)
}

fn when_outdated(raw: Option<RawWhenOutdated>) -> WhenOutdated {
    match raw {
        None | Some(RawWhenOutdated::Serve) => WhenOutdated::Serve,
        Some(RawWhenOutdated::Default) => WhenOutdated::Default,
        Some(RawWhenOutdated::LastGood) => WhenOutdated::LastGood,
        Some(RawWhenOutdated::Refuse) => WhenOutdated::Refuse,
    }
}
