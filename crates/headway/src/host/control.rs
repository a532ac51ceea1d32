//! Questions from other processes while this one holds the folder: a socket beside the log, one JSON object a line each way.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use dataplane::{features::Counts, scorer};
use domain::{Span, Timestamp};
use ports::{Log, Outgoing};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
};

use workbench::Question;

use super::{Host, Hosted, Status, encodings, preview, reading::Reading};
use crate::{
    doctor::{self, Finding, Patient},
    failure::Failure,
    models::Wanted,
    parts::AnyLog,
};

/// A request carries at most some thousands of events.
const REQUEST_BYTES_MAX: u64 = 16 << 20;

/// What may be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// The vectors of an entity.
    Read { pipeline: Option<String>, entity: String, key: String },
    /// Take these events into the log.
    Append { events: Vec<Event> },
    /// How it goes.
    Status,
    /// What a value is made of, at an instant or now.
    Explain { pipeline: Option<String>, entity: String, feature: String, at_ms: Option<i64> },
    /// What the latest prediction of a case is made of.
    ExplainCase { pipeline: Option<String>, entity: String, key: String },
    /// What a spec in this folder would change, by the values of so many hours.
    Plan { spec: PathBuf, hours: u32 },
    /// How much what came too late would have moved, so far back from now.
    AuditLate { pipeline: Option<String>, back_ms: i64 },
    /// Whether all is well.
    Doctor,
    /// The models that are kept, and which one speaks.
    Models { pipeline: Option<String> },
    /// Let another model speak, or none; `by` says who wants it.
    UseModel { pipeline: Option<String>, wanted: Wanted, by: String },
}

/// One event for the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) topic: String,
    pub(crate) key: String,
    /// JSON as it is to be written; broken events are texts too.
    pub(crate) payload: String,
}

/// What is answered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Reading(Reading),
    Appended(usize),
    /// For programs and for people.
    Told {
        object: serde_json::Value,
        text: String,
    },
    Status {
        records: u64,
        entities: u64,
        /// Records that were taken again since the start.
        replayed: u64,
        lag_records: u64,
        partitions: usize,
        /// Which those are, of any pipeline and generation.
        owns: BTreeSet<u32>,
        /// Predictions that were committed since the start, and cases that are open in the partitions of this process.
        predictions: u64,
        cases_open: u64,
        /// Outcomes of predictions since the start, and predictions that wait for theirs.
        outcomes: u64,
        outcomes_pending: u64,
        /// Records refused and parts dropped since the start, by reason.
        refused: BTreeMap<String, u64>,
        /// Whether everything in the log was taken and written.
        settled: bool,
        now: String,
        /// Where metrics and probes are answered.
        listens_on: Option<String>,
    },
    Findings(Vec<Finding>),
    /// It could not be done, for this reason.
    Failed(String),
    /// It can never be done as it was asked for: exit code 78.
    Refused(String),
}

/// Answers until the host is gone. The socket of a process that was killed is replaced: whoever holds the log is the only one.
pub(crate) fn listen(host: Arc<Host>) -> Result<(), Failure> {
    let socket = Host::socket(&host.options.folder);
    let _ = std::fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket).map_err(|error| {
        Failure::failed(format!(
            "cannot listen on {}: {error}; a path of at most 100 bytes is needed: choose a shorter --folder.",
            socket.display()
        ))
    })?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(host.clone(), stream));
        }
    });
    Ok(())
}

async fn serve(host: Arc<Host>, stream: UnixStream) {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    // Whoever asks has gone away when it cannot be answered.
    while let Ok(Some(line)) = line(&mut read).await {
        let answer = match serde_json::from_slice(&line) {
            Ok(request) => answer(&host, request).await.unwrap_or_else(|failure| Answer::Failed(failure.message)),
            Err(error) => Answer::Failed(format!("this request cannot be read: {error}")),
        };
        let mut bytes = serde_json::to_vec(&answer).unwrap_or_default();
        bytes.push(b'\n');
        if write.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn line(read: &mut BufReader<impl AsyncRead + Unpin>) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let count = read.take(REQUEST_BYTES_MAX).read_until(b'\n', &mut line).await?;
    Ok((count > 0).then_some(line))
}

/// Answers a question.
pub(crate) async fn answer(host: &Arc<Host>, request: Request) -> Result<Answer, Failure> {
    match request {
        Request::Read { pipeline, entity, key } => Ok(Answer::Reading(host.read(pipeline.as_deref(), &entity, &key).await?)),
        Request::Explain { pipeline, entity, feature, at_ms } => {
            host.explain(pipeline.as_deref(), &entity, &feature, at_ms.map(Timestamp)).await
        }
        Request::ExplainCase { pipeline, entity, key } => told(&host.explain_case(pipeline.as_deref(), &entity, &key).await?),
        Request::Plan { spec, hours } => {
            let (object, text) = preview::preview(host, &spec, hours).await?;
            Ok(Answer::Told { object, text })
        }
        Request::AuditLate { pipeline, back_ms } => host.audit_late(pipeline.as_deref(), Span(back_ms)).await,
        Request::Doctor => Ok(Answer::Findings(host.examine().await?)),
        Request::Models { pipeline } => host.list_models(pipeline.as_deref()).await,
        Request::UseModel { pipeline, wanted, by } => match host.use_model(pipeline.as_deref(), &wanted, &by).await {
            Err(failure) if failure.is_setting() => Ok(Answer::Refused(failure.message)),
            other => other,
        },
        Request::Append { events } => Ok(Answer::Appended(host.append(events).await?)),
        Request::Status => {
            let Status { counts, predictions, outcomes, partitions, lag_records, settled, .. } = host.status().await?;
            let scorer::Counts { predictions, open: cases_open, .. } = predictions.unwrap_or_default();
            let outcomes = outcomes.unwrap_or_default();
            let now = host.clock().now().to_string();
            let Counts { records, entities, replayed, refused, .. } = counts;
            let refused = refused.into_iter().map(|(reason, count)| (reason.to_owned(), count)).collect();
            let owned = |hosted: Arc<Hosted>| hosted.watch.counts().into_keys().map(|(_, partition)| partition);
            let owns = host.hosted().into_iter().flat_map(owned).collect();
            let listens_on = host.listens_on.get().map(ToString::to_string);
            Ok(Answer::Status {
                records,
                entities,
                replayed,
                lag_records,
                partitions,
                owns,
                predictions,
                cases_open,
                outcomes: outcomes.total(),
                outcomes_pending: outcomes.pending,
                refused,
                settled,
                now,
                listens_on,
            })
        }
    }
}

impl Host {
    async fn explain(
        &self,
        pipeline: Option<&str>,
        entity: &str,
        feature: &str,
        at: Option<Timestamp>,
    ) -> Result<Answer, Failure> {
        let at = at.unwrap_or_else(|| self.clock().now());
        let plans = self.one(pipeline)?.plans();
        let questions = plans.iter().map(|plan| (plan, Question::new(&plan.pipeline, entity, feature, at)));
        // Generations share the features out among them; a fault of the question is a fault for all of them.
        let (mut found, mut fault) = (None, None);
        for (plan, question) in questions {
            match question {
                Ok(question) => found = Some((plan, question)),
                Err(error) => fault = Some(error),
            }
        }
        match (found, fault) {
            (Some((plan, question)), _) => told(&workbench::explain(&self.parts.log, plan, &question).await?),
            (None, Some(fault)) => Err(fault.into()),
            (None, None) => Err(Failure::failed("nothing runs here")),
        }
    }

    async fn audit_late(&self, pipeline: Option<&str>, back: Span) -> Result<Answer, Failure> {
        let until = self.clock().now();
        let plans = self.one(pipeline)?.plans();
        let (mut objects, mut texts) = (Vec::new(), Vec::new());
        for plan in &plans {
            let report = workbench::late(&self.parts.log, plan, until.minus(back), until, &workbench::Unseen).await?;
            objects.push(serde_json::to_value(&report).map_err(|error| Failure::failed(error.to_string()))?);
            texts.push(report.to_string());
        }
        Ok(Answer::Told { object: serde_json::json!({ "generations": objects }), text: texts.join("\n") })
    }

    async fn examine(&self) -> Result<Vec<Finding>, Failure> {
        let log = match self.parts.log.beneath().clone() {
            AnyLog::Embedded(log) => {
                let inspected = tokio::task::spawn_blocking(move || log.inspect()).await;
                Some(inspected.map_err(|error| Failure::failed(format!("the log was not looked at: {error}")))??)
            }
            AnyLog::Kafka(_) => None,
        };
        let deployments = self.hosted().iter().map(|hosted| hosted.deployment()).collect();
        let (folder, artifacts, now) = (&*self.options.folder, self.parts.artifacts.clone(), self.clock().now());
        let servers = &self.options.servers;
        let patient = Patient { folder, log, deployments, artifacts: Some(artifacts), now, servers };
        let mut findings = doctor::inside(patient).await;
        findings.extend(encodings::finding(self).await);
        Ok(findings)
    }

    /// Appends events, each to the partition of its key. When this returns they survive a crash.
    pub(crate) async fn append(&self, events: Vec<Event>) -> Result<usize, Failure> {
        let outgoing: Vec<Outgoing> = outgoing(events, self.partitions).collect();
        let count = outgoing.len();
        self.parts.log.append(outgoing).await?;
        Ok(count)
    }
}

fn told<T: Serialize + std::fmt::Display>(answer: &T) -> Result<Answer, Failure> {
    let object = serde_json::to_value(answer).map_err(|error| Failure::failed(error.to_string()))?;
    Ok(Answer::Told { object, text: answer.to_string() })
}

/// Events as the log takes them, each for the partition of its key.
pub(crate) fn outgoing(events: Vec<Event>, partitions: u32) -> impl Iterator<Item = Outgoing> {
    events.into_iter().map(move |event| Outgoing {
        partition: domain::partition_of(event.key.as_bytes(), partitions),
        topic: event.topic.into(),
        key: Bytes::from(event.key),
        value: Bytes::from(event.payload),
        headers: Vec::new(),
    })
}

/// Somebody who asks the process that holds a folder.
pub(crate) struct Client {
    read: BufReader<tokio::net::unix::OwnedReadHalf>,
    write: tokio::net::unix::OwnedWriteHalf,
}

impl Client {
    /// None when no process holds the folder.
    pub(crate) async fn connect(folder: &Path) -> Option<Self> {
        let (read, write) = UnixStream::connect(Host::socket(folder)).await.ok()?.into_split();
        Some(Self { read: BufReader::new(read), write })
    }

    /// Asks, and waits for the answer; one that says why it could not be done is a failure.
    pub(crate) async fn ask(&mut self, request: &Request) -> Result<Answer, Failure> {
        let gone = || Failure::failed("the process that holds the folder has gone away: try again.");
        let mut bytes = serde_json::to_vec(request).map_err(|error| Failure::failed(error.to_string()))?;
        bytes.push(b'\n');
        self.write.write_all(&bytes).await.map_err(|_| gone())?;
        let line = line(&mut self.read).await.ok().flatten().ok_or_else(gone)?;
        match serde_json::from_slice(&line) {
            Ok(Answer::Failed(why)) => Err(Failure::failed(why)),
            Ok(Answer::Refused(why)) => Err(Failure::configuration(why)),
            Ok(answer) => Ok(answer),
            Err(error) => {
                Err(Failure::failed(format!("the answer cannot be read ({error}): is the other process of this version?")))
            }
        }
    }
}
