//! `headway bench scorer`: rows through a model here, and in turns with that in the runtimes of a Python that is named.

mod peers;

use serde_json::{Map, Value, json};
use workbench::{Progress, ScorerBench};

use self::peers::{Peers, RUNTIMES};
use crate::{arguments::BenchScorer, console::Console, failure::Failure, table::table};

/// Enough that the median does not move; ten seconds with both other runtimes.
const ROUNDS: u64 = 15;
/// Between runtimes: they add 300 numbers of up to 20 in different orders, some in single precision. One other leaf is more.
const TOLERANCE: f32 = 0.01;

/// What one runtime took, call by call.
struct Took {
    runtime: &'static str,
    singles_us: Vec<f64>,
    batches_us: Vec<f64>,
}

impl Took {
    fn new(runtime: &'static str) -> Self {
        Self { runtime, singles_us: Vec::new(), batches_us: Vec::new() }
    }

    fn single_p50_us(&self) -> f64 {
        median(&self.singles_us)
    }

    fn batch_row_us(&self) -> f64 {
        median(&self.batches_us) / ScorerBench::BATCH as f64
    }
}

pub(in crate::commands) fn run(arguments: &BenchScorer, console: &Console) -> Result<(), Failure> {
    let bench = ScorerBench::new()?;
    let mut peers = arguments.python.as_ref().map(|python| Peers::start(python, &bench)).transpose()?;
    let mut ours = Took::new("here");
    let mut theirs = Vec::new();
    if let Some(peers) = &mut peers {
        for runtime in peers.runtimes() {
            agree(runtime, &peers.ask("predictions", runtime)?, &bench.predictions()?)?;
            theirs.push(Took::new(runtime));
        }
    }
    let marker = console.marker();
    marker.begin("measuring", ROUNDS);
    for round in 1..=ROUNDS {
        ours.singles_us.extend(bench.singles_us()?);
        ask(peers.as_mut(), "singles", theirs.iter_mut().map(|took| (took.runtime, &mut took.singles_us)))?;
        ours.batches_us.extend(bench.batches_us()?);
        ask(peers.as_mut(), "batches", theirs.iter_mut().map(|took| (took.runtime, &mut took.batches_us)))?;
        marker.at(round);
    }
    marker.end();
    console.result(|| object(&ours, &theirs), || text(&ours, &theirs, arguments.python.is_some()))?;
    Ok(())
}

fn ask<'a>(
    peers: Option<&mut Peers>,
    what: &str,
    places: impl Iterator<Item = (&'static str, &'a mut Vec<f64>)>,
) -> Result<(), Failure> {
    let Some(peers) = peers else { return Ok(()) };
    for (runtime, place) in places {
        place.extend(peers.ask(what, runtime)?);
    }
    Ok(())
}

/// Two that say different things do different things, and how long each takes would tell nothing.
fn agree(runtime: &str, found: &[f64], expected: &[f32]) -> Result<(), Failure> {
    // What is no number is near to nothing.
    let near = |found: f64, expected: f32| (found as f32 - expected).abs() <= TOLERANCE;
    let reason = match found.iter().zip(expected).find(|(found, expected)| !near(**found, **expected)) {
        None if found.len() == expected.len() => return Ok(()),
        None => format!("{} predictions and not {}", found.len(), expected.len()),
        Some((found, expected)) => format!("{found} where {expected} is said here"),
    };
    Err(Failure::failed(format!("{runtime} says {reason}: what they take cannot be compared. Try another version of it")))
}

fn median(took: &[f64]) -> f64 {
    let mut sorted = took.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn object(ours: &Took, theirs: &[Took]) -> Value {
    let rounded = |number: f64| json!((number * 1000.0).round() / 1000.0);
    let mut object = Map::new();
    object.insert("single_row_p50_us".into(), rounded(ours.single_p50_us()));
    object.insert("batch_row_us".into(), rounded(ours.batch_row_us()));
    for took in theirs {
        object.insert(format!("{}_single_p50_us", took.runtime), rounded(took.single_p50_us()));
        object.insert(format!("{}_batch_row_us", took.runtime), rounded(took.batch_row_us()));
    }
    Value::Object(object)
}

fn text(ours: &Took, theirs: &[Took], asked: bool) -> String {
    let row = |took: &Took| {
        vec![took.runtime.to_owned(), format!("{:.2}", took.single_p50_us()), format!("{:.2}", took.batch_row_us())]
    };
    let rows: Vec<Vec<String>> = [ours].into_iter().chain(theirs).map(row).collect();
    let told = table(&["runtime", "a row alone, µs", "a row in a batch of 64, µs"], &rows);
    let missing = RUNTIMES.iter().filter(|name| asked && theirs.iter().all(|took| took.runtime != **name));
    told + &missing.map(|name| format!("{name}: that Python does not have it\n")).collect::<String>()
}
