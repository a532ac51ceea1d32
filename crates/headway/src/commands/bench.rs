//! `headway bench`: the engine alone, by speed and by size; models in `scorer`, the running system in `live`.

pub(super) mod live;
pub(super) mod quotes;
pub(super) mod scorer;

use std::sync::Arc;

use serde_json::{Map, Value, json};
use workbench::{
    EngineBench, LatencyBench, Measured, StateMeasured, bench_engine, bench_latency, bench_state, orders_pipeline, write_orders,
};

use crate::{
    arguments::{BenchEngine, BenchLatency, BenchState},
    console::Console,
    failure::Failure,
    table::{bytes, grouped},
};

pub(super) fn engine(arguments: &BenchEngine, console: &Console) -> Result<(), Failure> {
    let marker = console.marker();
    if let Some(path) = &arguments.write {
        write_orders(path, arguments.events, arguments.minutes, arguments.seed, &marker)?;
        let out = path.display().to_string();
        console.result(
            || json!({ "out": out, "events": arguments.events }),
            || format!("{} orders in {out}", grouped(arguments.events)),
        )?;
        return Ok(());
    }
    let pipeline = match &arguments.pipeline {
        Some(folder) => pipeline::load(folder)?,
        None => orders_pipeline(&arguments.windows)?,
    };
    let bench = EngineBench {
        pipeline: Arc::new(pipeline),
        input: arguments.input.clone(),
        events: arguments.events,
        minutes: arguments.minutes,
        seed: arguments.seed,
    };
    let measured = bench_engine(&bench, &marker)?;
    console.result(|| object(&measured), || text(&measured))?;
    Ok(())
}

pub(super) fn state(arguments: &BenchState, console: &Console) -> Result<(), Failure> {
    let measured = bench_state(arguments.entities, &console.marker())?;
    console.result(|| state_object(&measured), || state_text(&measured))?;
    Ok(())
}

pub(super) fn latency(arguments: &BenchLatency, console: &Console) -> Result<(), Failure> {
    let bench = LatencyBench { pipeline: Arc::new(pipeline::load(&arguments.pipeline)?), input: arguments.input.clone() };
    let measured = bench_latency(&bench, &console.marker())?;
    console.result(
        || {
            json!({
                "warm_up_events": measured.warm_up_events,
                "alone_ms_p50": measured.alone_ms_p50,
                "alone_ms_p99": measured.alone_ms_p99,
                "steady_batches": measured.steady_batches,
                "steady_core_share": measured.steady_core_share,
            })
        },
        || {
            format!(
                "one event from payload to vectors: {:.3} ms at the median, {:.3} ms for the slowest in a hundred\n\
                 5,000 events a second in batches of 50 ms: {:.1} % of a core",
                measured.alone_ms_p50,
                measured.alone_ms_p99,
                100.0 * measured.steady_core_share,
            )
        },
    )?;
    Ok(())
}

fn state_object(measured: &StateMeasured) -> Value {
    json!({
        "entities": measured.entities,
        "resident_bytes": measured.resident_bytes,
        "resident_bytes_per_entity": measured.resident_bytes / measured.entities.max(1),
        "ring_bytes": measured.ring_bytes,
        "snapshot_bytes": measured.snapshot_bytes,
        "snapshot_seconds": measured.snapshot_seconds,
        "events_beside": measured.events_beside,
        "pause_ms_max": measured.pause_ms_max,
        "ingest_ms_max": measured.ingest_ms_max,
        "restore_seconds": measured.restore_seconds,
    })
}

fn state_text(measured: &StateMeasured) -> String {
    format!(
        "{} live entities in {} of memory, {} each\n\
         saved in {:.1} s ({}) while {} events came; the longest pause was {:.1} ms, the longest batch {:.1} ms\n\
         restored in {:.1} s",
        grouped(measured.entities),
        bytes(measured.resident_bytes),
        bytes(measured.resident_bytes / measured.entities.max(1)),
        measured.snapshot_seconds,
        bytes(measured.snapshot_bytes),
        grouped(measured.events_beside),
        measured.pause_ms_max,
        measured.ingest_ms_max,
        measured.restore_seconds,
    )
}

fn object(measured: &Measured) -> Value {
    let steps: Map<String, Value> = measured.steps.iter().map(|(name, share)| ((*name).to_owned(), json!(share))).collect();
    json!({
        "events": measured.events,
        "seconds": measured.seconds,
        "cpu_seconds": measured.cpu_seconds,
        "events_per_second": measured.events_per_second(),
        "events_per_cpu_second": measured.events_per_cpu_second(),
        "peak_rss_bytes": measured.peak_rss_bytes,
        "vectors": measured.vectors,
        "checksum": format!("{:016x}", measured.checksum),
        "refused": measured.refused,
        "steps": steps,
    })
}

fn text(measured: &Measured) -> String {
    let steps = measured.steps.iter().map(|(name, share)| format!("{name} {:.0} %", 100.0 * share));
    let refused: u64 = measured.refused.values().sum();
    format!(
        "{} events in {:.2} s: {} a second, {} a second of one core\n\
         {} vectors, checksum {:016x}, {} refused\n\
         memory at most {}\n\
         engine time: {}",
        grouped(measured.events),
        measured.seconds,
        grouped(measured.events_per_second() as u64),
        grouped(measured.events_per_cpu_second() as u64),
        grouped(measured.vectors),
        measured.checksum,
        grouped(refused),
        bytes(measured.peak_rss_bytes),
        steps.collect::<Vec<String>>().join(", "),
    )
}
