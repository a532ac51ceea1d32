//! Local time: the zone of a case, and its holidays.

use std::collections::BTreeSet;

use crate::document::Path;
use crate::local::{HOLIDAYS_MAX, day, time_zone};
use crate::raw::RawCase;
use crate::report::Report;

/// The zone when a spec does not say.
const UTC: &str = "UTC";

/// The zone and the holidays.
pub(super) fn local(raw: &RawCase, path: &Path, report: &mut Report<'_>) -> (String, Vec<String>) {
    let zone = raw.zone.clone().unwrap_or_else(|| UTC.into());
    if time_zone(&zone).is_none() {
        let help = "write an IANA name such as \"Europe/Vienna\", or an offset such as \"+05:30\"";
        report.value(&path.key("zone"), "unknown_zone", format!("there is no time zone `{zone}`")).suggest(help);
    }
    let path = path.key("holidays");
    if raw.holidays.len() > HOLIDAYS_MAX {
        let message = format!("{} holidays are declared; {HOLIDAYS_MAX} are allowed", raw.holidays.len());
        report.value(&path, "out_of_range", message).suggest("leave out those that have passed");
    }
    let mut known = BTreeSet::new();
    for (place, text) in raw.holidays.iter().enumerate() {
        let path = path.index(place);
        if day(text).is_none() {
            let help = "write year, month and day, such as \"2026-12-25\"";
            report.value(&path, "bad_time", format!("`{text}` is no day")).suggest(help);
        } else if !known.insert(text) {
            report.value(&path, "duplicate_name", format!("{text} is listed twice")).suggest("remove one of the two");
        }
    }
    (zone, raw.holidays.clone())
}
