//! Absences: which event has to come, when, and by which local time.

use domain::Span;

use super::derived::{longest, shift_coordinates};
use super::stream::check_topic;
use super::{Sources, field_place};
use crate::document::Path;
use crate::local::{time_of_day, time_zone};
use crate::quantities::{self, show_span};
use crate::raw::{ClockText, RawAbsence, RawZone};
use crate::report::Report;
use crate::resolve::expressions::optional_condition;
use crate::resolve::fields::phrase;
use crate::resolved::{Absence, AbsenceRule, Field, FieldKind, LocalTime, Source, SourceKind, Zone};
use crate::sql::Scope;

/// The field that an absence adds.
const SINCE: &str = "since";
/// The days over which active hours may be added up: a month, so that the walk over them is short.
const ACTIVE_DAYS_MAX: i64 = 31;
const MINUTES_OF_DAY: i64 = 1_440;
const MINUTE_MS: i64 = 60_000;
/// Keys of an absence when a spec does not say, as for groups.
const ENTITIES_DEFAULT: u64 = 100_000;
/// Where days begin when a spec does not say.
const MIDNIGHT: LocalTime = LocalTime { minute: 0 };

/// Reads an absence.
pub(super) fn absence(
    name: &str,
    raw: &RawAbsence,
    path: &Path,
    sources: &mut Sources,
    report: &mut Report<'_>,
) -> Option<(Source, Vec<String>)> {
    let rule = rule(raw, path, report);
    check_topic(raw.topic.as_deref(), path, report);
    let from = sources.base(raw.from.as_ref()?, &path.key("from"), report)?;
    let (base, scope) = (sources.get(from), sources.scope(from));
    let filter = optional_condition(&path.key("where"), raw.filter.as_ref(), scope, report);
    let zone = zone(raw.zone.as_ref(), base, scope, path, report);
    let key = raw.key.as_ref().and_then(|key| field_place(base, scope, key, &path.key("key"), report));
    check_key(base, key, path, report);
    let mut fields = base.fields.clone();
    if fields.iter().any(|field| field.name == SINCE) {
        let message = format!("`{}` has a field `{SINCE}` already, which is what an absence adds", base.name);
        report.value(path, "duplicate_name", message).suggest("rename that field");
        return None;
    }
    let since = fields.partition_point(|field| field.name.as_str() < SINCE);
    fields.insert(since, Field { name: SINCE.into(), kind: FieldKind::Time, required: true });
    shift_coordinates(&mut fields, since);
    let entities_max = raw.entities.unwrap_or(ENTITIES_DEFAULT);
    let absence =
        Absence { from, key: key.unwrap_or_default(), filter, rule: rule?, zone, entities_max, topic: raw.topic.clone(), since };
    let kind = SourceKind::Absence(absence);
    let source = Source { name: name.into(), kind, fields, silent_after: base.silent_after };
    Some((source, scope.broken.clone()))
}

fn rule(raw: &RawAbsence, path: &Path, report: &mut Report<'_>) -> Option<AbsenceRule> {
    let longest_span = longest(&raw.longest, path, report);
    match (report.is_written(&path.key("within")), report.is_written(&path.key("by"))) {
        (true, false) => {
            misplaced("begin", "by", path, report);
            let within = path.key("within");
            let span = report.take(&within, "bad_span", quantities::span(&raw.within.as_ref()?.0))?;
            if span == Span(0) {
                let help = "write how long an event may take to come, such as \"30m\"";
                report.value(&within, "out_of_range", "`within` has to be longer than nothing").suggest(help);
            }
            let active = active(raw.active.as_ref(), span, path, report);
            Some(AbsenceRule::Within { span, active, longest: longest_span })
        }
        (false, true) => {
            misplaced("active", "within", path, report);
            report.missing(path, "longest", "how long after the last event of a key its absence is still news");
            let mut time = |key: &str, text: &Option<ClockText>| {
                text.as_ref().and_then(|text| report.take(&path.key(key), "bad_time", time_of_day(&text.0)))
            };
            let (deadline, begin) = (time("by", &raw.by), time("begin", &raw.begin));
            Some(AbsenceRule::By { begin: begin.unwrap_or(MIDNIGHT), deadline: deadline?, longest: longest_span? })
        }
        (false, false) => {
            let message = "`within` or `by` is missing: when an event has to be there";
            report.value(path, "missing_key", message).suggest("write within = \"30m\", or by = \"10:00\" and longest = \"7d\"");
            None
        }
        (true, true) => {
            let message = "an absence has only one of `within` and `by`";
            report.value(path, "misplaced_key", message).suggest("declare two sources");
            None
        }
    }
}

fn misplaced(key: &str, other: &str, path: &Path, report: &mut Report<'_>) {
    if report.document().contains(&path.key(key)) {
        let message = format!("`{key}` belongs to an absence with `{other}`");
        report.key(&path.key(key), "misplaced_key", message).suggest("remove it");
    }
}

fn active(raw: Option<&[ClockText; 2]>, span: Span, path: &Path, report: &mut Report<'_>) -> Option<[LocalTime; 2]> {
    let path_of = |place: usize| path.key("active").index(place);
    let [from, to] = raw?;
    let from = report.take(&path_of(0), "bad_time", time_of_day(&from.0));
    let to = report.take(&path_of(1), "bad_time", time_of_day(&to.0));
    let (from, to) = (from?, to?);
    let minutes = (i64::from(to.minute) - i64::from(from.minute)).rem_euclid(MINUTES_OF_DAY);
    if minutes == 0 {
        let help = "leave `active` out when the whole day counts";
        report.value(&path.key("active"), "out_of_range", "these hours begin and end at once").suggest(help);
        return None;
    }
    let most = Span(minutes * MINUTE_MS * ACTIVE_DAYS_MAX);
    if span > most {
        let message = format!("`within` is {}, more than the active hours of {ACTIVE_DAYS_MAX} days", show_span(span));
        let help = format!("write at most \"{}\", or widen `active`", show_span(most));
        report.value(&path.key("within"), "out_of_range", message).suggest(help);
    }
    Some([from, to])
}

fn zone(raw: Option<&RawZone>, base: &Source, scope: &Scope, path: &Path, report: &mut Report<'_>) -> Zone {
    let path = path.key("zone");
    let utc = Zone::Named("UTC".into());
    match raw {
        None => utc,
        Some(RawZone::Name(name)) => {
            if time_zone(name).is_none() {
                let help = "write an IANA name such as \"Europe/Vienna\", or an offset such as \"+05:30\"";
                report.value(&path, "unknown_zone", format!("there is no time zone `{name}`")).suggest(help);
            }
            Zone::Named(name.clone())
        }
        Some(RawZone::Field(raw)) => {
            let path = path.key("field");
            let place = raw.field.as_ref().and_then(|name| field_place(base, scope, name, &path, report));
            if let Some(field) = place.map(|place| &base.fields[place]).filter(|field| field.kind != FieldKind::Text) {
                let message = format!("a zone is named by a string; `{}` is {}", field.name, phrase(&field.kind));
                let help = format!("declare {} = \"string\", or choose another field", field.name);
                report.value(&path, "wrong_type", message).suggest(help);
            }
            place.map_or(utc, Zone::Field)
        }
    }
}

/// Whether something is missing can only be said where all that could have come comes.
fn check_key(base: &Source, key: Option<usize>, path: &Path, report: &mut Report<'_>) {
    let SourceKind::Stream(stream) = &base.kind else { return };
    if let Some(key) = key.filter(|key| *key != stream.key) {
        let (written, topic) = (&base.fields[key].name, &base.fields[stream.key].name);
        let message = format!("events of one `{written}` lie in several partitions: the topic's key is `{topic}`");
        let help = format!("write key = \"{topic}\", or read a topic that is partitioned by `{written}`");
        report.value(&path.key("key"), "not_the_topics_key", message).suggest(help);
    }
}
