//! One random run: a stream through a cluster of engines, held against the oracle at several instants and at the end.

use std::collections::BTreeSet;

use domain::{Span, Timestamp};
use features::{Dropped, Reason};
use pipeline::{Pipeline, SourceKind};
use testkit::{Decision, History, Mode, Oracle, generate};

use crate::{
    agreement::{self, Exempt},
    cluster::{Cluster, Conduct, Dice, Missing},
};

/// What is run.
pub(crate) struct Scene<'a> {
    pub(crate) name: &'a str,
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) knobs: generate::Stream,
    pub(crate) shards: usize,
    pub(crate) conduct: Conduct,
    /// File tables are loaded again with other lines.
    pub(crate) files_change: bool,
    /// Why parts of accepted records may be dropped. Entities that lost some are not compared.
    pub(crate) may_drop: Option<Reason>,
}

/// What came of it, for a test to see that it was not about nothing.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// How many absences were raised, and how many taken back.
    pub(crate) told: [usize; 2],
    /// Parts of records that were dropped.
    pub(crate) dropped: usize,
    /// Vectors that were compared.
    pub(crate) compared: usize,
}

/// The lines of each file table, by source.
type Files = Vec<(usize, String)>;

impl<'a> Scene<'a> {
    /// A stream with a little of everything, of which nothing may be lost.
    pub(crate) fn new(name: &'a str, pipeline: &'a Pipeline, shards: usize) -> Self {
        let (knobs, conduct) = (generate::Stream::default(), Conduct::default());
        Self { name, pipeline, knobs, shards, conduct, files_change: false, may_drop: None }
    }

    /// Runs it and compares.
    pub(crate) fn check(self, seed: u64) -> Outcome {
        let context = format!("{}, seed {seed}, {} shards", self.name, self.shards);
        let mut dice = Dice::new(seed ^ 0x5eed);
        let records = generate::records(self.pipeline, &self.knobs, seed);
        let partitions = generate::partition(self.pipeline, &records, self.shards, 0.1);
        let last = records.iter().map(|record| record.append_at.0).max().unwrap_or(0);
        let start_at = self.knobs.start_at;
        let mut instants: Vec<i64> = (0..5).map(|_| dice.between(start_at.0, last)).collect();
        instants.extend([last + 1, last + dice.between(1, 300_000), last + 4_000_000]);
        instants.sort_unstable();

        let mut cluster = Cluster::new(self.pipeline, self.shards, self.conduct, start_at.minus(Span(1000)));
        let (mut next, mut exempt, mut compared) = (vec![0; self.shards], Exempt::new(), 0);
        let mut files = file_tables(self.pipeline);
        files.iter().for_each(|(source, lines)| cluster.load_file(*source, lines, &[]));
        // While the files stay as they are, one history says what is right.
        let chapters = if self.files_change { instants.chunks(1) } else { instants.chunks(instants.len()) };
        let mut from = start_at.0;
        for (number, instants) in chapters.enumerate() {
            if number > 0 && dice.chance(2) {
                cluster.feed_until(&partitions, &mut next, dice.between(from, instants[0]), &mut dice);
                load_other_files(&mut cluster, &mut files, &mut dice);
            }
            let oracle = files.iter().fold(Oracle::new(self.pipeline), |all, (source, lines)| all.with_file_rows(*source, lines));
            let history = oracle.history(&partitions);
            for at in instants.iter().copied() {
                cluster.feed_until(&partitions, &mut next, at, &mut dice);
                cluster.settle(at);
                check_dropped(&context, cluster.dropped(), self.may_drop);
                check_absences(&context, &cluster, &history, self.shards, at);
                let expected = history.vectors(Timestamp(at), Mode::Available);
                exempt.extend(cluster.dropped().iter().map(|dropped| (dropped.group, dropped.key.clone())));
                if self.may_drop == Some(Reason::OverCapacity) {
                    // What found no room is gone with the rest; what was sealed may be a row that should have been taken back.
                    exempt.retain(|of| expected.get(of).is_none_or(|vector| !vector.forgotten));
                }
                compared += agreement::check(&context, self.pipeline, &cluster, (&expected, &exempt), at);
                from = at;
            }
            // What is refused has nothing to do with files, so any of the histories says it.
            if next.iter().zip(&partitions).all(|(next, records)| *next == records.len()) {
                check_refusals(&context, &cluster, &history);
            }
        }
        Outcome { told: cluster.told(), dropped: cluster.dropped().len(), compared }
    }
}

/// The file tables of a pipeline, with lines that belong to nobody, some of them twice.
pub(crate) fn file_tables(pipeline: &Pipeline) -> Files {
    let files = pipeline.sources.iter().enumerate().filter(|(_, source)| matches!(source.kind, SourceKind::File { .. }));
    let line = |store: i64| format!("{{\"store_id\":\"k{store}\",\"capacity\":{}}}\n", store * 7);
    files.map(|(source, _)| (source, (0..8).chain(2..5).map(line).collect())).collect()
}

/// Other stores with other capacities, and a line that cannot be read.
fn load_other_files(cluster: &mut Cluster, files: &mut Files, dice: &mut Dice) {
    for (source, lines) in files {
        let stores: BTreeSet<i64> = (0..dice.between(0, 8)).map(|_| dice.between(0, 12)).collect();
        let line = |store: &i64| format!("{{\"store_id\":\"k{store}\",\"capacity\":{}}}\n", dice.between(0, 1000));
        *lines = stores.iter().map(line).collect();
        let fault = stores.len() as u64 + 1;
        cluster.load_file(*source, &format!("{lines}no store\n"), &[fault]);
    }
}

/// Compares what is missing, shard by shard.
pub(crate) fn check_absences(context: &str, cluster: &Cluster, history: &History<'_>, shards: usize, at: i64) {
    for shard in 0..shards {
        let expected = history.absences(shard, Timestamp(at), Mode::Available);
        let mut expected: Vec<Missing> =
            expected.into_iter().map(|one| (one.source, one.due, one.key, one.identity, one.since)).collect();
        expected.sort();
        assert_eq!(cluster.missing(shard), expected, "{context}: missing at {at} in shard {shard}");
    }
}

fn check_refusals(context: &str, cluster: &Cluster, history: &History<'_>) {
    for (shard, decided) in history.decisions().iter().enumerate() {
        let reason = |decision: &Decision| match decision {
            Decision::Accepted => None,
            Decision::Refused(reason) => Some(*reason),
        };
        let refused: Vec<(usize, &str)> =
            decided.iter().enumerate().filter_map(|(at, decision)| reason(decision).map(|reason| (at, reason))).collect();
        assert_eq!(cluster.refused(shard), refused, "{context}: refused records of shard {shard}");
    }
}

fn check_dropped(context: &str, dropped: &[Dropped], may_drop: Option<Reason>) {
    let wrongly: Vec<&Dropped> = dropped.iter().filter(|dropped| Some(dropped.reason) != may_drop).collect();
    assert!(wrongly.is_empty(), "{context}: parts of accepted records were dropped: {wrongly:?}");
}
