//! Other processes of this program: a real `headway run` each, ended when it is dropped, whatever became of the measurement.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use domain::Timestamp;

use super::{LOOK_EVERY, PATIENCE};
use crate::{
    arguments::Servers,
    failure::Failure,
    host::control::{Answer, Client, Request},
};

/// A process, and where it is asked.
pub(super) struct Process {
    child: Child,
    folder: PathBuf,
    /// None until it answers.
    client: Option<Client>,
}

/// What a process says of itself.
pub(super) struct Status {
    pub(super) now: Timestamp,
    pub(super) entities: u64,
    pub(super) records: u64,
    pub(super) replayed: u64,
    pub(super) owns: BTreeSet<u32>,
    pub(super) refused: BTreeMap<String, u64>,
    /// Everything in the log was taken, and its own part of it can be read.
    pub(super) settled: bool,
}

impl Process {
    /// Alone on a folder with the pipelines that it knows.
    pub(super) fn alone(folder: &Path) -> Result<Self, Failure> {
        Self::start(folder, |_| ())
    }

    /// One of several on the same servers: `root` is where they have their folders, and the one that they share.
    pub(super) fn among(root: &Path, number: u16, pipeline: &Path, servers: &Servers) -> Result<Self, Failure> {
        let name = format!("process-{number}");
        Self::start(&root.join(&name), |command| {
            command.arg(pipeline).args(["--replica", &name, "--shared"]).arg(root.join("shared"));
            // By the environment, since addresses may have passwords in them and everybody sees the arguments of a process.
            let named = [("KAFKA", &servers.kafka), ("REDIS", &servers.redis), ("REGISTRY", &servers.registry)];
            for (name, value) in named {
                command.envs(value.as_ref().map(|value| (format!("HEADWAY_{name}"), value)));
            }
            command.envs(servers.servers.as_ref().map(|file| ("HEADWAY_SERVERS_FILE", file)));
        })
    }

    fn start(folder: &Path, with: impl FnOnce(&mut Command)) -> Result<Self, Failure> {
        let failed = |error| Failure::failed(format!("cannot start another headway: {error}"));
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command.args(["run", "--headless", "--quiet", "--folder"]).arg(folder);
        with(&mut command);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().map_err(failed)?;
        Ok(Self { child, folder: folder.to_owned(), client: None })
    }

    /// Waits until everything was taken and can be read.
    pub(super) async fn settled(&mut self) -> Result<Status, Failure> {
        let settled = async {
            loop {
                let status = self.status().await?;
                if status.settled {
                    return Ok(status);
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        in_time(settled, "take everything that was in the log").await
    }

    /// Asks, and waits for a process that has just been started.
    pub(super) async fn status(&mut self) -> Result<Status, Failure> {
        let answer = self.ask(&Request::Status).await?;
        let Answer::Status { now, entities, records, replayed, owns, refused, settled, .. } = answer else {
            return Err(Failure::failed("an answer to another question came"));
        };
        let now = Timestamp::parse(&now).ok_or_else(|| Failure::failed("the headway that was started tells no time"))?;
        Ok(Status { now, entities, records, replayed, owns, refused, settled })
    }

    pub(super) async fn ask(&mut self, request: &Request) -> Result<Answer, Failure> {
        while self.client.is_none() {
            if let Some(status) = self.child.try_wait().ok().flatten() {
                return Err(Failure::failed(format!("the headway that was started ended with {status}: see above.")));
            }
            self.client = Client::connect(&self.folder).await;
            tokio::time::sleep(LOOK_EVERY).await;
        }
        match &mut self.client {
            Some(client) => client.ask(request).await,
            None => unreachable!("it was waited for"),
        }
    }

    pub(super) fn peak_rss_bytes(&self) -> u64 {
        workbench::peak_memory_bytes_of(self.child.id())
    }

    /// As a power cut would.
    pub(super) fn kill(&mut self) -> Result<(), Failure> {
        let gone = self.child.kill().and_then(|()| self.child.wait());
        gone.map(|_| ()).map_err(|error| Failure::failed(format!("cannot end the headway that was started: {error}")))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Killed already when all went well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What another process should have done by then.
pub(super) async fn in_time<T>(what: impl Future<Output = Result<T, Failure>>, words: &str) -> Result<T, Failure> {
    let late = |_| Failure::failed(format!("the headway that was started did not {words} within {PATIENCE:?}"));
    tokio::time::timeout(PATIENCE, what).await.map_err(late)?
}

/// What each of them says, one after the other.
async fn told(processes: &mut [Process]) -> Result<Vec<Status>, Failure> {
    let mut told = Vec::with_capacity(processes.len());
    for process in processes {
        told.push(process.status().await?);
    }
    Ok(told)
}

/// Whether each partition is somebody's, and nobody says that another's is his.
fn all_owned(told: &[Status], partitions: u32) -> bool {
    let all: BTreeSet<u32> = told.iter().flat_map(|status| status.owns.iter().copied()).collect();
    let sum: usize = told.iter().map(|status| status.owns.len()).sum();
    all.len() == sum && sum == partitions as usize
}

/// Waits until all partitions are shared out, each to one of them and some to each.
pub(super) async fn shared_out(processes: &mut [Process], partitions: u32) -> Result<(), Failure> {
    let shared_out = async {
        loop {
            let told = told(processes).await?;
            if all_owned(&told, partitions) && told.iter().all(|status| !status.owns.is_empty()) {
                return Ok(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    in_time(shared_out, "get its part of the partitions").await
}

/// Waits until all of them say at the same time that everything was taken and can be read. What nobody owns, since it is on its way from
/// one to another, nobody would miss.
pub(super) async fn all_settled(processes: &mut [Process], partitions: u32) -> Result<Vec<Status>, Failure> {
    let all_settled = async {
        loop {
            let told = told(processes).await?;
            if all_owned(&told, partitions) && told.iter().all(|status| status.settled) {
                return Ok(told);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    in_time(all_settled, "take everything that was in the log").await
}
