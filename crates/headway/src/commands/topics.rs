//! `headway topics`: the topics of pipelines in Kafka, what would change about them, and the change itself.

use io_folder::Folder;
use io_kafka::{KafkaLog, TopicChange, TopicPlan};
use pipeline::Pipeline;
use ports::{Deployment, TopicSpec, clock_fn};
use serde_json::{Value, json};

use crate::{
    arguments::{Topics, TopicsOf},
    console::Console,
    failure::{BAD_CONFIGURATION, ExitNumber, Failure, SUCCESS, WOULD_CHANGE},
    host::{PARTITIONS_OF_KAFKA, known_partitions, wall_clock},
    settings::Servers,
    topics::{self, deployment, generations, owner, remarks, specs},
};

pub(super) fn run(arguments: &Topics, console: &Console) -> Result<ExitNumber, Failure> {
    let runtime = super::run::runtime(2)?;
    match arguments {
        Topics::Plan(of) => runtime.block_on(show(of, console)),
        Topics::Apply(of) => runtime.block_on(apply(of, console)),
    }
}

/// What is there and what should be.
struct Compared {
    log: KafkaLog,
    brokers: String,
    specs: Vec<TopicSpec>,
    plan: TopicPlan,
    remarks: Vec<String>,
}

async fn compare(arguments: &TopicsOf) -> Result<Compared, Failure> {
    let mut wanted = Vec::new();
    let look = Folder::look(&arguments.folder).map_err(ports::Error::from)?;
    let deployed = look.as_ref().map_or(Ok(Vec::new()), io_folder::Look::deployments)?;
    for folder in &arguments.pipelines {
        let pipeline = pipeline::load(folder)?;
        let file = folder.join("pipeline.toml");
        let spec = std::fs::read_to_string(&file).map_err(|error| Failure::reading(&file, &error))?;
        let current: Option<Deployment> = deployed.iter().find(|deployed| deployed.pipeline == pipeline.id).cloned();
        wanted.extend(generations(&deployment(current, &pipeline, &spec)?)?);
    }
    let pipelines: Vec<&Pipeline> = wanted.iter().map(|generation| &generation.pipeline).collect();
    let servers = Servers::resolve(&arguments.servers)?.reading(pipelines.iter().copied())?;
    let settings =
        servers.kafka.ok_or_else(|| Failure::configuration("topics are in Kafka: name its brokers by --kafka or --servers."))?;
    let partitions = match &look {
        Some(look) => known_partitions(look.artifacts(), arguments.partitions, PARTITIONS_OF_KAFKA).await?,
        None => arguments.partitions.unwrap_or(PARTITIONS_OF_KAFKA),
    };
    let specs = specs(&wanted, partitions);
    let brokers = settings.brokers.clone();
    let log = KafkaLog::open(settings, clock_fn(1.0, wall_clock)).map_err(ports::Error::from)?;
    let plan = log.plan(&specs).await?;
    let remarks = remarks(&plan, pipelines);
    Ok(Compared { log, brokers, specs, plan, remarks })
}

async fn show(arguments: &TopicsOf, console: &Console) -> Result<ExitNumber, Failure> {
    let compared = compare(arguments).await?;
    let refused = !compared.plan.refusals().is_empty();
    console.result(|| compared.object(false), || compared.text(&compared.summary()))?;
    Ok(match (compared.plan.is_done(), refused) {
        (_, true) => ExitNumber(BAD_CONFIGURATION),
        (true, false) => SUCCESS,
        (false, false) => ExitNumber(WOULD_CHANGE),
    })
}

async fn apply(arguments: &TopicsOf, console: &Console) -> Result<ExitNumber, Failure> {
    let compared = compare(arguments).await?;
    if !compared.plan.refusals().is_empty() {
        console.result(|| compared.object(false), || compared.text("Nothing was changed."))?;
        return Ok(ExitNumber(BAD_CONFIGURATION));
    }
    compared.log.apply(&compared.specs, &compared.plan).await?;
    console.result(|| compared.object(true), || compared.done())?;
    Ok(SUCCESS)
}

impl Compared {
    fn count(&self) -> (usize, usize, usize) {
        let made = |topic: &&io_kafka::PlannedTopic| topic.there.is_none();
        let missing = self.plan.topics.iter().filter(made).count();
        let right = self.plan.topics.iter().filter(|topic| topic.changes.is_empty()).count();
        (missing, self.plan.topics.len() - missing - right, right)
    }

    fn summary(&self) -> String {
        match self.count() {
            (0, 0, right) => format!("Nothing to do: {right} topics are as they should be."),
            _ if !self.plan.refusals().is_empty() => "It cannot be done as it is.".to_owned(),
            (missing, other, right) => format!(
                "{missing} topics are missing, {other} differ, {right} are as they should be. `headway topics apply` does it, and so does \
                 the start of `headway run`."
            ),
        }
    }

    fn text(&self, summary: &str) -> String {
        let mut text = format!("{}\n", topics::text(&self.plan));
        text.extend(self.plan.refusals().iter().map(|refusal| format!("cannot: {refusal}\n")));
        text.extend(self.remarks.iter().map(|remark| format!("note: {remark}\n")));
        text + summary
    }

    /// What was done, a line for each topic.
    fn done(&self) -> String {
        let changed = self.plan.topics.iter().filter(|topic| !topic.changes.is_empty());
        let lines = changed.map(|topic| match &topic.changes[..] {
            [TopicChange::Missing { partitions }] => format!("made {} with {partitions} partitions\n", topic.name),
            _ => format!("changed {}: {}\n", topic.name, topics::changes(topic)),
        });
        let mut text: String = lines.collect();
        text.extend(self.remarks.iter().map(|remark| format!("note: {remark}\n")));
        let (missing, other, right) = self.count();
        text + &format!("{missing} made, {other} changed, {right} were as they should be.")
    }

    fn object(&self, applied: bool) -> Value {
        let topic = |topic: &io_kafka::PlannedTopic| {
            let there = topic.there.as_ref().map(|there| {
                json!({
                    "partitions": there.partitions, "replicas": there.replicas, "partitions_behind": there.behind,
                    "retention_ms": there.retention.map(|span| span.0), "compacted": there.compacted,
                })
            });
            json!({
                "topic": &*topic.topic, "name": topic.name, "owner": owner(topic.owner),
                "there": there, "changes": topic.changes.iter().map(change).collect::<Vec<Value>>(), "refused": topic.refusals(),
            })
        };
        json!({
            "brokers": self.brokers,
            "done": applied || self.plan.is_done(),
            "applied": applied,
            "topics": self.plan.topics.iter().map(topic).collect::<Vec<Value>>(),
            "refused": self.plan.refusals(),
            "notes": self.remarks,
        })
    }
}

fn change(change: &TopicChange) -> Value {
    match change {
        TopicChange::Missing { partitions } => json!({ "kind": "missing", "partitions": partitions }),
        TopicChange::Partitions { there, wanted } => json!({ "kind": "partitions", "there": there, "wanted": wanted }),
        TopicChange::Setting { name, there, wanted } => {
            json!({ "kind": "setting", "name": name, "there": there, "wanted": wanted })
        }
    }
}
