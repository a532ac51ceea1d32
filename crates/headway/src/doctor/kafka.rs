//! Kafka: whether it answers, how many copies it keeps, and whether the topics of what is deployed are as they should be.

use io_folder::FolderArtifacts;
use io_kafka::{Inspection, KafkaLog, TopicPlan};
use ports::{Deployment, clock_fn};

use super::{Finding, Level, servers::split};
use crate::{
    failure::Failure,
    host::{PARTITIONS_OF_KAFKA, known_partitions, wall_clock},
    settings::Servers,
    topics::{Generation, changes, generations, remarks, specs},
};

pub(super) const SUBJECT: &str = "kafka";
pub(super) const TOPICS: &str = "topics";

pub(super) async fn findings(servers: &Servers, deployments: &[Deployment], artifacts: Option<&FolderArtifacts>) -> Vec<Finding> {
    let Some(named) = &servers.kafka else { return Vec::new() };
    // What is wrong with a spec is told where pipelines are looked at.
    let deployed = all_generations(deployments).unwrap_or_default();
    // Without a pipeline nobody knows what the names of topics mean.
    let resolved = match deployed.is_empty() {
        true => Ok(servers.clone()),
        false => servers.clone().reading(deployed.iter().map(|generation| &generation.pipeline)),
    };
    let settings = match resolved {
        Ok(servers) => servers.kafka.unwrap_or_else(|| named.clone()),
        Err(failure) => return vec![Finding::fault(TOPICS, failure.message)],
    };
    let session_ms = settings.session_max.as_millis();
    let opened = KafkaLog::open(settings, clock_fn(1.0, wall_clock)).map_err(ports::Error::from);
    let log = match opened {
        Ok(log) => log,
        Err(error) => return vec![Finding::fault(SUBJECT, error.to_string())],
    };
    let mut findings = match log.inspect().await {
        Ok(seen) => cluster(&seen, session_ms),
        Err(error) => return vec![failed(SUBJECT, &error)],
    };
    findings.push(topics(&log, &deployed, artifacts).await);
    findings
}

/// What to do is what the adapter says behind the last semicolon; nobody tries anything again here.
fn failed(subject: &str, error: &ports::Error) -> Finding {
    let message = error.to_string();
    let (says, todo) = message.rsplit_once("; ").unwrap_or((&message, "look at the brokers"));
    let todo = todo.trim_end_matches(", as `headway doctor` does");
    split(subject, Level::Fault, &format!("{}: {todo}", says.trim_end_matches("; it is tried again")))
}

fn all_generations(deployments: &[Deployment]) -> Result<Vec<Generation>, Failure> {
    let mut all = Vec::new();
    for deployment in deployments {
        all.extend(generations(deployment)?);
    }
    Ok(all)
}

fn cluster(seen: &Inspection, session_ms: u128) -> Vec<Finding> {
    let count = seen.brokers.len();
    let says = format!("{count} {} at {}", if count == 1 { "broker answers" } else { "brokers answer" }, seen.brokers.join(", "));
    let lines = if seen.settings.is_empty() {
        vec!["its settings are not for this user to see, which does no harm".to_owned()]
    } else {
        seen.settings.iter().map(|(name, value)| format!("{name}={value}")).collect()
    };
    let mut findings = vec![Finding { lines, ..Finding::ok(SUBJECT, says) }];
    for (name, value) in seen.lonely() {
        findings.push(
            Finding::warning(SUBJECT, format!("{name}={value} with {count} brokers: the loss of one loses records"))
                .with("Set it to 3, or `replication` in the servers file for the topics that Headway makes."),
        );
    }
    if let Some(least) = seen.session_min_ms().filter(|least| u128::from(*least) > session_ms) {
        findings.push(
            Finding::fault(SUBJECT, format!("group.min.session.timeout.ms={least}, and sessions are {session_ms}ms long"))
                .with(format!("Set `session` in the servers file to {least}ms or more.")),
        );
    }
    findings
}

async fn topics(log: &KafkaLog, deployed: &[Generation], artifacts: Option<&FolderArtifacts>) -> Finding {
    if deployed.is_empty() {
        return Finding::ok(TOPICS, "no pipeline is deployed yet: `headway topics plan PIPELINE` shows what one needs");
    }
    let partitions = match artifacts {
        Some(artifacts) => known_partitions(artifacts, None, PARTITIONS_OF_KAFKA).await,
        None => Ok(PARTITIONS_OF_KAFKA),
    };
    let partitions = match partitions {
        Ok(partitions) => partitions,
        Err(failure) => return Finding::fault(TOPICS, failure.message),
    };
    match log.plan(&specs(deployed, partitions)).await {
        Ok(plan) => compared(&plan, remarks(&plan, deployed.iter().map(|generation| &generation.pipeline))),
        Err(error) => failed(TOPICS, &error),
    }
}

fn compared(plan: &TopicPlan, remarks: Vec<String>) -> Finding {
    let refusals = plan.refusals();
    let (all, other) = (plan.topics.len(), plan.topics.iter().filter(|topic| !topic.changes.is_empty()).count());
    if !refusals.is_empty() {
        let finding = Finding::fault(TOPICS, format!("{other} of {all} topics are not as they should be, and cannot be made so"));
        return Finding { lines: refusals, ..finding }
            .with("Do what the lines above say; `headway topics plan` shows all topics.");
    }
    if other > 0 {
        let changed = plan.topics.iter().filter(|topic| !topic.changes.is_empty());
        let lines = changed.map(|topic| format!("{}: {}", topic.name, changes(topic))).collect();
        let finding = Finding::warning(TOPICS, format!("{other} of {all} topics are not as they should be"));
        return Finding { lines, ..finding }.with("`headway topics apply` makes them so, and so does the next start.");
    }
    if !remarks.is_empty() {
        let finding = Finding::warning(TOPICS, format!("{all} topics are there, and something is to be known of them"));
        return Finding { lines: remarks, ..finding };
    }
    Finding::ok(TOPICS, format!("{all} topics are as they should be"))
}
