//! `headway bench takeover`: how soon the others answer for a process that was killed, with very many live entities on real servers.
//!
//! The load comes with the clock of the servers, so an entity has heard of some minutes and not of an hour. When all of it is in
//! snapshots one process is killed, and an event goes to every partition; what is measured is when each of them can be read.

use std::{collections::BTreeSet, time::Duration};

use bytes::Bytes;
use domain::{Span, Timestamp, partition_of};
use ports::{Log, OnlineStore, Outgoing, VectorKey};
use serde_json::json;
use workbench::{Pings, Progress, pings_spec};

use super::{
    LOOK_EVERY, Scratch, WORKERS, begin,
    outside::{GENERATION, Outside, fill},
    processes::{Process, all_settled, in_time, shared_out},
    seconds_since,
};
use crate::{
    arguments::BenchTakeover, commands::run::runtime, console::Console, failure::Failure, host::wall_clock, marker::Marker,
    settings::Servers, table::grouped,
};

/// Tiles of one minute that each entity fills …
const TILES: u64 = 3;
/// … so far from each other: all of them no later than the pipeline allows, with as much time again to write them.
const TILES_APART: Span = Span(100_000);
/// How late pings may be here, which everywhere else is a minute.
const LATENESS: (&str, &str) = ("lateness = \"60s\"\ndedup = \"90s\"", "lateness = \"10m\"\ndedup = \"11m\"");

/// What was measured.
#[derive(Debug)]
struct Measured {
    entities: u64,
    session: Duration,
    /// By partition of the process that was killed: how long after its end an event could be read, in seconds.
    taken_over: Vec<(u32, f64)>,
    /// The same for the slowest partition of those that nobody had to take over.
    others_seconds: f64,
    replayed: u64,
}

pub(crate) fn run(arguments: &BenchTakeover, console: &Console) -> Result<(), Failure> {
    let servers = Servers::resolve(&arguments.servers)?;
    let id = format!("bench-{:x}", wall_clock().0);
    let scratch = Scratch::create(&arguments.folder, false, id, servers)?;
    console.line(&format!("Measuring in {}, which is removed afterwards, and in the servers.", scratch.root.display()))?;
    let runtime = runtime(WORKERS)?;
    let marker = console.marker();
    let measured = runtime.block_on(measure(&scratch, arguments, &marker))?;
    drop(scratch);
    console.result(|| object(arguments, &measured), || text(arguments, &measured))?;
    Ok(())
}

async fn measure(scratch: &Scratch, arguments: &BenchTakeover, marker: &Marker) -> Result<Measured, Failure> {
    let folder = scratch.pipeline("takeover", &pings_spec().replace(LATENESS.0, LATENESS.1))?;
    let outside = Outside::open(&scratch.servers, &folder).await?;
    let start = |number| Process::among(&scratch.root, number, &folder, &arguments.servers);
    let mut processes = (0..arguments.processes).map(start).collect::<Result<Vec<Process>, Failure>>()?;
    shared_out(&mut processes, outside.plan.partitions).await?;
    load(&outside, arguments.entities, marker).await?;
    marker.begin("taking everything, and writing snapshots", 1);
    let told = all_settled(&mut processes, outside.plan.partitions).await?;
    let refused: u64 = told.iter().flat_map(|status| status.refused.values()).sum();
    if refused > 0 {
        return Err(Failure::failed(format!(
            "{refused} events were refused, so the state is not what it should be: is the machine busy?"
        )));
    }
    outside.snapshots_written().await?;
    // A machine that stood still for a session has them share anew.
    shared_out(&mut processes, outside.plan.partitions).await?;
    marker.end();
    let Some(mut victim) = processes.pop() else { return Err(Failure::failed("there is nobody to kill")) };
    let owned = victim.status().await?.owns;
    let before = sum(&mut processes).await?;
    marker.begin("taking over", u64::from(outside.plan.partitions));
    victim.kill()?;
    let seconds = in_time(readable(&outside, marker), "answer for the one that was killed").await?;
    marker.end();
    let after = sum(&mut processes).await?;
    let (taken_over, others): (Vec<_>, Vec<_>) = seconds.into_iter().partition(|(partition, _)| owned.contains(partition));
    Ok(Measured {
        entities: told.iter().map(|status| status.entities).sum(),
        session: outside.session,
        taken_over,
        others_seconds: others.iter().map(|(_, seconds)| *seconds).fold(0.0, f64::max),
        replayed: after - before,
    })
}

/// Records that these have taken again since they began.
async fn sum(processes: &mut [Process]) -> Result<u64, Failure> {
    let mut replayed = 0;
    for process in processes {
        replayed += process.status().await?.replayed;
    }
    Ok(replayed)
}

/// Every entity with its tiles.
async fn load(outside: &Outside, entities: u64, marker: &Marker) -> Result<(), Failure> {
    let begun_at = wall_clock();
    let mut pings = Pings::new(entities, begun_at);
    let events = entities * TILES;
    let next = || {
        let left = TILES.saturating_sub(pings.sent() / entities).cast_signed();
        Ok((left > 0).then(|| {
            let (key, mut payload) = (Bytes::from(pings.device()), Vec::new());
            pings.next_into(begun_at.minus(Span(TILES_APART.0 * left)), &mut payload);
            outgoing(outside, key, payload)
        }))
    };
    fill(&outside.log, next, events, marker).await?;
    Ok(())
}

fn outgoing(outside: &Outside, key: Bytes, payload: Vec<u8>) -> Outgoing {
    let topic = outside.plan.topics.inputs()[0].0.clone();
    Outgoing { topic, partition: partition_of(&key, outside.plan.partitions), key, value: payload.into(), headers: Vec::new() }
}

/// Sends an event of an unknown entity to each partition, and says after how many seconds each of them could be read.
async fn readable(outside: &Outside, marker: &Marker) -> Result<Vec<(u32, f64)>, Failure> {
    let begun = begin();
    let mut pending = probes(outside.plan.partitions);
    let events = pending.iter().map(|(_, key)| outgoing(outside, Bytes::from(key.clone()), ping(key, wall_clock()))).collect();
    outside.log.append(events).await?;
    let mut seconds = Vec::with_capacity(pending.len());
    while !pending.is_empty() {
        let vector = |key| VectorKey { entity: "device", key, group: "devices", generation: GENERATION };
        let keys: Vec<VectorKey<'_>> = pending.iter().map(|(_, key)| vector(key)).collect();
        let found = outside.online.read(&keys).await?;
        let mut found = found.iter().map(Option::is_some);
        pending.retain(|(partition, _)| {
            let there = found.next().unwrap_or_default();
            if there {
                seconds.push((*partition, seconds_since(begun)));
            }
            !there
        });
        marker.at(seconds.len() as u64);
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(seconds)
}

/// A key for each partition.
fn probes(partitions: u32) -> Vec<(u32, String)> {
    let mut missing: BTreeSet<u32> = (0..partitions).collect();
    let mut probes = Vec::with_capacity(missing.len());
    for number in 0u64.. {
        if missing.is_empty() {
            break;
        }
        let key = format!("probe-{number}");
        let partition = partition_of(key.as_bytes(), partitions);
        if missing.remove(&partition) {
            probes.push((partition, key));
        }
    }
    probes
}

fn ping(key: &str, at: Timestamp) -> Vec<u8> {
    json!({ "source": "probe", "id": key, "at": at.0, "device": key, "load": 1, "heat": 1 }).to_string().into_bytes()
}

impl Measured {
    /// Of the partitions in the order in which they came back.
    fn first_and_last(&self) -> (f64, f64) {
        let seconds = |one: Option<&(u32, f64)>| one.map(|(_, seconds)| *seconds).unwrap_or_default();
        (seconds(self.taken_over.first()), seconds(self.taken_over.last()))
    }
}

fn object(arguments: &BenchTakeover, measured: &Measured) -> serde_json::Value {
    let (first, last) = measured.first_and_last();
    let one = |(partition, seconds): &(u32, f64)| json!({ "partition": partition, "seconds": seconds });
    json!({
        "entities": measured.entities,
        "processes": arguments.processes,
        "takeover_seconds": last,
        "first_partition_seconds": first,
        "last_partition_seconds": last,
        "session_seconds": measured.session.as_secs_f64(),
        "partitions": measured.taken_over.iter().map(one).collect::<Vec<_>>(),
        "other_partitions_seconds_max": measured.others_seconds,
        "replayed": measured.replayed,
    })
}

fn text(arguments: &BenchTakeover, measured: &Measured) -> String {
    let (first, last) = measured.first_and_last();
    format!(
        "one of {} processes killed with {} live entities among them: its {} partitions answered again after {first:.1} to {last:.1} s\n\
         of that {:.1} s at most are the session after which the group takes it for dead; {} records replayed\n\
         the partitions of the others answered after {:.1} s at most",
        arguments.processes,
        grouped(measured.entities),
        measured.taken_over.len(),
        measured.session.as_secs_f64(),
        grouped(measured.replayed),
        measured.others_seconds,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_may_be_as_late_as_they_are_here() {
        let spec = pings_spec().replace(LATENESS.0, LATENESS.1);
        assert!(spec.contains(LATENESS.1), "{spec}");
        assert!(pipeline::parse("pings", &spec).is_ok());
        assert!(TILES_APART.0 * TILES.cast_signed() * 2 <= 10 * 60_000);
    }

    #[test]
    fn each_partition_is_asked() {
        let probes = probes(16);
        assert!(probes.iter().all(|(partition, key)| partition_of(key.as_bytes(), 16) == *partition));
        assert_eq!(probes.iter().map(|(partition, _)| partition).collect::<BTreeSet<_>>().len(), 16);
    }
}
