//! The same events in another order, with some of them twice: the same bytes.

use std::collections::BTreeMap;

use domain::{FeatureVector, Timestamp};
use pipeline::Pipeline;
use testkit::{Record, generate, pipelines};

use crate::{
    agreement::says_nothing,
    cluster::{Cluster, Conduct, Dice},
    scene::file_tables,
    seeds,
};

#[test]
fn order_of_arrival_and_repetition_do_not_change_a_byte() {
    for seed in seeds() {
        for pipeline in [pipelines::every_aggregator(), pipelines::orders(), pipelines::absences()] {
            let records = generate::records(&pipeline, &generate::Stream::calm(), seed);
            let permuted = generate::permute_within_lateness(&pipeline, &records, seed);
            let last = records.iter().chain(&permuted).map(|record| record.append_at.0).max().unwrap_or(0) + 1;
            let [one, other] = [&records, &permuted].map(|records| vectors_at(&pipeline, records, last, seed));
            for key in one.keys().chain(other.keys()) {
                match (one.get(key), other.get(key)) {
                    (Some(one), Some(other)) => {
                        assert_eq!((&one.values, one.valid_until), (&other.values, other.valid_until), "seed {seed}, {key:?}");
                    }
                    // When an entity that says nothing any more is forgotten is a matter of chance.
                    (one, other) => {
                        assert_eq!(one.or(other).map(says_nothing), Some(true), "seed {seed}, {key:?}: {one:?}, {other:?}")
                    }
                }
            }
        }
    }
}

fn vectors_at(pipeline: &Pipeline, records: &[Record], at: i64, seed: u64) -> BTreeMap<(usize, String), FeatureVector> {
    let partitions = vec![records.to_vec()];
    let start = records.first().map_or(0, |record| record.append_at.0) - 1;
    let mut cluster = Cluster::new(pipeline, 1, Conduct::default(), Timestamp(start));
    file_tables(pipeline).iter().for_each(|(source, lines)| cluster.load_file(*source, lines, &[]));
    cluster.feed_until(&partitions, &mut [0], at, &mut Dice::new(seed));
    cluster.settle(at);
    let keys = cluster.keys();
    keys.into_iter().filter_map(|(group, key)| Some(((group, key.clone()), cluster.vector(group, &key)?))).collect()
}
