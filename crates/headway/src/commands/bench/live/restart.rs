//! How soon a killed process answers again: a real `headway run`, ended as a power cut would, with very many live entities.

use bytes::Bytes;
use domain::Timestamp;
use workbench::{Pings, Progress, pings_spec};

use super::{Scratch, begin, flood, orders_topic, outgoing, processes::Process, seconds_since};
use crate::{
    failure::Failure,
    host::{
        Pace,
        control::{Answer, Event, Request},
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
    let mut first = Process::alone(&folder)?;
    let status = first.settled().await?;
    let mut now = status.now;
    for _ in 0..LAST_EVENTS / LAST_APPEND {
        let events = (0..LAST_APPEND).map(|_| event(&mut pings, now)).collect();
        first.ask(&Request::Append { events }).await?;
        now = Timestamp(now.0 + 1);
    }
    first.kill()?;
    let begun = begin();
    let mut second = Process::alone(&folder)?;
    let status = second.settled().await?;
    let seconds = seconds_since(begun);
    let read = Request::Read { pipeline: None, entity: "device".into(), key: pings.device() };
    let Answer::Reading(_) = second.ask(&read).await? else { return Err(Failure::failed("an answer to another question came")) };
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
