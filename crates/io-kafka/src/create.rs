//! Looks after topics: asks how they are set, makes what is missing, changes what differs. What should be is for `plan` to say.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ports::TopicSpec;
use rdkafka::{
    admin::{
        AdminClient, AdminOptions, AlterConfig, ConfigResource, ConfigSource, NewTopic, ResourceSpecifier, TopicReplication,
    },
    types::RDKafkaErrorCode as Code,
};

use crate::{
    Error, Owner, PlannedTopic, Sasl, Settings, TopicChange, TopicPlan, TopicThere,
    client::{self, Telling},
    names::Names,
    plan::{differences, wanted},
};

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
        Ok(Self { admin, settings: settings.clone(), names: Names::new(settings) })
    }

    /// What would have to change. `there` tells what there is of a topic, if it is there.
    pub(crate) async fn plan(&self, topics: &[TopicSpec], there: &BTreeMap<Arc<str>, TopicThere>) -> Result<TopicPlan, Error> {
        let mut seen: Vec<&TopicSpec> = topics.iter().filter(|topic| there.contains_key(&topic.name)).collect();
        if self.is_blind() {
            seen.clear();
        }
        let settings = self.settings_of(&seen).await?;
        let planned = |topic: &TopicSpec| {
            let owner = if self.names.is_foreign(&topic.name) { Owner::Others } else { Owner::Headway };
            let settings = settings.get(&*topic.name).map(values);
            let there = there.get(&topic.name).map(|there| match &settings {
                Some(settings) => there.clone().set(settings),
                None => there.clone(),
            });
            let changes = match (&there, &settings) {
                (None, _) => vec![TopicChange::Missing { partitions: topic.partitions }],
                (Some(there), _) if there.partitions != topic.partitions => {
                    vec![TopicChange::Partitions { there: there.partitions, wanted: topic.partitions }]
                }
                (Some(_), Some(settings)) => differences(topic, owner, settings),
                (Some(_), None) => Vec::new(),
            };
            let (name, can_be_made) = (self.names.outside(&topic.name).into_owned(), !self.is_blind());
            PlannedTopic { topic: topic.name.clone(), name, owner, there, changes, can_be_made }
        };
        Ok(TopicPlan { topics: topics.iter().map(planned).collect() })
    }

    /// Makes what is missing and changes what differs; nothing of it when a part of it cannot be done.
    pub(crate) async fn apply(&self, topics: &[TopicSpec], plan: &TopicPlan) -> Result<(), Error> {
        let refusals = plan.refusals();
        if !refusals.is_empty() {
            return Err(Error::Request(format!("{}.", refusals.join(".\n"))));
        }
        for planned in plan.topics.iter().filter(|planned| !planned.changes.is_empty()) {
            let Some(topic) = topics.iter().find(|topic| topic.name == planned.topic) else { continue };
            match &planned.changes[..] {
                [TopicChange::Missing { .. }] => self.create(topic).await?,
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
            let what = || format!("the settings of topic {} cannot be read", self.names.outside(&topic.name));
            let answer =
                answer.map_err(|code| Error::Kafka { what: what(), source: rdkafka::error::KafkaError::AdminOp(code) })?;
            // A client without the right is answered with nothing, and the library keeps the reason to itself.
            if answer.entries.is_empty() {
                let source = rdkafka::error::KafkaError::AdminOp(Code::TopicAuthorizationFailed);
                return Err(Error::Kafka { what: what(), source });
            }
            all.insert(topic.name.to_string(), settings(answer));
        }
        Ok(all)
    }

    /// How a broker is set; nothing when this client may not see it.
    pub(crate) async fn settings_of_broker(&self, broker: i32) -> Result<Vec<(String, String)>, Error> {
        if self.is_blind() {
            return Ok(Vec::new());
        }
        let what = "the settings of a broker cannot be read";
        let asked = [ResourceSpecifier::Broker(broker)];
        let answers = self.admin.describe_configs(&asked, &self.options()).await.map_err(Error::kafka(what))?;
        match answers.into_iter().next() {
            None | Some(Err(Code::ClusterAuthorizationFailed)) => Ok(Vec::new()),
            Some(Ok(answer)) => Ok(answer.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?))).collect()),
            Some(Err(code)) => Err(Error::Kafka { what: what.into(), source: rdkafka::error::KafkaError::AdminOp(code) }),
        }
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

fn values(settings: &BTreeMap<String, Setting>) -> BTreeMap<String, String> {
    settings.iter().map(|(name, setting)| (name.clone(), setting.value.clone())).collect()
}

fn settings(answer: ConfigResource) -> BTreeMap<String, Setting> {
    let setting = |entry: rdkafka::admin::ConfigEntry| {
        let own = matches!(entry.source, ConfigSource::DynamicTopic);
        Some((entry.name, Setting { value: entry.value?, own }))
    };
    answer.entries.into_iter().filter_map(setting).collect()
}
