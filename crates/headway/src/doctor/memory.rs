//! The memory that this process may have, against what the pipelines' declared bounds let their state take.

use std::{fs, path::Path};

use super::{Finding, Patient};
use crate::table::bytes;

const SUBJECT: &str = "memory";
/// What the process needs beside its state: the program, micro-batches in flight, the newest records of the log.
const BESIDE_BYTES: u64 = 512 << 20;

pub(super) fn finding(patient: &Patient<'_>) -> Finding {
    // A spec that cannot be parsed was told already.
    let parsed = patient.deployments.iter().filter_map(|deployment| pipeline::parse(&deployment.pipeline, &deployment.spec).ok());
    let state: u64 = parsed.map(|pipeline| pipeline::memory(&pipeline).total()).sum();
    judge(state, limit())
}

fn judge(state: u64, limit: Option<u64>) -> Finding {
    let needed = state.saturating_add(BESIDE_BYTES);
    match limit {
        None => Finding::ok(SUBJECT, format!("how much there is cannot be found out; at most {} are needed", bytes(needed))),
        Some(limit) if limit < needed => {
            let (there, wanted) = (bytes(limit), bytes(needed));
            let says = format!("there are {there}, and what is declared may take {wanted}, the program included");
            let todo = "It takes that much only if every entity is there and busy. Give it more, or lower the declared bounds: \
                        `headway check` shows what takes most.";
            Finding::warning(SUBJECT, says).with(todo)
        }
        Some(limit) => Finding::ok(SUBJECT, format!("there are {}; at most {} are needed", bytes(limit), bytes(needed))),
    }
}

/// What the machine has, or what the nearest group of control allows.
fn limit() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| total(&text));
    let read = |path: &Path| fs::read_to_string(path).ok()?.trim().parse().ok();
    limits(&groups, read).into_iter().chain(machine).min()
}

/// The limits of all groups that a process is in, of the newer kind of groups and the older one.
fn limits(groups: &str, read: impl Fn(&Path) -> Option<u64>) -> Vec<u64> {
    let mut found = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(kind), Some(path)) = (parts.next(), parts.next()) else { continue };
        let (root, file) = match kind {
            "" => ("/sys/fs/cgroup", "memory.max"),
            "memory" => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
            _ => continue,
        };
        // Within a container the path is that of the machine outside, and the root is the container's own.
        let within = Path::new(path.trim_start_matches('/'));
        found.extend(within.ancestors().filter_map(|group| read(&Path::new(root).join(group).join(file))));
    }
    found
}

fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn limits_of_both_kinds_of_groups_are_found() {
        let read = |path: &Path| match path.to_str() {
            Some("/sys/fs/cgroup/a/memory.max") => Some(7),
            Some("/sys/fs/cgroup/memory/memory.limit_in_bytes") => Some(9),
            _ => None,
        };
        assert_eq!(limits("0::/a/b\n", read), [7]);
        assert_eq!(limits("4:memory:/x/y\n3:cpu:/x\n", read), [9]);
        assert_eq!(limits("", read), Vec::<u64>::new());
        assert_eq!(total("MemTotal:       1000 kB\n"), Some(1_024_000));
    }

    #[test]
    fn too_little_memory_is_a_warning() {
        assert_eq!(judge(1 << 30, Some(2 << 30)).level, Level::Ok);
        assert_eq!(judge(2 << 30, Some(2 << 30)).level, Level::Warning);
        assert_eq!(judge(2 << 30, None).level, Level::Ok);
    }
}
