//! Snapshots: whether every piece that a restart would read is there and whole, and how much would be replayed.

use std::sync::Arc;

use dataplane::{
    Topics, deploy,
    features::{Plan, Restart},
};
use io_folder::FolderArtifacts;
use io_log::Inspection;
use ports::{Artifacts, Assignment, Deployment};

use super::{Finding, Patient};
use crate::table::{bytes, grouped};

const SUBJECT: &str = "snapshots";
/// Twice what a partition takes between two snapshots: beyond it they are not being stored.
const REPLAYED_MAX: u64 = 4_000_000;

pub(super) async fn findings(patient: &Patient<'_>) -> Vec<Finding> {
    let (Some(log), Some(artifacts)) = (&patient.log, &patient.artifacts) else { return Vec::new() };
    let mut findings = Vec::new();
    for deployment in &patient.deployments {
        for plan in plans(deployment, log) {
            findings.push(of_generation(&plan, log, artifacts).await);
        }
    }
    findings
}

/// The plan of each generation; what cannot be parsed was told already.
fn plans(deployment: &Deployment, log: &Inspection) -> Vec<Plan> {
    let plan = |generation: deploy::Generation| {
        let built = deployment.generations.iter().find(|built| built.generation == generation.number)?;
        let pipeline = pipeline::parse(&deployment.pipeline, &built.spec).ok()?;
        let pipeline = pipeline.with_groups(|group| generation.groups.contains(group));
        let topics = Topics::new(&pipeline);
        let partials = topics.partials(generation.number);
        let partitions = log.topics.iter().find(|topic| topic.spec.name == partials)?.spec.partitions;
        Some(Plan {
            pipeline: Arc::new(pipeline),
            generation: generation.number,
            partitions,
            topics,
            files: Vec::new(),
            quiet_until: None,
        })
    };
    deploy::generations(deployment).into_iter().filter_map(plan).collect()
}

/// What was found of one generation.
#[derive(Default)]
struct Found {
    partitions: u64,
    pieces: u64,
    size: u64,
    replays: u64,
    notes: Vec<String>,
    damaged: Vec<String>,
    /// Of partitions whose records are not all in the log any more.
    lost: u64,
}

async fn of_generation(plan: &Plan, log: &Inspection, artifacts: &FolderArtifacts) -> Finding {
    let group = plan.topics.features_group(plan.generation);
    let mut found = Found::default();
    for (_, assignment) in log.committed.iter().filter(|(name, _)| *name == group) {
        of_partition(plan, assignment, log, artifacts, &mut found).await;
    }
    judge(&format!("{}, generation {}", plan.pipeline.id, plan.generation), found)
}

async fn of_partition(plan: &Plan, assignment: &Assignment, log: &Inspection, artifacts: &FolderArtifacts, found: &mut Found) {
    found.partitions += 1;
    let restart = match Restart::of(plan, assignment) {
        Ok(restart) => restart,
        Err(fault) => return found.notes.push(format!("partition {}: {fault}", assignment.partition)),
    };
    let damaged = found.damaged.len();
    for piece in &restart.pieces {
        found.pieces += 1;
        match artifacts.get(piece).await {
            Ok(Some(bytes)) => found.size += bytes.len() as u64,
            Ok(None) => found.damaged.push(format!("{piece} is not there")),
            Err(error) => found.damaged.push(error.to_string()),
        }
    }
    let is_damaged = found.damaged.len() > damaged;
    let committed: u64 = assignment.positions.iter().map(|position| position.next).sum();
    found.replays += if is_damaged { committed } else { restart.replays };
    let reads = plan.reads();
    let cut = log
        .topics
        .iter()
        .filter(|topic| reads.contains(&topic.spec.name))
        .any(|topic| topic.partitions.get(assignment.partition as usize).is_some_and(|partition| partition.bounds.first > 0));
    found.lost += u64::from(is_damaged && cut);
}

fn judge(of: &str, found: Found) -> Finding {
    let replays = format!("a restart now takes {} records again", grouped(found.replays));
    if !found.notes.is_empty() {
        let finding = Finding::fault(SUBJECT, format!("{of}: what partitions have noted beside their positions cannot be read"));
        let finding = finding.with("Run the version of Headway that wrote it, or one that is newer than this.");
        return Finding { lines: found.notes, ..finding };
    }
    if found.lost > 0 {
        let says =
            format!("{of}: snapshots are damaged, and the log does not reach back to where {} partitions began", found.lost);
        let finding = Finding::fault(SUBJECT, says);
        let finding =
            finding.with("Bring these files back from a copy. Without them features are built from what the log still has.");
        return Finding { lines: found.damaged, ..finding };
    }
    if !found.damaged.is_empty() {
        let finding = Finding::warning(SUBJECT, format!("{of}: snapshots are damaged, so {replays}"));
        let finding = finding.with("Nothing is lost: the log has everything. Look after the disk before more goes.");
        return Finding { lines: found.damaged, ..finding };
    }
    if found.replays > REPLAYED_MAX.saturating_mul(found.partitions) {
        let finding = Finding::warning(SUBJECT, format!("{of}: {replays}"));
        return finding.with("Snapshots are not being stored: look at headway_snapshots_total and at the room on the disk.");
    }
    let (pieces, size) = (found.pieces, bytes(found.size));
    if pieces == 0 {
        return Finding::ok(SUBJECT, format!("{of}: none is needed yet for {} partitions; {replays}", found.partitions));
    }
    Finding::ok(SUBJECT, format!("{of}: {pieces} pieces for {} partitions are whole, {size}; {replays}", found.partitions))
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    fn check(found: Found, level: Level, word: &str) {
        let finding = judge("p, generation 1", found);
        assert!(finding.level == level && finding.says.contains(word), "{finding:?}");
    }

    #[test]
    fn damage_is_as_bad_as_what_it_costs() {
        let whole = || Found { partitions: 4, pieces: 4, size: 1000, replays: 77, ..Found::default() };
        let damaged = || vec!["a".to_owned()];
        check(whole(), Level::Ok, "77 records");
        check(Found { damaged: damaged(), ..whole() }, Level::Warning, "77 records");
        check(Found { damaged: damaged(), lost: 2, ..whole() }, Level::Fault, "2 partitions");
        check(Found { notes: damaged(), ..whole() }, Level::Fault, "noted");
        check(Found { replays: 16_000_001, ..whole() }, Level::Warning, "16");
    }

    const SPEC: &str = include_str!("../../../../pipelines/scooter-fleet/pipeline.toml");

    /// A folder in which the only partition has committed a note with two pieces of a snapshot, and what is found there after
    /// something was done to the second piece.
    async fn after(first_in_log: u64, harm: impl FnOnce(&std::path::Path)) -> Finding {
        let folder = tempfile::tempdir().expect("a folder");
        let artifacts = io_folder::Folder::open(folder.path()).expect("laid out").artifacts();
        let parsed = pipeline::parse("scooter-fleet", SPEC).expect("a spec");
        let group =
            |group: &pipeline::Group| ports::Deployed { group: group.name.clone(), generation: 1, replaces: None, definition: 0 };
        let deployment = Deployment {
            pipeline: "scooter-fleet".into(),
            revision: 1,
            spec: SPEC.into(),
            groups: parsed.groups.iter().map(group).collect(),
            generations: vec![ports::Built { generation: 1, spec: SPEC.into(), at: domain::Timestamp(0) }],
            at: domain::Timestamp(0),
        };
        let topics = Topics::new(&parsed);
        let reads = topics.inputs().iter().map(|(name, _)| name.clone()).chain([topics.partials(1)]);
        let topic = |name: Arc<str>| io_log::TopicInspection {
            spec: ports::TopicSpec { name, partitions: 1, retention: None, retention_bytes: None },
            partitions: vec![io_log::PartitionInspection {
                bounds: ports::Bounds { first: first_in_log, next: 50 },
                bytes: 0,
                oldest_at: None,
                newest_at: None,
            }],
        };
        let all: Vec<Arc<str>> = reads.collect();
        let positions = all.iter().map(|topic| ports::Position { topic: topic.clone(), next: 50 }).collect();
        let taken = vec!["40"; all.len()].join(",");
        let assignment = Assignment { partition: 0, positions, note: format!("1 5 {taken} 3.9.2").into() };
        let log = Inspection {
            topics: all.iter().cloned().map(topic).collect(),
            committed: vec![(topics.features_group(1), assignment)],
            ..Inspection::default()
        };
        let piece = |part| format!("state/scooter-fleet/1/0000/000000000003.0000000000000009/{part:05}");
        for part in 0..2 {
            artifacts.put(&piece(part), bytes::Bytes::from_static(b"state")).await.expect("stored");
        }
        let stored = folder.path().join("artifacts").join(piece(1));
        let file =
            std::fs::read_dir(stored.parent().expect("a folder")).expect("pieces").flatten().map(|entry| entry.path()).max();
        harm(&file.expect("a piece"));
        let (now, servers, deployments) = (domain::Timestamp(0), &crate::settings::Servers::default(), vec![deployment]);
        let patient = Patient { folder: folder.path(), log: Some(log), deployments, artifacts: Some(artifacts), now, servers };
        let mut found = findings(&patient).await;
        assert_eq!(found.len(), 1, "{found:?}");
        found.remove(0)
    }

    #[tokio::test]
    async fn every_piece_is_read() {
        let whole = after(0, |_| {}).await;
        assert!(whole.level == Level::Ok && whole.says.contains("2 pieces for 1 partitions are whole"), "{whole:?}");
        let flip = |path: &std::path::Path| {
            let mut bytes = std::fs::read(path).expect("a piece");
            bytes[0] ^= 1;
            std::fs::write(path, bytes).expect("damaged");
        };
        let damaged = after(0, flip).await;
        assert!(damaged.level == Level::Warning && damaged.lines[0].contains("checksum"), "{damaged:?}");
        let missing = after(0, |path| std::fs::remove_file(path).expect("removed")).await;
        assert!(missing.level == Level::Warning && missing.lines[0].contains("is not there"), "{missing:?}");
        assert_eq!(after(7, flip).await.level, Level::Fault);
    }
}
