//! What an audit says, as data and as a page.

use std::{collections::BTreeMap, fmt};

use dataplane::features::Plan;
use domain::{Span, Timestamp};
use serde::Serialize;

use super::{AGE_MAX, letters::Letters};
use crate::movement::ColumnMovement;

/// Columns of the page: the ones that moved most.
const COLUMNS_SHOWN: usize = 20;
/// Upper bounds of the buckets, by how much the lateness was missed.
const BUCKETS: [(&str, Span); 4] =
    [("<1m", Span(60_000)), ("<10m", Span(600_000)), ("<1h", Span(3_600_000)), ("<6h", Span(6 * 3_600_000))];
const MORE: &str = "more";

/// What the late events of a period would have changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LateReport {
    /// When the first letters were written.
    pub since: String,
    /// And the last ones.
    pub until: String,
    /// Different records that came too late.
    pub late: u64,
    /// Different events among those that were looked up, by how much they missed the lateness, in order.
    pub by_lateness: Vec<Lateness>,
    /// Those that are older than what was admitted here.
    pub too_old: u64,
    /// Records that retention has taken since.
    pub gone: u64,
    /// Records that were only counted, being too many.
    pub not_looked_up: u64,
    /// Letters that do not fit this pipeline.
    pub strange: u64,
    /// Parts of events that found no place, by reason.
    pub dropped: BTreeMap<String, u64>,
    /// Entities that late events are about, by group.
    pub entities: BTreeMap<String, u64>,
    /// How the values of these entities would have moved, at every full hour and at the end.
    pub columns: Vec<ColumnMovement>,
}

/// How many events missed the lateness by so much.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lateness {
    /// Such as `<10m`.
    pub by: &'static str,
    /// How many.
    pub events: u64,
}

impl LateReport {
    pub(super) fn new(plan: &Plan, letters: &Letters, columns: Vec<ColumnMovement>, since: Timestamp, until: Timestamp) -> Self {
        let mut by_lateness: Vec<Lateness> =
            BUCKETS.iter().map(|(by, _)| *by).chain([MORE]).map(|by| Lateness { by, events: 0 }).collect();
        for late in letters.late.values() {
            let bucket = BUCKETS.iter().position(|(_, below)| late.beyond < *below).unwrap_or(BUCKETS.len());
            by_lateness[bucket].events += 1;
        }
        let mut entities = BTreeMap::new();
        for (group, _) in &letters.touched {
            *entities.entry(plan.pipeline.groups[*group].name.clone()).or_default() += 1;
        }
        Self {
            since: since.to_string(),
            until: until.to_string(),
            late: letters.count,
            by_lateness,
            too_old: letters.late.values().filter(|late| late.age > AGE_MAX).count() as u64,
            gone: letters.gone,
            not_looked_up: letters.not_looked_up,
            strange: letters.strange,
            dropped: letters.dropped.clone(),
            entities,
            columns,
        }
    }
}

impl fmt::Display for LateReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{} events came too late from {} until {}", self.late, self.since, self.until)?;
        let buckets: Vec<String> = self.by_lateness.iter().map(|bucket| format!("{} {}", bucket.by, bucket.events)).collect();
        writeln!(out, "by how much they missed: {}", buckets.join("  "))?;
        let counted = [
            (self.too_old, format!("are older than {AGE_MAX} and were not tried")),
            (self.gone, "are gone from their topic".to_owned()),
            (self.not_looked_up, "were only counted, being too many".to_owned()),
            (self.strange, "have letters that do not fit this pipeline".to_owned()),
        ];
        for (count, what) in counted.iter().filter(|(count, _)| *count > 0) {
            writeln!(out, "  {count} {what}")?;
        }
        for (reason, count) in &self.dropped {
            writeln!(out, "  {count} parts of other events found no place: {reason}")?;
        }
        let entities: Vec<String> = self.entities.iter().map(|(group, count)| format!("{group} {count}")).collect();
        writeln!(
            out,
            "entities that they are about: {}\n",
            if entities.is_empty() { "none".into() } else { entities.join("  ") }
        )?;
        write!(out, "{}", crate::movement::page(&self.columns, COLUMNS_SHOWN))
    }
}
