//! What the next start of a partition would do, told from what it has committed. Reads and changes nothing.

use domain::Timestamp;
use ports::Assignment;

use super::{Note, Plan, snapshots::Snapshots};

/// The next start of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    /// Which one.
    pub partition: u32,
    /// The names of the artifacts that its state begins with; none when it begins with the log alone.
    pub pieces: Vec<String>,
    /// Records that are taken again, silently, before new ones are.
    pub replays: u64,
    /// The clock that its engine had reached.
    pub clock: Timestamp,
}

impl Restart {
    /// Of a partition that has committed this. What is wrong with its note otherwise.
    pub fn of(plan: &Plan, assignment: &Assignment) -> Result<Self, &'static str> {
        let note = if assignment.note.is_empty() { Note::default() } else { Note::decode(&assignment.note)? };
        let prefix = Snapshots::prefix(plan, assignment.partition);
        let pieces =
            note.snapshots.iter().flat_map(|stored| (0..stored.parts).map(|part| Snapshots::name(&prefix, stored, part)));
        let reads = plan.reads();
        let replays = reads.iter().enumerate().map(|(place, topic)| {
            let committed = assignment.next(topic).unwrap_or(0);
            committed.saturating_sub(note.positions.get(place).copied().unwrap_or(0))
        });
        Ok(Self { partition: assignment.partition, pieces: pieces.collect(), replays: replays.sum(), clock: note.clock })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use ports::Position;

    use super::*;
    use crate::Topics;

    fn plan() -> Plan {
        let pipeline = testkit::pipelines::minimal();
        let topics = Topics::new(&pipeline);
        Plan { pipeline: Arc::new(pipeline), generation: 3, partitions: 2, topics, files: Vec::new(), quiet_until: None }
    }

    fn check(note: &str, pieces: &[&str], replays: u64) {
        let plan = plan();
        let positions = plan.reads().into_iter().map(|topic| Position { topic, next: 100 }).collect();
        let assignment = Assignment { partition: 1, positions, note: Bytes::from(note.to_owned()) };
        let restart = Restart::of(&plan, &assignment).expect("a note");
        let prefix = format!("state/{}/3/0001/", plan.pipeline.id);
        assert_eq!(restart.pieces, pieces.iter().map(|piece| format!("{prefix}{piece}")).collect::<Vec<_>>());
        assert_eq!(restart.replays, replays);
    }

    #[test]
    fn a_restart_begins_with_the_snapshots_of_the_note() {
        check("", &[], 200);
        check("1 5 90,100 ", &[], 10);
        check("1 5 100,60 7.255.2", &["000000000007.00000000000000ff/00000", "000000000007.00000000000000ff/00001"], 40);
    }

    #[test]
    fn a_note_of_nobody_is_a_fault() {
        let assignment = Assignment { partition: 0, positions: Vec::new(), note: Bytes::from_static(b"?") };
        assert_eq!(Restart::of(&plan(), &assignment), Err("its version is not 1"));
    }
}
