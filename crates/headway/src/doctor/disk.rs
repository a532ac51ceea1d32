//! Room on the disk, against what the log may take by the rate at which it has grown.

use std::path::Path;

use domain::Span;
use io_log::Inspection;
use rustix::fs::statvfs;

use super::{Finding, Patient};
use crate::{host::Host, table::bytes};

const SUBJECT: &str = "disk";
/// Some segments of the log and a snapshot: with less, the next minutes are not safe.
const FREE_BYTES_MIN: u64 = 512 << 20;
/// A rate that was measured over less than this says nothing about weeks.
const MEASURED_MIN: Span = Span(3_600_000);

pub(super) fn finding(patient: &Patient<'_>) -> Finding {
    let existing = patient.folder.ancestors().find(|path| path.exists()).unwrap_or(Path::new("."));
    match statvfs(existing) {
        Ok(room) => judge(room.f_bavail.saturating_mul(room.f_frsize), patient.log.as_ref().and_then(still_to_come)),
        Err(error) => Finding::warning(SUBJECT, format!("how much room there is cannot be found out: {error}"))
            .with("Look with `df` whether there is enough."),
    }
}

fn judge(free: u64, still_to_come: Option<u64>) -> Finding {
    let shown = bytes(free);
    if free < FREE_BYTES_MIN {
        let finding =
            Finding::fault(SUBJECT, format!("{shown} are free, and {} are too few to begin with", bytes(FREE_BYTES_MIN)));
        return finding.with("Free some space, or move the folder to a larger disk.");
    }
    let days = Host::retention().0 / 86_400_000;
    match still_to_come {
        None => Finding::ok(SUBJECT, format!("{shown} are free; what the log will take is not known yet")),
        Some(more) if more > free => {
            let more = bytes(more);
            let says = format!("{shown} are free, and at its present rate the log takes {more} more until it keeps {days} days");
            Finding::warning(SUBJECT, says).with("Make room before that, or move the folder to a larger disk.")
        }
        Some(more) => {
            let more = bytes(more);
            Finding::ok(
                SUBJECT,
                format!("{shown} are free; at its present rate the log takes {more} more until it keeps {days} days"),
            )
        }
    }
}

/// What the log will take more than now when it holds everything for as long as it should.
fn still_to_come(log: &Inspection) -> Option<u64> {
    let partitions = || log.topics.iter().flat_map(|topic| &topic.partitions);
    let oldest = partitions().filter_map(|partition| partition.oldest_at).min()?;
    let newest = partitions().filter_map(|partition| partition.newest_at).max()?;
    let span = newest.0 - oldest.0;
    let held: u64 = partitions().map(|partition| partition.bytes).sum();
    let whole = held as f64 * Host::retention().0 as f64 / span as f64;
    (span >= MEASURED_MIN.0).then(|| (whole as u64).saturating_sub(held))
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use io_log::{PartitionInspection, TopicInspection};
    use ports::{Bounds, TopicSpec};

    use super::{super::Level, *};

    fn log(hours: i64, held: u64) -> Inspection {
        let bounds = Bounds { first: 0, next: 1 };
        let (oldest_at, newest_at) = (Some(Timestamp(0)), Some(Timestamp(hours * 3_600_000)));
        let partition = PartitionInspection { bounds, bytes: held, oldest_at, newest_at };
        let spec = TopicSpec { name: "t".into(), partitions: 1, retention: None, retention_bytes: None };
        Inspection { topics: vec![TopicInspection { spec, partitions: vec![partition] }], ..Inspection::default() }
    }

    #[test]
    fn the_rate_of_hours_tells_about_weeks() {
        let hours = Host::retention().0.unsigned_abs() / 3_600_000;
        assert_eq!(still_to_come(&log(10, 1000)), Some(hours * 100 - 1000));
        assert_eq!(still_to_come(&log(2000, 1000)), Some(0));
        assert_eq!(still_to_come(&log(0, 1000)), None);
        assert_eq!(still_to_come(&Inspection::default()), None);
    }

    #[test]
    fn too_little_room_is_told_in_time() {
        for (free, more, level) in [
            (100 << 20, None, Level::Fault),
            (1 << 30, None, Level::Ok),
            (1 << 30, Some(1 << 29), Level::Ok),
            (1 << 30, Some(1 << 31), Level::Warning),
        ] {
            let finding = judge(free, more);
            assert_eq!((finding.level, finding.todo.is_some()), (level, level != Level::Ok), "{finding:?}");
        }
    }
}
