//! Topics as they should be beside those that are there: what would change, what cannot, and who has to be asked. Asks nobody itself.

use std::{collections::BTreeMap, fmt, sync::Arc};

use domain::Span;
use ports::TopicSpec;

use crate::{settings::Owner, transactions::RECORD_BYTES_MAX};

/// What Headway asks of each topic, beside how many partitions it has: the time at which the log took a record decides what is late.
const TIME: (&str, &str) = ("message.timestamp.type", "LogAppendTime");
const CLEANUP: &str = "cleanup.policy";
const RETENTION: &str = "retention.ms";

/// All topics that were asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicPlan {
    /// In the order of the question.
    pub topics: Vec<PlannedTopic>,
}

impl TopicPlan {
    /// Whether everything is as it should be.
    pub fn is_done(&self) -> bool {
        self.topics.iter().all(|topic| topic.changes.is_empty())
    }

    /// Why it cannot be done, and what to do instead. Empty when it can.
    pub fn refusals(&self) -> Vec<String> {
        self.topics.iter().flat_map(PlannedTopic::refusals).collect()
    }
}

/// One topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedTopic {
    /// Its name inside.
    pub topic: Arc<str>,
    /// Its name in the cluster.
    pub name: String,
    /// Whose it is.
    pub owner: Owner,
    /// What is there; none when it is missing.
    pub there: Option<TopicThere>,
    /// What is not as it should be.
    pub changes: Vec<TopicChange>,
    /// Whether this client can make it when it is missing.
    pub can_be_made: bool,
}

/// A topic that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TopicThere {
    /// How many it has.
    pub partitions: u32,
    /// Copies of the partition that has the fewest.
    pub replicas: u32,
    /// Partitions that lack a copy at the moment.
    pub behind: u32,
    /// How long it keeps records; none for ever, or when its settings could not be seen.
    pub retention: Option<Span>,
    /// Whether it keeps only the last record of each key.
    pub compacted: bool,
}

/// One thing about a topic that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TopicChange {
    /// It is not there.
    Missing {
        /// How many partitions it will have.
        partitions: u32,
    },
    /// It is cut otherwise, which nothing can change: what is written is in the wrong place.
    Partitions {
        /// How many it has.
        there: u32,
        /// How many it should have.
        wanted: u32,
    },
    /// A setting has another value.
    Setting {
        /// As Kafka calls it.
        name: String,
        /// The value that it has.
        there: String,
        /// The value that it should have.
        wanted: String,
    },
}

impl fmt::Display for TopicChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { partitions } => write!(formatter, "is missing, and is made with {partitions} partitions"),
            Self::Partitions { there, wanted } => {
                write!(formatter, "has {there} partitions, not {wanted}, which cannot be changed")
            }
            Self::Setting { name, there, wanted } => write!(formatter, "{name}: {there} -> {wanted}"),
        }
    }
}

impl PlannedTopic {
    /// Why it cannot be made as it should be, and what to do instead. Empty when it can.
    pub fn refusals(&self) -> Vec<String> {
        self.changes.iter().filter_map(|change| self.refusal(change)).collect()
    }

    fn refusal(&self, change: &TopicChange) -> Option<String> {
        let Self { name, owner, .. } = self;
        match (owner, change) {
            (Owner::Headway, TopicChange::Partitions { there, wanted }) => Some(format!(
                "topic {name} has {there} partitions and not {wanted}, and records would not be where their keys are looked for: \
                 give `--partitions {there}`, or choose another `prefix`"
            )),
            (Owner::Others, TopicChange::Partitions { there, wanted }) => Some(format!(
                "topic {name} has {there} partitions and not {wanted}, and belongs to somebody else: give `--partitions {there}`, which \
                 all topics of a pipeline have to have"
            )),
            (Owner::Others, TopicChange::Missing { partitions }) => Some(format!(
                "topic {name} is not there and belongs to somebody else: correct its name in [kafka.topics], or ask its owner for it, \
                 with {partitions} partitions and {}={}",
                TIME.0, TIME.1
            )),
            (Owner::Others, TopicChange::Setting { name: setting, there, wanted }) => Some(format!(
                "topic {name} has {setting}={there} and belongs to somebody else: ask its owner for {wanted}, since the time at which \
                 the log took a record decides what is late, and a producer's word for it cannot"
            )),
            (Owner::Headway, TopicChange::Missing { partitions }) if !self.can_be_made => Some(format!(
                "topic {name} is missing, and a client with a token makes no topics: make it with {partitions} partitions and {}={}",
                TIME.0, TIME.1
            )),
            (Owner::Headway, _) => None,
        }
    }
}

/// What a topic is to be set to.
pub(crate) fn wanted(topic: &TopicSpec) -> Vec<(&'static str, String)> {
    let forever = || "-1".to_owned();
    vec![
        (TIME.0, TIME.1.to_owned()),
        (CLEANUP, "delete".to_owned()),
        (RETENTION, topic.retention.map_or_else(forever, |span| span.0.to_string())),
        ("retention.bytes", topic.retention_bytes.map_or_else(forever, |bytes| bytes.to_string())),
        ("max.message.bytes", RECORD_BYTES_MAX.to_string()),
    ]
}

/// What is not as it should be about a topic with these settings. Of one that belongs to others only its time is asked for.
pub(crate) fn differences(topic: &TopicSpec, owner: Owner, there: &BTreeMap<String, String>) -> Vec<TopicChange> {
    let differs = |(name, wanted): (&'static str, String)| {
        let there = there.get(name).map_or("", |value| value);
        // A topic that takes larger records than ours is no worse for it.
        let larger = name == "max.message.bytes" && there.parse().is_ok_and(|there: usize| there >= RECORD_BYTES_MAX);
        let asked = owner == Owner::Headway || name == TIME.0;
        let change = || TopicChange::Setting { name: name.to_owned(), there: there.to_owned(), wanted: wanted.clone() };
        (asked && there != wanted && !larger).then(change)
    };
    wanted(topic).into_iter().filter_map(differs).collect()
}

impl TopicThere {
    /// The same with what its settings say.
    pub(crate) fn set(self, settings: &BTreeMap<String, String>) -> Self {
        let retention = settings.get(RETENTION).and_then(|text| text.parse().ok()).filter(|ms| *ms >= 0).map(Span);
        let compacted = settings.get(CLEANUP).is_some_and(|policy| policy.contains("compact"));
        Self { retention, compacted, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(owner: Owner, change: TopicChange, words: Option<&str>) {
        let topic = PlannedTopic {
            topic: "headway.eta.orders".into(),
            name: "shop.orders".into(),
            owner,
            there: None,
            changes: vec![change],
            can_be_made: true,
        };
        let refusals = topic.refusals().join("\n");
        match words {
            Some(words) => assert!(refusals.starts_with("topic shop.orders ") && refusals.contains(words), "{refusals}"),
            None => assert_eq!(refusals, ""),
        }
    }

    #[test]
    fn what_belongs_to_others_is_never_changed() {
        let time = || TopicChange::Setting { name: TIME.0.into(), there: "CreateTime".into(), wanted: TIME.1.into() };
        check(Owner::Headway, time(), None);
        check(Owner::Headway, TopicChange::Missing { partitions: 4 }, None);
        check(Owner::Headway, TopicChange::Partitions { there: 3, wanted: 4 }, Some("--partitions 3"));
        check(Owner::Others, time(), Some("decides what is late"));
        check(Owner::Others, TopicChange::Missing { partitions: 4 }, Some("ask its owner for it, with 4 partitions"));
        check(Owner::Others, TopicChange::Partitions { there: 3, wanted: 4 }, Some("--partitions 3"));
    }

    #[test]
    fn of_a_topic_of_others_only_its_time_is_asked_for() {
        let spec = TopicSpec { name: "in".into(), partitions: 1, retention: Some(Span(5)), retention_bytes: None };
        let there = BTreeMap::from([("retention.ms".into(), "4".into()), (TIME.0.into(), TIME.1.into())]);
        assert_eq!(differences(&spec, Owner::Others, &there), []);
        assert_eq!(differences(&spec, Owner::Headway, &there).len(), 4);
        assert_eq!(TopicThere::default().set(&there).retention, Some(Span(4)));
    }
}
