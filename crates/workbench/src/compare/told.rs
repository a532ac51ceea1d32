//! What a comparison says, as data and as a page.

use std::fmt;

use serde::Serialize;

use crate::movement::{ColumnMovement, page};

/// Columns of the page: the ones that move most.
const COLUMNS_SHOWN: usize = 20;

/// What a change of the spec does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Movement {
    /// The end of the hours that were compared.
    pub at: String,
    /// How many hours.
    pub hours: u32,
    /// Columns of changed groups that both sides have: their values at every full hour and at the end.
    pub columns: Vec<ColumnMovement>,
    /// Entities that only one side knows, for each changed group.
    pub presence: Vec<Presence>,
    /// What the vectors of each changed group take.
    pub costs: Vec<GroupCost>,
    /// What the engines may take.
    pub engine: Engines,
    /// Records that a rebuild reads.
    pub records_to_read: u64,
    /// Groups that the log can only give in part.
    pub shortfalls: Vec<Shortfall>,
}

/// Entities that only one side knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Presence {
    /// The group.
    pub group: String,
    /// Known after and not before.
    pub appear: u64,
    /// Known before and not after.
    pub vanish: u64,
}

/// What becomes of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Moving {
    /// It is new.
    Added,
    /// It means something else.
    Rebuilt,
    /// It is not wanted any more.
    Removed,
}

/// What the vectors of a group take in the online store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GroupCost {
    /// The group.
    pub group: String,
    /// What becomes of it.
    pub fate: Moving,
    /// Live entities at the end, under the old definition.
    pub entities_before: u64,
    /// Under the new one.
    pub entities_after: u64,
    /// Packed bytes of one vector, 0 where there is none.
    pub vector_bytes_before: u64,
    /// See `vector_bytes_before`.
    pub vector_bytes_after: u64,
    /// Of all of them.
    pub total_bytes_before: u64,
    /// See `total_bytes_before`.
    pub total_bytes_after: u64,
}

/// What engines may take at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Engines {
    /// By the old spec.
    pub bytes_before: u64,
    /// By the new one.
    pub bytes_after: u64,
    /// How the new one was worked out, line by line.
    pub arithmetic: String,
}

/// A group of which the log does not have everything any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shortfall {
    /// The group.
    pub group: String,
    /// Whether it can never be whole, so that nobody may run it.
    pub refused: bool,
    /// When its windows are full; none when that is never.
    pub whole_at: Option<String>,
    /// How that was worked out, and what the log has.
    pub arithmetic: String,
}

impl fmt::Display for Movement {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.costs.is_empty() {
            return write!(out, "no group changes");
        }
        for GroupCost { group, fate, entities_before, entities_after, total_bytes_before, total_bytes_after, .. } in &self.costs {
            let fate = match fate {
                Moving::Added => "added",
                Moving::Rebuilt => "rebuilt",
                Moving::Removed => "removed",
            };
            let bytes = format!("{total_bytes_before} -> {total_bytes_after} B of vectors");
            writeln!(out, "{fate:<8} {group:<28} {entities_before} -> {entities_after} entities, {bytes}")?;
        }
        for Presence { group, appear, vanish } in self.presence.iter().filter(|group| group.appear + group.vanish > 0) {
            writeln!(out, "in {group} {appear} entities appear and {vanish} vanish")?;
        }
        for Shortfall { group, whole_at, arithmetic, .. } in &self.shortfalls {
            match whole_at {
                None => writeln!(out, "{group} REFUSED, it can never be built in full: {arithmetic}")?,
                Some(at) => writeln!(out, "{group} is not complete before {at}: {arithmetic}")?,
            }
        }
        let Engines { bytes_before, bytes_after, .. } = self.engine;
        writeln!(out, "engine at most {bytes_before} -> {bytes_after} B; {} records to be read\n", self.records_to_read)?;
        write!(out, "over the {} hours before {}: {}", self.hours, self.at, page(&self.columns, COLUMNS_SHOWN))
    }
}
