//! Generated histories: events that look like life, and a spine of instants to ask about.
//!
//! A pipeline says in `sample.toml` how its days look; one without it gets a script made of its fields and expressions. The
//! same pipeline, seed and size give the same bytes.

mod arrival;
mod guess;
mod play;
mod script;
mod spine;
mod stage;

use std::{
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use domain::Timestamp;
use pipeline::Pipeline;

use self::{arrival::Arrivals, play::Player, script::Script, spine::Candidates};
use crate::{Error, Progress, dice::Dice, unfinished::Unfinished};

/// The script's name in the pipeline's folder.
const SCRIPT_FILE: &str = "sample.toml";
/// 2026-03-01T16:00:00Z, when an evening begins.
const START: Timestamp = Timestamp(1_772_380_800_000);
/// Events between two signs of progress.
const PROGRESS_EVENTS: u64 = 4096;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct SampleRequest {
    /// Where the pipeline is.
    pub folder: PathBuf,
    /// How many records.
    pub events: u64,
    /// How many rows the spine gets.
    pub rows: usize,
    /// Another seed is another day.
    pub seed: u64,
    /// JSON lines with the events.
    pub out: PathBuf,
    /// JSON lines with the spine.
    pub spine: Option<PathBuf>,
}

/// What was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sampled {
    /// Records written.
    pub events: u64,
    /// Rows of the spine.
    pub rows: usize,
    /// Arrival of the first record.
    pub from: Timestamp,
    /// Arrival of the last record.
    pub to: Timestamp,
}

/// Writes a history, and a spine of instants in its second half.
pub fn sample(pipeline: &Pipeline, request: &SampleRequest, progress: &dyn Progress) -> Result<Sampled, Error> {
    let path = request.folder.join(SCRIPT_FILE);
    let script = if path.exists() { Script::read(&path, pipeline)? } else { guess::script(pipeline)? };
    let mut player = Player::new(&script, pipeline, START, request.seed);
    let mut arrivals = Arrivals::new(pipeline, Dice::new(!request.seed));
    let mut candidates = Candidates::new(pipeline);
    let written = Error::writing(&request.out);
    let (unfinished, file) = Unfinished::create(&request.out)?;
    let mut file = BufWriter::new(file);
    progress.begin("making events", request.events);
    let mut sampled = Sampled { events: 0, rows: 0, from: START, to: START };
    while sampled.events < request.events {
        // Lives begin in order, so nothing that arrives before the next one begins can still be made.
        let Some(begins) = player.next_begins() else { break };
        while let Some((at, line)) = arrivals.before(begins) {
            if sampled.events == request.events {
                break;
            }
            file.write_all(line.as_bytes()).map_err(&written)?;
            sampled.from = if sampled.events == 0 { at } else { sampled.from };
            sampled.to = at;
            sampled.events += 1;
            if sampled.events.is_multiple_of(PROGRESS_EVENTS) {
                progress.at(sampled.events);
            }
        }
        let life = player.play();
        candidates.note(&life);
        arrivals.take(life);
    }
    unfinished.finish(&file.into_inner().map_err(|error| written(error.into_error()))?)?;
    progress.end();
    if let Some(path) = &request.spine {
        let middle = Timestamp(sampled.from.0.midpoint(sampled.to.0));
        let rows = candidates.rows(middle, sampled.to, request.rows, &mut Dice::new(request.seed));
        sampled.rows = rows.len();
        write_lines(path, &rows)?;
    }
    Ok(sampled)
}

fn write_lines(path: &Path, lines: &[String]) -> Result<(), Error> {
    let (unfinished, mut file) = Unfinished::create(path)?;
    file.write_all(lines.concat().as_bytes()).map_err(Error::writing(path))?;
    unfinished.finish(&file)
}

#[cfg(test)]
mod tests;
