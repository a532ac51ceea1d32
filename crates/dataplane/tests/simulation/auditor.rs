//! Compares what readers and operators are left with, with what the oracle says of the records that are in the log.

use std::collections::BTreeMap;

use domain::{FeatureVector, NEVER, Timestamp, Value, unpack};
use pipeline::{Pipeline, SourceKind};
use ports::{Log, OnlineStore, Record, VectorKey};
use testkit::{
    Decision, Mode, Oracle, OracleVector,
    fake::{MemoryLog, MemoryOnlineStore},
};

use crate::world::Setting;

/// A timer may be late by this much beyond the tolerance: how often an idle worker looks, and a little.
const SLACK_MS: i64 = 11_000;

pub(crate) struct Auditor<'a> {
    pub(crate) setting: &'a Setting,
    pub(crate) log: &'a MemoryLog,
    pub(crate) online: &'a MemoryOnlineStore,
}

/// Everything that is in the log, as the oracle wants it, and where each record lies.
pub(crate) struct Facts {
    partitions: Vec<Vec<testkit::Record>>,
    places: Vec<Vec<(String, u64)>>,
}

impl Auditor<'_> {
    pub(crate) async fn facts(&self) -> Facts {
        let mut facts = Facts { partitions: Vec::new(), places: Vec::new() };
        for partition in 0..self.setting.plan.partitions {
            let (mut records, mut places) = (Vec::new(), Vec::new());
            for (topic, sources) in self.setting.plan.topics.inputs() {
                for record in self.all(topic, partition).await {
                    for source in sources {
                        let (append_at, payload) = (record.append_at, record.value.to_vec());
                        records.push(testkit::Record { source: *source, append_at, payload });
                        places.push((topic.to_string(), record.offset));
                    }
                }
            }
            facts.partitions.push(records);
            facts.places.push(places);
        }
        facts
    }

    async fn all(&self, topic: &str, partition: u32) -> Vec<Record> {
        let mut records: Vec<Record> = Vec::new();
        loop {
            let from = records.last().map_or(0, |record| record.offset + 1);
            let more = self.log.read(topic, partition, from, 1 << 20).await.expect("a calm log");
            if more.is_empty() {
                return records;
            }
            records.extend(more);
        }
    }

    /// How many vectors were compared: one whose timer is due within the tolerance is left out.
    pub(crate) async fn vectors(&self, facts: &Facts, at: Timestamp) -> u64 {
        let pipeline = &*self.setting.pipeline;
        let oracle = Oracle::new(pipeline);
        let expected = oracle.history(&facts.partitions).vectors(at, Mode::Available);
        let mut compared = 0;
        for ((group, key), expected) in &expected {
            let context = format!("seed {}, {} {key} at {at}", self.setting.seed, pipeline.groups[*group].name);
            let Some(found) = self.read(*group, key).await else {
                assert!(nothing(expected), "{context}: nothing is there, and it should be {expected:?}");
                continue;
            };
            let outdated = expected.as_of.0 - found.valid_until.0;
            if outdated < 0 {
                compare(&context, pipeline, *group, expected, &found);
                compared += 1;
            } else {
                let late_max = pipeline.groups[*group].tolerance.0 + SLACK_MS;
                assert!(outdated <= late_max, "{context}: outdated by {outdated} ms: {found:?}");
            }
        }
        compared
    }

    async fn read(&self, group: usize, key: &str) -> Option<FeatureVector> {
        let declared = &self.setting.pipeline.groups[group];
        let at = VectorKey { entity: &declared.entity, key, group: &declared.name, generation: 1 };
        let packed = self.online.read(&[at]).await.expect("a calm store").pop().flatten()?;
        Some(unpack(&packed, &self.setting.schemas[group]).expect("what was written can be read"))
    }

    /// Every refused record has exactly one letter, and duplicates have none. Returns how many letters there are.
    pub(crate) async fn letters(&self, facts: &Facts) -> u64 {
        let pipeline = &*self.setting.pipeline;
        let oracle = Oracle::new(pipeline);
        let decisions = oracle.history(&facts.partitions).decisions();
        let mut expected: BTreeMap<(usize, String, u64, String), u64> = BTreeMap::new();
        for (partition, decided) in decisions.iter().enumerate() {
            for (decision, (topic, offset)) in decided.iter().zip(&facts.places[partition]) {
                if let Decision::Refused(reason) = decision
                    && *reason != "duplicate"
                {
                    *expected.entry((partition, topic.clone(), *offset, (*reason).to_owned())).or_default() += 1;
                }
            }
        }
        let mut found: BTreeMap<(usize, String, u64, String), u64> = BTreeMap::new();
        let topics = &self.setting.plan.topics;
        for partition in 0..self.setting.plan.partitions {
            for topic in [topics.dead_letters(), topics.late()] {
                for letter in self.all(&topic, partition).await {
                    let header = |name: &str| {
                        let header = letter.headers.iter().find(|header| header.name == name).expect("a letter says where from");
                        String::from_utf8(header.value.to_vec()).expect("text")
                    };
                    let offset = header("offset").parse().expect("a number");
                    *found.entry((partition as usize, header("topic"), offset, header("reason"))).or_default() += 1;
                }
            }
        }
        assert_eq!(found, expected, "seed {}: letters", self.setting.seed);
        found.len() as u64
    }
}

/// Whether a vector says no more than its absence does.
fn nothing(vector: &OracleVector) -> bool {
    let zero = |value: &Value| *value == Value::Integer(0) || *value == Value::Float(0.0);
    vector.forgotten || vector.valid_until == NEVER && vector.values.iter().flatten().all(zero)
}

fn compare(context: &str, pipeline: &Pipeline, group: usize, expected: &OracleVector, found: &FeatureVector) {
    let columns = pipeline.groups[group].columns();
    for ((column, expected), found) in columns.iter().zip(&expected.values).zip(&found.values) {
        assert!(same(expected.as_ref(), found.as_ref()), "{context}, {}: oracle {expected:?}, found {found:?}", column.name);
    }
}

/// Equal to the last bit.
fn same(one: Option<&Value>, other: Option<&Value>) -> bool {
    match (one, other) {
        (Some(Value::Float(one)), Some(Value::Float(other))) => one.to_bits() == other.to_bits(),
        (one, other) => one == other,
    }
}

/// The topic of a source that is a stream.
pub(crate) fn topic_of(setting: &Setting, source: usize) -> Option<String> {
    match &setting.pipeline.sources[source].kind {
        SourceKind::Stream(stream) => Some(setting.plan.topics.input(&stream.topic)),
        _ => None,
    }
}
