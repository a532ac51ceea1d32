//! Workers of one role: started together, stopped together, and heard of when one ends by itself. What they do is the data plane's.

use std::sync::Arc;

use ports::ErrorKind;
use tokio::{
    sync::watch::{Receiver, Sender, channel},
    task::JoinHandle,
};

use super::{Failed, Host};
use crate::failure::Failure;

/// Running workers.
pub(super) struct Crew {
    stop: Sender<bool>,
    workers: Vec<JoinHandle<()>>,
}

impl Crew {
    /// Starts workers by name. What `worker` makes of a name runs until it is told to stop.
    pub(super) fn start<W>(
        host: &Arc<Host>,
        names: impl Iterator<Item = String>,
        mut worker: impl FnMut(&str, Receiver<bool>) -> W,
    ) -> Self
    where
        W: Future<Output = Result<(), dataplane::Error>> + Send + 'static,
    {
        let (stop, stopped) = channel(false);
        let workers = names.map(|name| tokio::spawn(followed(host.clone(), worker(&name, stopped.clone()), name))).collect();
        Self { stop, workers }
    }

    /// Starts a single worker.
    pub(super) fn of_one<W>(host: &Arc<Host>, name: String, worker: impl FnOnce(&str, Receiver<bool>) -> W) -> Self
    where
        W: Future<Output = Result<(), dataplane::Error>> + Send + 'static,
    {
        let mut worker = Some(worker);
        Self::start(host, std::iter::once(name), |name, stopped| {
            let worker = worker.take().unwrap_or_else(|| panic!("there is one name"));
            worker(name, stopped)
        })
    }

    /// Tells all of them, as soon as it is polled, and waits. What was taken is committed then.
    pub(super) async fn stop(self) -> Result<(), Failure> {
        self.stop.send_replace(true);
        for worker in self.workers {
            worker.await.map_err(|error| Failure::failed(format!("a worker broke down while stopping: {error}")))?;
        }
        Ok(())
    }
}

/// The end of a worker that was not told to stop is the end of the process.
async fn followed(host: Arc<Host>, worker: impl Future<Output = Result<(), dataplane::Error>> + Send + 'static, name: String) {
    // In a task of its own, so that a panic is heard of as well.
    match tokio::spawn(worker).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => host.fail(Failed {
            is_setting: matches!(&error, dataplane::Error::Port(error) if error.kind() == ErrorKind::Invalid),
            why: format!("worker {name} had to stop: {error}"),
        }),
        Err(panic) => host
            .fail(Failed { is_setting: false, why: format!("worker {name} broke down, which is a fault of Headway: {panic}") }),
    }
}
