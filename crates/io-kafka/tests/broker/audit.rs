//! Each input is counted into the outputs once, whatever becomes of the members that do it.

use std::time::Duration;

use io_kafka::KafkaLog;
use ports::{Commit, Error, ErrorKind, Event, Log, Member, Position};

use crate::scene::{GROUP, IN, OUT, Reader, created, now, outgoing, run, shared, text, values};

/// Members take so many records into one commit at most, so that there are many commits.
const TOGETHER: usize = 7;
/// Longer than anything here may take, a busy machine included.
const AT_LAST: Duration = Duration::from_secs(120);

/// What goes in: numbers, spread over the partitions.
pub(crate) async fn fill(log: &KafkaLog, partitions: u32, inputs: u64) {
    let input = |number: u64| outgoing(IN, (number % u64::from(partitions)) as u32, number.to_string());
    log.append((0..inputs).map(input).collect()).await.expect("appended");
}

/// Whether the group has taken everything. A broker that is away is asked again.
pub(crate) async fn is_done(log: &KafkaLog, inputs: u64) -> bool {
    let Ok(committed) = log.committed(GROUP, &[IN.into()]).await else { return false };
    committed.iter().filter_map(|found| found.next(IN)).sum::<u64>() == inputs
}

/// What came out is what went in, in its order.
pub(crate) async fn check(log: &KafkaLog, partitions: u32, inputs: u64) {
    for partition in 0..partitions {
        let mine = (0..inputs).filter(|number| number % u64::from(partitions) == u64::from(partition));
        let expected: Vec<String> = mine.map(|number| number.to_string()).collect();
        assert_eq!(values(log, OUT, partition).await, expected, "partition {partition}");
    }
}

/// A member that copies inputs to outputs, and joins again when it cannot go on.
pub(crate) struct Worker {
    name: &'static str,
    reader: Option<Reader>,
    pub(crate) commits: usize,
    pub(crate) failures: usize,
}

impl Worker {
    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, reader: None, commits: 0, failures: 0 }
    }

    /// As a process that dies.
    pub(crate) fn die(&mut self) {
        self.reader = None;
    }

    /// Takes one event, and commits what came with it.
    pub(crate) async fn step(&mut self, log: &KafkaLog) {
        let Err(error) = self.work(log).await else { return };
        assert!(matches!(error.kind(), ErrorKind::Transient | ErrorKind::Fenced), "{error}");
        self.failures += 1;
        self.reader = None;
    }

    async fn work(&mut self, log: &KafkaLog) -> Result<(), Error> {
        if self.reader.is_none() {
            self.reader = Some(Reader::new(crate::scene::join(log, self.name).await?));
        }
        let Some(reader) = &mut self.reader else { return Ok(()) };
        reader.look().await?;
        let Some(Event::Records { partition, records, .. }) = reader.heard.pop() else { return Ok(()) };
        for some in records.chunks(TOGETHER) {
            let outputs = some.iter().map(|record| outgoing(OUT, partition, text(record))).collect();
            let next = some.last().map_or(0, |last| last.offset + 1);
            let positions = vec![Position { topic: IN.into(), next }];
            reader.member.commit(vec![Commit { partition, positions, outputs, ..Commit::default() }]).await?;
            self.commits += 1;
        }
        Ok(())
    }
}

#[test]
fn members_that_come_and_go_count_everything_once() {
    const PARTITIONS: u32 = 6;
    const INPUTS: u64 = 3000;
    run(async {
        let log = created(&shared(), PARTITIONS).await;
        fill(&log, PARTITIONS, INPUTS).await;
        let mut workers = ["a", "b", "c"].map(Worker::new);
        let (begun, mut deaths) = (now(), 0);
        while !is_done(&log, INPUTS).await {
            for (place, worker) in workers.iter_mut().enumerate() {
                worker.step(&log).await;
                // Each of them in its turn, after some work, until everybody has died twice.
                if deaths < 6 && deaths % 3 == place && worker.commits >= 5 {
                    worker.commits = 0;
                    worker.die();
                    deaths += 1;
                }
            }
            assert!(begun.elapsed() < AT_LAST, "it does not get on");
        }
        check(&log, PARTITIONS, INPUTS).await;
    });
}
