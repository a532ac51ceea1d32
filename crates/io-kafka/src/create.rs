//! Topics as they should be, compared with those that are there.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use ports::TopicSpec;
use rdkafka::{
    admin::{
        AdminClient, AdminOptions, AlterConfig, ConfigResource, ConfigSource, NewTopic, ResourceSpecifier, TopicReplication,
    },
    types::RDKafkaErrorCode as Code,
};

use crate::{
    Error, Sasl, Settings,
    client::{self, Telling},
    names::Names,
    transactions::RECORD_BYTES_MAX,
};

/// What Headway asks of each of its topics, beside how many partitions it has.
const TIMESTAMP: (&str, &str) = ("message.timestamp.type", "LogAppendTime");

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
            Self::Setting { name, there, wanted } => write!(formatter, "has {name}={there}, which becomes {wanted}"),
        }
    }
}

/// What would have to change, by the name of the topic. Topics that are as they should be are not in it.
pub type TopicPlan = Vec<(Arc<str>, Vec<TopicChange>)>;

/// Whoever may look after topics.
pub(crate) struct Topics {
    admin: AdminClient<Telling>,
    settings: Arc<Settings>,
    names: Names,
}

impl Topics {
    pub(crate) fn new(settings: &Arc<Settings>) -> Result<Self, Error> {
        let admin = client::config(settings).create_with_context(Telling::new(settings.clone()));
        let admin = admin.map_err(Error::kafka("topics cannot be looked after"))?;
        Ok(Self { admin, settings: settings.clone(), names: Names::new(&settings.prefix) })
    }

    /// What would have to change. `partitions` tells how many there are of a topic, if it is there.
    pub(crate) async fn plan(&self, topics: &[TopicSpec], partitions: impl Fn(&str) -> Option<u32>) -> Result<TopicPlan, Error> {
        let mut there: Vec<&TopicSpec> = topics.iter().filter(|topic| partitions(&topic.name).is_some()).collect();
        if self.is_blind() {
            there.clear();
        }
        let settings = self.settings_of(&there).await?;
        let changes = topics.iter().map(|topic| {
            let changes = match partitions(&topic.name) {
                None => vec![TopicChange::Missing { partitions: topic.partitions }],
                Some(there) if there != topic.partitions => {
                    vec![TopicChange::Partitions { there, wanted: topic.partitions }]
                }
                Some(_) => differences(topic, settings.get(&*topic.name)),
            };
            (topic.name.clone(), changes)
        });
        Ok(changes.filter(|(_, changes)| !changes.is_empty()).collect())
    }

    /// Makes what is missing and changes what differs.
    pub(crate) async fn apply(&self, topics: &[TopicSpec], plan: &TopicPlan) -> Result<(), Error> {
        let of = |name: &Arc<str>| topics.iter().find(|topic| topic.name == *name);
        for (name, changes) in plan {
            let Some(topic) = of(name) else { continue };
            match &changes[..] {
                [TopicChange::Missing { .. }] => self.create(topic).await?,
                [TopicChange::Partitions { there, wanted }] => {
                    return Err(Error::Request(format!(
                        "topic {name:?} has {there} partitions and not {wanted}: name that number, or another topic."
                    )));
                }
                _ => self.alter(topic).await?,
            }
        }
        Ok(())
    }

    /// The client that looks after topics is never asked for a token, so where tokens are what counts it cannot connect.
    fn is_blind(&self) -> bool {
        matches!(self.settings.security.sasl, Some(Sasl::Bearer { .. }))
    }

    async fn create(&self, topic: &TopicSpec) -> Result<(), Error> {
        let name = self.names.outside(&topic.name);
        if self.is_blind() {
            let partitions = topic.partitions;
            let settings: Vec<_> = wanted(topic).into_iter().map(|(name, value)| format!("{name}={value}")).collect();
            return Err(Error::Request(format!(
                "topic {name} is missing, and topics cannot be made by a client with a token: make it with {partitions} partitions \
                 and {}.",
                settings.join(", ")
            )));
        }
        let what = || format!("topic {name} cannot be made");
        let settings = wanted(topic);
        let replication = TopicReplication::Fixed(self.settings.replication.unwrap_or(-1));
        let new = NewTopic::new(&name, topic.partitions.cast_signed(), replication);
        let new = settings.iter().fold(new, |new, (key, value)| new.set(key, value));
        let answers = self.admin.create_topics([&new], &self.options()).await.map_err(Error::kafka(what()))?;
        match answers.into_iter().next() {
            // Another process was faster.
            None | Some(Ok(_) | Err((_, Code::TopicAlreadyExists))) => Ok(()),
            Some(Err((_, code))) => Err(Error::Kafka { what: what(), source: rdkafka::error::KafkaError::AdminOp(code) }),
        }
    }

    /// The call replaces all settings of a topic, so those that somebody else has made are said again.
    async fn alter(&self, topic: &TopicSpec) -> Result<(), Error> {
        let name = self.names.outside(&topic.name);
        let what = || format!("topic {name} cannot be changed");
        let mut settings = self.settings_of(&[topic]).await?.remove(&*topic.name).unwrap_or_default();
        settings.retain(|_, setting| setting.own);
        let mut values: BTreeMap<String, String> = settings.into_iter().map(|(name, setting)| (name, setting.value)).collect();
        values.extend(wanted(topic).into_iter().map(|(name, value)| (name.to_owned(), value)));
        let change = AlterConfig::new(ResourceSpecifier::Topic(&name));
        let change = values.iter().fold(change, |change, (name, value)| change.set(name, value));
        let answers = self.admin.alter_configs([&change], &self.options()).await.map_err(Error::kafka(what()))?;
        match answers.into_iter().next() {
            None | Some(Ok(_)) => Ok(()),
            Some(Err((_, code))) => Err(Error::Kafka { what: what(), source: rdkafka::error::KafkaError::AdminOp(code) }),
        }
    }

    async fn settings_of(&self, topics: &[&TopicSpec]) -> Result<BTreeMap<String, BTreeMap<String, Setting>>, Error> {
        if topics.is_empty() {
            return Ok(BTreeMap::new());
        }
        let what = "the settings of topics cannot be read";
        let names: Vec<_> = topics.iter().map(|topic| self.names.outside(&topic.name)).collect();
        let asked: Vec<_> = names.iter().map(|name| ResourceSpecifier::Topic(name)).collect();
        let answers = self.admin.describe_configs(&asked, &self.options()).await.map_err(Error::kafka(what))?;
        let mut all = BTreeMap::new();
        for (topic, answer) in topics.iter().zip(answers) {
            let answer =
                answer.map_err(|code| Error::Kafka { what: what.into(), source: rdkafka::error::KafkaError::AdminOp(code) })?;
            all.insert(topic.name.to_string(), settings(answer));
        }
        Ok(all)
    }

    fn options(&self) -> AdminOptions {
        let answer_max: Duration = self.settings.answer_max;
        AdminOptions::new().request_timeout(Some(answer_max)).operation_timeout(Some(answer_max))
    }
}

/// A setting of a topic that is there.
struct Setting {
    value: String,
    /// Somebody has set it for this topic.
    own: bool,
}

fn settings(answer: ConfigResource) -> BTreeMap<String, Setting> {
    let setting = |entry: rdkafka::admin::ConfigEntry| {
        let own = matches!(entry.source, ConfigSource::DynamicTopic);
        Some((entry.name, Setting { value: entry.value?, own }))
    };
    answer.entries.into_iter().filter_map(setting).collect()
}

fn wanted(topic: &TopicSpec) -> Vec<(&'static str, String)> {
    let forever = || "-1".to_owned();
    vec![
        (TIMESTAMP.0, TIMESTAMP.1.to_owned()),
        ("cleanup.policy", "delete".to_owned()),
        ("retention.ms", topic.retention.map_or_else(forever, |span| span.0.to_string())),
        ("retention.bytes", topic.retention_bytes.map_or_else(forever, |bytes| bytes.to_string())),
        ("max.message.bytes", RECORD_BYTES_MAX.to_string()),
    ]
}

fn differences(topic: &TopicSpec, there: Option<&BTreeMap<String, Setting>>) -> Vec<TopicChange> {
    let Some(there) = there else { return Vec::new() };
    let differs = |(name, wanted): (&'static str, String)| {
        let there = there.get(name).map_or("", |setting| &setting.value);
        // A topic that takes larger records than ours is no worse for it.
        let larger = name == "max.message.bytes" && there.parse().is_ok_and(|there: usize| there >= RECORD_BYTES_MAX);
        let change = || TopicChange::Setting { name: name.to_owned(), there: there.to_owned(), wanted: wanted.clone() };
        (there != wanted && !larger).then(change)
    };
    wanted(topic).into_iter().filter_map(differs).collect()
}
