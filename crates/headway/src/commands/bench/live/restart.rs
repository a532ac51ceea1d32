//! How soon a killed process answers again: a real `headway run`, ended as a power cut would, with very many live entities.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use bytes::Bytes;
use domain::Timestamp;
use workbench::{Pings, Progress, pings_spec};

use super::{LOOK_EVERY, PATIENCE, Scratch, begin, flood, orders_topic, outgoing, seconds_since};
use crate::{
    failure::Failure,
    host::{
        Pace,
        control::{Answer, Client, Event, Request},
    },
    marker::Marker,
};

/// Events that come before the end, so that there is something to replay.
const LAST_EVENTS: u64 = 50_000;
/// How many of them go together.
const LAST_APPEND: u64 = 2_500;

/// What was measured.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Restart {
    pub(super) entities: u64,
    /// From the start of the process until everything in the log was taken and every vector could be read.
    pub(super) seconds: f64,
    pub(super) replayed: u64,
    /// Of the process that was started again.
    pub(super) peak_rss_bytes: u64,
}

/// Fills a folder, runs on it, kills, and measures the next start.
pub(super) async fn restart(scratch: &Scratch, entities: u64, progress: &Marker) -> Result<Restart, Failure> {
    let folder = scratch.folder("restart");
    let mut pings = fill(scratch, entities, progress).await?;
    progress.begin("restarting", 1);
    let mut first = Running::start(&folder)?;
    let (mut client, status) = first.settled(&folder).await?;
    let mut now = status.now;
    for _ in 0..LAST_EVENTS / LAST_APPEND {
        let events = (0..LAST_APPEND).map(|_| event(&mut pings, now)).collect();
        client.ask(&Request::Append { events }).await?;
        now = Timestamp(now.0 + 1);
    }
    first.kill()?;
    let begun = begin();
    let mut second = Running::start(&folder)?;
    let (mut client, status) = second.settled(&folder).await?;
    let seconds = seconds_since(begun);
    let read = Request::Read { pipeline: None, entity: "device".into(), key: pings.device() };
    let Answer::Reading(_) = client.ask(&read).await? else { return Err(Failure::failed("an answer to another question came")) };
    let peak_rss_bytes = second.peak_rss_bytes();
    second.kill()?;
    progress.end();
    Ok(Restart { entities: status.entities, seconds, replayed: status.replayed, peak_rss_bytes })
}

/// Every entity with its hour, in a folder that was left in good order.
async fn fill(scratch: &Scratch, entities: u64, progress: &Marker) -> Result<Pings, Failure> {
    // An hour passes in half a minute.
    let host = scratch.host("restart", pings_spec(), Pace::Driven(100.0)).await?;
    let mut pings = Pings::new(entities, host.clock().now());
    let filling = pings.filling();
    progress.begin("many entities", filling);
    let next = || {
        (pings.sent() < filling).then(|| {
            let (at, key, mut payload) = (pings.due(), Bytes::from(pings.device()), Vec::new());
            pings.next_into(at, &mut payload);
            (at, outgoing(&orders_topic(&host), key, payload, &host))
        })
    };
    flood(&host, next, progress).await?;
    progress.end();
    host.stop().await?;
    Ok(pings)
}

fn event(pings: &mut Pings, now: Timestamp) -> Event {
    let (key, mut payload) = (pings.device(), Vec::new());
    pings.next_into(now, &mut payload);
    Event { topic: "headway.bench-restart.pings".into(), key, payload: String::from_utf8_lossy(&payload).into_owned() }
}

/// What a process says of itself.
struct Status {
    now: Timestamp,
    entities: u64,
    replayed: u64,
}

/// A `headway run` of this binary, ended when it is dropped.
struct Running(Child);

impl Running {
    fn start(folder: &Path) -> Result<Self, Failure> {
        let failed = |error| Failure::failed(format!("cannot start another headway: {error}"));
        let binary = std::env::current_exe().map_err(failed)?;
        let child = Command::new(binary)
            .args(["run", "--headless", "--quiet", "--folder"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(failed)?;
        Ok(Self(child))
    }

    /// Waits until everything was taken and can be read.
    async fn settled(&mut self, folder: &Path) -> Result<(Client, Status), Failure> {
        let late = |_| Failure::failed(format!("the headway that was started was not ready after {PATIENCE:?}"));
        tokio::time::timeout(PATIENCE, self.until_settled(folder)).await.map_err(late)?
    }

    async fn until_settled(&mut self, folder: &Path) -> Result<(Client, Status), Failure> {
        let mut client = loop {
            if let Some(status) = self.0.try_wait().ok().flatten() {
                return Err(Failure::failed(format!("the headway that was started ended with {status}: see above.")));
            }
            if let Some(client) = Client::connect(folder).await {
                break client;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        };
        loop {
            let answer = client.ask(&Request::Status).await?;
            let Answer::Status { settled, entities, replayed, now, .. } = answer else {
                return Err(Failure::failed("an answer to another question came"));
            };
            if settled {
                let now = Timestamp::parse(&now).ok_or_else(|| Failure::failed("the headway that was started tells no time"))?;
                return Ok((client, Status { now, entities, replayed }));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn peak_rss_bytes(&self) -> u64 {
        workbench::peak_memory_bytes_of(self.0.id())
    }

    fn kill(&mut self) -> Result<(), Failure> {
        let gone = self.0.kill().and_then(|()| self.0.wait());
        gone.map(|_| ()).map_err(|error| Failure::failed(format!("cannot end the headway that was started: {error}")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Killed already when all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
