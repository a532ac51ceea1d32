//! Whether a machine, a folder and the servers that are named are fit to run Headway: one finding for each subject, and what to do about it.
//!
//! Never changes anything. What the process that holds the folder knows best - its log, its limits, its collector - is looked at
//! there, by the same code (`inside`); the rest is looked at from outside. A subject is a file; a new one is a line in `inside`.

mod clock;
mod disk;
mod endpoints;
mod finding;
mod folder;
mod kafka;
mod log;
mod memory;
mod open_files;
mod pipelines;
mod redis;
mod servers;
mod snapshots;

use std::{path::Path, time::Duration};

use domain::Timestamp;
use io_folder::{Folder, FolderArtifacts, Look};
use io_log::Inspection;
use ports::Deployment;

use crate::{
    failure::Failure,
    host::{
        Held, Host,
        control::{Answer, Client, Request},
        wall_clock,
    },
    settings::Servers,
};
pub(crate) use finding::{Finding, Level};

/// A process that works answers in milliseconds; reading large snapshots takes it longer.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);

/// What is known of a folder, by the process that holds it or by one that looks at it.
pub(crate) struct Patient<'a> {
    pub(crate) folder: &'a Path,
    /// None when there is no log yet.
    pub(crate) log: Option<Inspection>,
    pub(crate) deployments: Vec<Deployment>,
    /// None when nothing was ever laid out.
    pub(crate) artifacts: Option<FolderArtifacts>,
    pub(crate) now: Timestamp,
    /// In place of embedded parts.
    pub(crate) servers: &'a Servers,
}

/// Everything that is found, from outside.
pub(crate) async fn examine(path: &Path, servers: &Servers) -> Vec<Finding> {
    let mut findings = folder::findings(path);
    if findings.iter().all(|finding| finding.level != Level::Fault) {
        findings.extend(contents(path, servers).await);
    }
    // A process that runs has looked at its own.
    if findings.iter().all(|finding| !servers::SUBJECTS.contains(&finding.subject.as_str())) {
        let look = Folder::look(path).ok().flatten();
        let deployments = look.as_ref().and_then(|look| look.deployments().ok()).unwrap_or_default();
        findings.extend(servers::findings(servers, &deployments, look.as_ref().map(Look::artifacts)).await);
    }
    findings
}

/// What is in a folder that can be looked at.
async fn contents(path: &Path, servers: &Servers) -> Vec<Finding> {
    match io_log::inspect(&io_log::Settings::new(path.join("log"))) {
        // Its log is elsewhere, and it listens.
        Ok(None) if Client::connect(path).await.is_some() => {
            running(path, &Held::named(path).unwrap_or_else(|| "of another name".to_owned())).await
        }
        Ok(log) => stopped(path, log, servers).await,
        Err(error) => match holder(&error) {
            Some(pid) => running(path, &pid).await,
            None => vec![Finding::fault("log", error.to_string())],
        },
    }
}

/// Which process holds the log, if that is what is wrong.
fn holder(error: &ports::Error) -> Option<String> {
    match std::error::Error::source(error).and_then(|source| source.downcast_ref()) {
        Some(io_log::Error::Held { pid, .. }) => Some(pid.clone()),
        _ => None,
    }
}

async fn stopped(path: &Path, log: Option<Inspection>, servers: &Servers) -> Vec<Finding> {
    let mut findings = vec![Finding::ok("process", "nobody holds the folder")];
    // `folder` has found that it can be looked at.
    let look = Folder::look(path).ok().flatten();
    let deployments = match look.as_ref().map_or(Ok(Vec::new()), Look::deployments) {
        Ok(deployments) => deployments,
        Err(error) => {
            findings.push(Finding::fault("catalog", error.to_string()));
            Vec::new()
        }
    };
    let artifacts = look.map(|look| look.artifacts().clone());
    findings.extend(inside(Patient { folder: path, log, deployments, artifacts, now: wall_clock(), servers }).await);
    findings
}

async fn running(path: &Path, pid: &str) -> Vec<Finding> {
    match tokio::time::timeout(ANSWER_WITHIN, ask(path)).await {
        Ok(Ok((found, listens_on))) => {
            let held = Finding::ok("process", format!("process {pid} holds the folder and answers"));
            let probed = endpoints::probe(listens_on.as_deref()).await;
            [vec![held], found, vec![probed]].concat()
        }
        Ok(Err(failure)) => vec![
            Finding::fault("process", format!("process {pid} holds the folder and does not answer: {}", failure.message))
                .with("If it has just been started, ask again in a while; if not, look at what it says, and start it again."),
        ],
        Err(_) => vec![
            Finding::fault("process", format!("process {pid} holds the folder and has not answered within {ANSWER_WITHIN:?}"))
                .with("Look at what it says and whether the machine is busy; then start it again."),
        ],
    }
}

async fn ask(path: &Path) -> Result<(Vec<Finding>, Option<String>), Failure> {
    let client = Client::connect(path).await;
    let mut client = client.ok_or_else(|| Failure::failed(format!("nobody listens on {}", Host::socket(path).display())))?;
    let other = || Failure::failed("an answer to another question came: it is of another version of Headway");
    let Answer::Findings(findings) = client.ask(&Request::Doctor).await? else { return Err(other()) };
    let Answer::Status { listens_on, .. } = client.ask(&Request::Status).await? else { return Err(other()) };
    Ok((findings, listens_on))
}

/// What the process that has the folder open finds, or one that looks at a folder that nobody has open.
pub(crate) async fn inside(patient: Patient<'_>) -> Vec<Finding> {
    let mut findings = log::findings(&patient);
    findings.push(disk::finding(&patient));
    findings.extend(pipelines::findings(&patient));
    findings.extend(snapshots::findings(&patient).await);
    findings.push(clock::finding(&patient));
    findings.push(memory::finding(&patient));
    findings.push(open_files::finding());
    findings.push(endpoints::collector().await);
    findings.extend(servers::findings(patient.servers, &patient.deployments, patient.artifacts.as_ref()).await);
    findings
}
