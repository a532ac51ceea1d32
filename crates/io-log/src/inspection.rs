//! What a log holds, for a person who looks after it: topics with their bounds, what groups have committed, room on the disk, torn
//! ends. Never changes a byte of the folder, neither of one that is open nor of one that nobody holds.

use std::{fs, path::PathBuf};

use domain::Timestamp;
use ports::{Assignment, Bounds, TopicSpec};

use crate::{
    Error, Settings, Torn, folder,
    index::Index,
    recovery,
    state::{Committed, State},
};

/// A log at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// In the order in which they were created.
    pub topics: Vec<TopicInspection>,
    /// What each group has committed for each partition, by name of the group.
    pub committed: Vec<(String, Assignment)>,
    /// Bytes of all files of the folder.
    pub bytes: u64,
    /// The unfinished end that the next start will put aside.
    pub torn: Option<Torn>,
    /// Unfinished ends that earlier starts have put aside.
    pub put_aside: Vec<PathBuf>,
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicInspection {
    /// As it was created.
    pub spec: TopicSpec,
    /// In order.
    pub partitions: Vec<PartitionInspection>,
}

/// One partition of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionInspection {
    /// Which records it holds.
    pub bounds: Bounds,
    /// Of its records.
    pub bytes: u64,
    /// When the oldest ones were appended; none when it is empty.
    pub oldest_at: Option<Timestamp>,
    /// When the newest one was appended; none when there never was any.
    pub newest_at: Option<Timestamp>,
}

/// Looks at a log that no process has open, and keeps others from opening it meanwhile. None when there is none.
pub fn inspect(settings: &Settings) -> Result<Option<Inspection>, ports::Error> {
    Ok(looked_at(settings)?)
}

fn looked_at(settings: &Settings) -> Result<Option<Inspection>, Error> {
    let Some(_still) = folder::keep_still(&settings.path)? else { return Ok(None) };
    let index = Index::look(&settings.path)?;
    let read = recovery::read(settings, &index)?;
    let torn = read.torn.map(|(torn, _)| torn);
    Ok(Some(Inspection { torn, ..of(&read.state, &index, settings)? }))
}

/// Of a state that is in memory.
pub(crate) fn of(state: &State, index: &Index, settings: &Settings) -> Result<Inspection, Error> {
    let mut topics = Vec::new();
    for (id, topic) in (0..).zip(&state.topics) {
        let mut partitions = Vec::new();
        for (number, partition) in (0..).zip(&topic.partitions) {
            let bounds = Bounds { first: partition.first, next: partition.next };
            let mut oldest_at = None;
            if bounds.first < bounds.next {
                let recent = partition.recent.front().filter(|block| block.head.first <= bounds.first);
                let block = match recent {
                    Some(block) => Some(block.clone()),
                    None => index.blocks((id, number), bounds.first, 1)?.pop(),
                };
                oldest_at = block.map(|block| block.head.append_at);
            }
            let newest_at = (partition.appended_at.0 > i64::MIN).then_some(partition.appended_at);
            partitions.push(PartitionInspection { bounds, bytes: partition.bytes, oldest_at, newest_at });
        }
        topics.push(TopicInspection { spec: topic.spec.clone(), partitions });
    }
    let committed =
        state.committed.iter().map(|((group, partition), committed)| (group.clone(), assignment(state, *partition, committed)));
    let (bytes, put_aside) = files(settings)?;
    Ok(Inspection { topics, committed: committed.collect(), bytes, torn: None, put_aside })
}

/// What was committed, with the names of topics.
pub(crate) fn assignment(state: &State, partition: u32, committed: &Committed) -> Assignment {
    let positions = committed.positions.iter();
    let positions = positions.map(|(id, next)| ports::Position { topic: state.name(*id).clone(), next: *next }).collect();
    Assignment { partition, positions, note: committed.note.clone() }
}

fn files(settings: &Settings) -> Result<(u64, Vec<PathBuf>), Error> {
    let fault = |source| Error::Folder { action: "list", path: settings.path.clone(), source };
    let (mut bytes, mut put_aside) = (0, Vec::new());
    for entry in fs::read_dir(&settings.path).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        // One that was removed since the listing began takes no room.
        bytes += entry.metadata().map_or(0, |metadata| metadata.len());
        let path = entry.path();
        if path.extension().is_some_and(|ending| ending.to_string_lossy().starts_with("torn-at-")) {
            put_aside.push(path);
        }
    }
    put_aside.sort();
    Ok((bytes, put_aside))
}
