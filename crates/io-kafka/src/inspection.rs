//! What a cluster is like, for a person who looks after it. Never changes anything there.

use rdkafka::consumer::Consumer;

use crate::{Error, KafkaLog};

/// What of a broker's settings is worth a look.
const LOOKED_AT: [&str; 5] = [
    "default.replication.factor",
    "offsets.topic.replication.factor",
    "transaction.state.log.replication.factor",
    "message.max.bytes",
    "group.min.session.timeout.ms",
];

/// The cluster at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Addresses of the brokers.
    pub brokers: Vec<String>,
    /// Some settings of the first of them; empty when this client has no right to see them.
    pub settings: Vec<(String, String)>,
}

impl Inspection {
    /// Settings that keep fewer copies than there could be.
    pub fn lonely(&self) -> Vec<&(String, String)> {
        let alone = |(name, value): &&(String, String)| name.ends_with("replication.factor") && value == "1";
        if self.brokers.len() > 1 { self.settings.iter().filter(alone).collect() } else { Vec::new() }
    }

    /// The shortest session in milliseconds that members may have.
    pub fn session_min_ms(&self) -> Option<u64> {
        let (_, value) = self.settings.iter().find(|(name, _)| name == "group.min.session.timeout.ms")?;
        value.parse().ok()
    }
}

impl KafkaLog {
    /// What a person who looks after the cluster should know of it. Changes nothing there.
    pub async fn inspect(&self) -> Result<Inspection, ports::Error> {
        let brokers = self.wait(|inner| {
            let metadata = inner.asking.ask("the brokers are not known", |asking, wait| asking.fetch_metadata(None, wait))?;
            Ok::<_, Error>(metadata.brokers().iter().map(|one| (one.id(), format!("{}:{}", one.host(), one.port()))).collect())
        });
        let brokers: Vec<(i32, String)> = brokers.await?;
        let mut settings = match brokers.first() {
            Some((first, _)) => self.inner.topics.settings_of_broker(*first).await?,
            None => Vec::new(),
        };
        settings.retain(|(name, _)| LOOKED_AT.contains(&name.as_str()));
        Ok(Inspection { brokers: brokers.into_iter().map(|(_, address)| address).collect(), settings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_copy_is_lonely_only_where_there_could_be_two() {
        let settings = vec![("default.replication.factor".to_owned(), "1".to_owned())];
        let one = Inspection { brokers: vec!["a:1".into()], settings };
        assert_eq!(one.lonely().len(), 0);
        let two = Inspection { brokers: vec!["a:1".into(), "b:1".into()], ..one };
        assert_eq!(two.lonely().len(), 1);
    }
}
