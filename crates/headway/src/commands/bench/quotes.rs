//! `headway bench quotes`: what a quote takes at a steady rate that does not wait for answers, in turns with a probe that computes nothing
//! over the same connections, so that a busy machine is busy for both.
//!
//! Server and askers are one process on one machine, as they are for all that is measured here: what is left for a quote is what the askers
//! leave. Vectors are made up; a model is not asked, see `bench scorer` for what one takes.

mod askers;
mod subject;

use std::time::Duration;

use serde_json::{Value, json};
use workbench::Progress;

use self::{
    askers::{Askers, Took},
    subject::Subject,
};
use crate::{
    arguments::BenchQuotes, commands::run::runtime, console::Console, failure::Failure, marker::Marker, settings::Servers,
};

/// Each round asks for a second for quotes and for a second for the probe.
const ROUND: Duration = Duration::from_secs(1);
/// Two processors, of which each may wait for a store.
const WORKERS: usize = 2;

pub(in crate::commands) fn run(arguments: &BenchQuotes, console: &Console) -> Result<(), Failure> {
    let servers = Servers::resolve(&arguments.servers)?;
    let runtime = runtime(WORKERS)?;
    let marker = console.marker();
    let measured = runtime.block_on(measure(arguments, &servers, &marker));
    runtime.shutdown_timeout(Duration::from_millis(200));
    let (quotes, probes) = measured?;
    console.result(|| object(arguments, &quotes, &probes), || text(arguments, &quotes, &probes))?;
    Ok(())
}

async fn measure(arguments: &BenchQuotes, servers: &Servers, marker: &Marker) -> Result<(Took, Took), Failure> {
    let subject = Subject::begin(&arguments.pipeline, arguments.candidates as usize, servers).await?;
    let askers = Askers::connect(subject.address).await?;
    let (mut quotes, mut probes) = (Took::default(), Took::default());
    // What is measured first is slow for other reasons than what is measured.
    askers.ask(&subject.quote, arguments.rate, ROUND, &mut Took::default()).await?;
    let rounds = u64::from(arguments.seconds);
    marker.begin("measuring", rounds);
    for round in 1..=rounds {
        askers.ask(&subject.quote, arguments.rate, ROUND, &mut quotes).await?;
        askers.ask(&subject.probe, arguments.rate, ROUND, &mut probes).await?;
        marker.at(round);
    }
    marker.end();
    subject.check().await?;
    Ok((quotes, probes))
}

fn object(arguments: &BenchQuotes, quotes: &Took, probes: &Took) -> Value {
    json!({
        "candidates": arguments.candidates,
        "requests_per_second": arguments.rate,
        "requests": quotes.count(),
        "quote_ms_mean": rounded(quotes.mean_ms()),
        "quote_ms_p50": rounded(quotes.quantile_ms(0.5)),
        "quote_ms_p99": rounded(quotes.quantile_ms(0.99)),
        "probe_ms_mean": rounded(probes.mean_ms()),
        "probe_ms_p50": rounded(probes.quantile_ms(0.5)),
        "probe_ms_p99": rounded(probes.quantile_ms(0.99)),
        "ratio_of_means": rounded(quotes.mean_ms() / probes.mean_ms()),
    })
}

fn text(arguments: &BenchQuotes, quotes: &Took, probes: &Took) -> String {
    let line = |name: &str, took: &Took| {
        let (mean, median, slow) = (took.mean_ms(), took.quantile_ms(0.5), took.quantile_ms(0.99));
        format!("{name}: {mean:.2} ms on average, {median:.2} ms at the median, {slow:.2} ms for the slowest in a hundred")
    };
    let quote = format!("{} quotes of {} candidates, {} a second", quotes.count(), arguments.candidates, arguments.rate);
    let ratio = quotes.mean_ms() / probes.mean_ms();
    format!(
        "{}\n{}\na quote takes {ratio:.1} times as long as a probe",
        line(&quote, quotes),
        line("a probe beside them", probes)
    )
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}
