//! Topics in Avro and Protobuf: whether there is a registry for them, and whether its schemas have what the specs read.
//!
//! Looked at before anything is started, so that a topic which could give nothing but dead letters is found by a person. All faults
//! at once. What single records are worth is not decided here. The same is looked at again when somebody asks how things are.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use dataplane::{Backoff, Topics};
use io_registry::{Format, Kind, Mismatch, Registry, Wanted};
use pipeline::{Encoding, Field, FieldKind, Pipeline, Source, SourceKind};
use ports::ErrorKind;

use super::Host;
use crate::{doctor::Finding, failure::Failure};

/// How long a start waits for a registry: it may have been started in the same moment, and takes a few seconds for that.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whoever asks how things are does not wait for long; what is there answers in milliseconds.
const LOOK_WITHIN: Duration = Duration::from_secs(5);

/// A topic that is not in JSON, with one of the sources that read it.
struct Encoded<'a> {
    pipeline: &'a str,
    source: &'a Source,
    encoding: Encoding,
    topic: Arc<str>,
}

/// Lets the log decode what these pipelines declare, if the registry has it all.
pub(super) async fn agree<'a>(host: &Host, pipelines: impl Iterator<Item = &'a Pipeline>) -> Result<(), Failure> {
    let encoded: Vec<Encoded<'a>> = pipelines.flat_map(encoded).collect();
    if let Some(first) = encoded.first() {
        let log = &host.parts.log;
        let registry = log.registry().ok_or_else(|| Failure::configuration(unnamed(first, &encoded)))?;
        let faults = tokio::time::timeout(PATIENCE, insist(host, registry, &encoded)).await;
        let faults = faults.map_err(|_| {
            Failure::failed(format!(
                "the schema registry has not answered within {PATIENCE:?}: look whether it runs and is named rightly, then start again."
            ))
        })??;
        if !faults.is_empty() {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            return Err(Failure::configuration(format!("{}\nNothing was changed or started.", faults.join("\n"))));
        }
    }
    host.parts.log.decode_only(encoded.into_iter().map(|encoded| encoded.topic).collect::<BTreeSet<_>>());
    Ok(())
}

/// How the registry is, for a person; none when no topic needs one.
pub(super) async fn finding(host: &Host) -> Option<Finding> {
    const SUBJECT: &str = "registry";
    let hosted = host.hosted();
    let encoded: Vec<Encoded<'_>> = hosted.iter().flat_map(|hosted| encoded(hosted.pipeline())).collect();
    let registry = host.parts.log.registry().filter(|_| !encoded.is_empty())?;
    let found = tokio::time::timeout(LOOK_WITHIN, mismatches(host, registry, &encoded)).await;
    Some(match found {
        Ok(Ok(faults)) if faults.is_empty() => Finding::ok(
            SUBJECT,
            format!("it answers, and the latest schemas of {} topics have what is read of them", encoded.len()),
        ),
        Ok(Ok(faults)) => {
            let says = "the latest schemas do not have what is read of them; records of older ones are read all the same";
            let finding =
                Finding::fault(SUBJECT, says).with("Mend the schemas or the spec: the next start is refused like this.");
            Finding { lines: faults.iter().map(ToString::to_string).collect(), ..finding }
        }
        Ok(Err(error)) => Finding::fault(SUBJECT, error.to_string())
            .with("Records of schemas that are not known yet wait. Mend it; nothing has to be started again."),
        Err(_) => Finding::fault(SUBJECT, format!("it has not answered within {LOOK_WITHIN:?}"))
            .with("Look whether it runs. Records of schemas that are not known yet wait until it answers."),
    })
}

fn encoded(pipeline: &Pipeline) -> impl Iterator<Item = Encoded<'_>> {
    let topics = Topics::new(pipeline);
    pipeline.sources.iter().filter_map(move |source| {
        let SourceKind::Stream(stream) = &source.kind else { return None };
        let (encoding, topic) = (stream.encoding, topics.input(&stream.topic).into());
        (encoding != Encoding::Json).then_some(Encoded { pipeline: &pipeline.id, source, encoding, topic })
    })
}

fn unnamed(first: &Encoded<'_>, all: &[Encoded<'_>]) -> String {
    let Encoded { pipeline, source, encoding, .. } = first;
    let others = if all.len() > 1 { format!(" (and {} more)", all.len() - 1) } else { String::new() };
    format!(
        "{pipeline}: the source `{}` is encoded in {}{others}, and no schema registry is named: name one with --registry URL, \
         HEADWAY_REGISTRY or `[registry] url` in the file of servers. Nothing was changed or started.",
        source.name,
        encoding.name()
    )
}

/// Of all topics.
async fn mismatches(host: &Host, registry: &Registry, encoded: &[Encoded<'_>]) -> Result<Vec<Mismatch>, ports::Error> {
    let mut found = Vec::new();
    for Encoded { source, encoding, topic, .. } in encoded {
        let subject = subject(host, topic);
        let format = if *encoding == Encoding::Avro { Format::Avro } else { Format::Protobuf };
        let wanted: Vec<Wanted> = source.fields.iter().filter_map(wanted).collect();
        found.extend(registry.check(&subject, format, &wanted).await?);
    }
    Ok(found)
}

/// What the schemas of a topic are registered under: the name by which its producers know it, and what of a record they describe.
fn subject(host: &Host, topic: &str) -> String {
    let name = host.options.servers.kafka.as_ref().map_or_else(|| topic.to_owned(), |kafka| kafka.name_in_cluster(topic));
    format!("{name}-value")
}

/// The same, asked until the registry is there.
async fn insist(host: &Host, registry: &Registry, encoded: &[Encoded<'_>]) -> Result<Vec<Mismatch>, ports::Error> {
    let mut backoff = Backoff::default();
    loop {
        match mismatches(host, registry, encoded).await {
            Err(error) if error.kind() == ErrorKind::Transient => backoff.wait().await,
            other => return other,
        }
    }
}

/// A cell is made of two other fields.
fn wanted(field: &Field) -> Option<Wanted> {
    let kind = match &field.kind {
        FieldKind::Text => Kind::Text,
        FieldKind::Integer { .. } => Kind::Integer,
        FieldKind::Decimal { .. } => Kind::Decimal,
        FieldKind::Boolean => Kind::Boolean,
        FieldKind::Time => Kind::Time,
        FieldKind::Category(labels) => Kind::Category(labels.clone()),
        FieldKind::Cell { .. } => return None,
    };
    Some(Wanted { name: field.name.clone(), kind })
}
