//! The log: what it holds, and ends of writes that a power cut tore.

use super::{Finding, Patient};
use crate::table::{bytes, grouped};

const SUBJECT: &str = "log";

pub(super) fn findings(patient: &Patient<'_>) -> Vec<Finding> {
    let Some(log) = &patient.log else {
        if patient.servers.kafka.is_some() {
            return vec![Finding::ok(SUBJECT, "it is in Kafka, not in this folder")];
        }
        return vec![Finding::ok(SUBJECT, "there is none yet; the first `headway run` makes it")];
    };
    let mut records = 0;
    let mut lines = Vec::new();
    for topic in &log.topics {
        let held: u64 = topic.partitions.iter().map(|partition| partition.bounds.next - partition.bounds.first).sum();
        let size: u64 = topic.partitions.iter().map(|partition| partition.bytes).sum();
        let newest = topic.partitions.iter().filter_map(|partition| partition.newest_at).max();
        let newest = newest.map_or("never written to".to_owned(), |at| format!("newest {at}"));
        let count = topic.partitions.len();
        lines.push(format!("{}: {} records in {count} partitions, {}, {newest}", topic.spec.name, grouped(held), bytes(size)));
        records += held;
    }
    let says = format!("{} records in {} topics, {} on the disk", grouped(records), log.topics.len(), bytes(log.bytes));
    let mut findings = vec![Finding { lines, ..Finding::ok(SUBJECT, says) }];
    if let Some(torn) = &log.torn {
        let (length, segment) = (torn.length, torn.segment.display());
        let says = format!("the last write was cut short: {length} bytes at {} of {segment} belong to nothing", torn.at);
        let todo = "Nothing acknowledged is in them. The next start puts them aside; look after the disk or the power if it happens \
                    again.";
        findings.push(Finding::warning(SUBJECT, says).with(todo));
    }
    if !log.put_aside.is_empty() {
        let says = format!("{} ends of writes that were cut short are put aside", log.put_aside.len());
        let finding =
            Finding::warning(SUBJECT, says).with("Nothing acknowledged is in them: remove them when you have looked at them.");
        findings.push(Finding { lines: log.put_aside.iter().map(|path| path.display().to_string()).collect(), ..finding });
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use io_log::{Inspection, Torn};

    use super::{super::Level, *};
    use crate::settings::Servers;

    #[test]
    fn torn_ends_are_worth_a_look() {
        let torn = Torn { kept_in: PathBuf::from("b"), segment: PathBuf::from("a"), at: 7, length: 13 };
        let log = Inspection { torn: Some(torn), put_aside: vec![PathBuf::from("old.torn-at-1")], ..Inspection::default() };
        let now = domain::Timestamp(0);
        let patient = Patient {
            folder: Path::new("."),
            log: Some(log),
            deployments: Vec::new(),
            artifacts: None,
            now,
            servers: &Servers::default(),
        };
        let findings = findings(&patient);
        assert_eq!(findings.iter().map(|finding| finding.level).collect::<Vec<_>>(), [Level::Ok, Level::Warning, Level::Warning]);
        assert!(findings[1].says.contains("13 bytes at 7 of a"), "{findings:?}");
        assert_eq!(findings[2].lines, ["old.torn-at-1"]);
    }
}
