//! What a log should hold, the obvious way: lists in memory. Knows nothing of blocks, members or files.

use std::collections::BTreeMap;

use ports::{Bounds, Log};

use super::scene::{GROUP, IN, OUT, all, committed, text};

pub(crate) const PARTITIONS: u32 = 3;

/// Topics, and what one group has committed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    records: BTreeMap<(&'static str, u32), Vec<String>>,
    committed: BTreeMap<u32, (u64, String)>,
}

impl Model {
    pub(crate) fn append(&mut self, topic: &'static str, partition: u32, value: String) {
        self.records.entry((topic, partition)).or_default().push(value);
    }

    pub(crate) fn commit(&mut self, partition: u32, next: u64, note: String) {
        self.committed.insert(partition, (next, note));
    }

    pub(crate) fn next_of(&self, partition: u32) -> u64 {
        self.committed.get(&partition).map_or(0, |(next, _)| *next)
    }

    /// What has been appended to `in` from an offset on.
    pub(crate) fn from(&self, partition: u32, next: u64) -> &[String] {
        self.records.get(&(IN, partition)).and_then(|values| values.get(next as usize..)).unwrap_or_default()
    }

    /// Compares everything that can be read.
    pub(crate) async fn check(&self, log: &impl Log, told: &str) {
        for topic in [IN, OUT] {
            for partition in 0..PARTITIONS {
                let expected = self.records.get(&(topic, partition)).cloned().unwrap_or_default();
                let records = all(log, topic, partition, 0).await;
                assert_eq!(records.iter().map(text).collect::<Vec<_>>(), expected, "{topic} {partition} {told}");
                let next = records.last().map_or(0, |last| last.offset + 1);
                assert_eq!(
                    log.bounds(topic, partition).await.expect("bounds"),
                    Bounds { first: 0, next },
                    "{topic} {partition} {told}"
                );
            }
        }
        for partition in 0..PARTITIONS {
            assert_eq!(committed(log, partition).await, self.committed.get(&partition).cloned(), "{partition} {told}");
        }
        let known = log.committed(GROUP, &[IN.into()]).await.expect("what was committed is read");
        assert!(known.iter().all(|found| found.partition < PARTITIONS), "{told}");
    }
}
