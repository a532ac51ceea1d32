//! What may be asked. The texts here are the help, the manual and `docs/reference/command-line.md`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Rolling features of deliveries: declared once, the same in stream, backfill and audit
#[derive(Debug, Parser)]
#[command(name = "headway", version, arg_required_else_help = true)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 78 a pipeline or setting with faults.")]
pub(crate) struct Arguments {
    /// Print exactly one JSON object on standard output and nothing else there
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show no progress
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    /// What to do
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Draft a pipeline from a file of events: one that passes its checks and takes the events
    New(New),
    /// Report all faults of pipelines, each with its line
    Check(Pipelines),
    /// Run the pipelines' own tests: events in, expected features out
    Test(Pipelines),
    /// Compute features as they were at given instants, over files
    Backfill(Backfill),
    /// Take events in and keep vectors right, until told to stop; everything in one process and one folder
    Run(Run),
    /// Let a simulated city or fleet produce events: into a file, or into the log of a folder
    Simulate(Simulate),
    /// Look at what readers get
    #[command(subcommand)]
    Features(Features),
    /// Show what a value is made of: its partials, the records behind them, and what was late or dropped
    Explain(Explain),
    /// Show what an edited pipeline would add, rebuild or remove, which values would move and by how much, and what it costs
    Plan(Plan),
    /// Look at what was left out
    #[command(subcommand)]
    Audit(Audit),
    /// Generate a history of events, and instants to ask about
    Sample(Sample),
    /// Measure the engine
    #[command(subcommand)]
    Bench(Bench),
    /// Print the JSON Schema of pipelines, for editors
    Schema,
    /// Print a script that completes commands in a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page, for `man -l -`
    Man,
    /// Write the generated pages of the documentation
    Docs {
        /// An existing folder
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
}

/// Arguments of `run`.
#[derive(Args, Debug)]
pub(crate) struct Run {
    /// Folders with a pipeline.toml; without one, the pipelines that ran in the folder before
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipelines: Vec<PathBuf>,
    /// Where everything is kept; deleting it is the whole uninstall
    #[arg(long, default_value = ".headway", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Simulate what produces the events: calm, rain, rider-shortage, slow-kitchens, new-area; quiet, roll-call for scooters
    #[arg(long, value_name = "SCENARIO")]
    pub(crate) city: Option<String>,
    /// How fast time passes; 60 makes a minute of an hour
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR", value_parser = speed)]
    pub(crate) speed: f64,
    /// Of the simulation
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(crate) seed: u64,
    /// Stop after this, such as 90s, 1m or 2h
    #[arg(long = "for", value_name = "SPAN", value_parser = pipeline::span)]
    pub(crate) lasting: Option<domain::Span>,
    /// Stop when everything in the log was taken
    #[arg(long)]
    pub(crate) until_caught_up: bool,
    /// Print a line now and then, even on a terminal
    #[arg(long)]
    pub(crate) headless: bool,
    /// Into how many parts topics are divided: 4, and fixed once they exist
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) partitions: Option<u32>,
    /// How many workers share them
    #[arg(long, default_value_t = 2, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) workers: u16,
}

/// Arguments of `simulate`.
#[derive(Args, Debug)]
pub(crate) struct Simulate {
    /// calm, rain, rider-shortage, slow-kitchens, new-area; quiet, roll-call for scooters
    #[arg(default_value = "calm")]
    pub(crate) scenario: String,
    /// How much time passes in the simulation
    #[arg(long = "for", default_value = "24h", value_name = "SPAN", value_parser = pipeline::span)]
    pub(crate) lasting: domain::Span,
    /// Where the events go, as JSON lines
    #[arg(long, value_name = "FILE", required_unless_present = "folder", conflicts_with = "folder")]
    pub(crate) out: Option<PathBuf>,
    /// Into the log of this folder: live when `headway run` holds it, else all at once for it to find
    #[arg(long, value_name = "FOLDER", requires = "pipeline")]
    pub(crate) folder: Option<PathBuf>,
    /// The id of the pipeline whose topics take the events
    #[arg(long, value_name = "ID")]
    pub(crate) pipeline: Option<String>,
    /// Where the truth about orders goes, as JSON lines; it is never in the events
    #[arg(long, value_name = "FILE")]
    pub(crate) truth: Option<PathBuf>,
    /// Nothing is sent twice, out of order, late or broken
    #[arg(long)]
    pub(crate) flawless: bool,
    /// How well could anybody predict? Takes a minute or two, and no events are written
    #[arg(long, conflicts_with_all = ["folder", "truth"])]
    pub(crate) skill: bool,
    /// Another seed gives another day
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(crate) seed: u64,
    /// Into how many parts topics are divided: 4, and fixed once they exist
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub(crate) partitions: Option<u32>,
}

/// What to look at.
#[derive(Debug, Subcommand)]
pub(crate) enum Features {
    /// Values of an entity with their age, until when each holds, and when its source was last heard
    Get(FeaturesGet),
}

/// Arguments of `features get`.
#[derive(Args, Debug)]
pub(crate) struct FeaturesGet {
    /// An entity, such as store:42
    #[arg(value_name = "ENTITY:KEY", value_parser = entity)]
    pub(crate) entity: (String, String),
    /// Where Headway keeps everything
    #[arg(long, default_value = ".headway", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Which pipeline, when several run
    #[arg(long, value_name = "ID")]
    pub(crate) pipeline: Option<String>,
    /// Follow it, a line for each value that changes, until interrupted
    #[arg(long)]
    pub(crate) watch: bool,
}

/// Arguments of `explain`.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// An entity, such as store:42
    #[arg(value_name = "ENTITY:KEY", value_parser = entity)]
    pub(crate) entity: (String, String),
    /// One of its features, such as prep_mean_15m
    #[arg(long, value_name = "NAME")]
    pub(crate) feature: String,
    /// The value at this instant instead of now, such as 2026-11-21T18:30:00Z
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub(crate) at: Option<domain::Timestamp>,
    /// Where Headway keeps everything
    #[arg(long, default_value = ".headway", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Which pipeline, when several run
    #[arg(long, value_name = "ID")]
    pub(crate) pipeline: Option<String>,
}

/// Arguments of `plan`.
#[derive(Args, Debug)]
pub(crate) struct Plan {
    /// Folder with the edited pipeline.toml
    #[arg(value_name = "PIPELINE")]
    pub(crate) pipeline: PathBuf,
    /// Compare values at each of so many hours
    #[arg(long, default_value_t = 6, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=168))]
    pub(crate) hours: u32,
    /// Where Headway keeps everything
    #[arg(long, default_value = ".headway", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
}

/// What to audit.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// How much the events that came too late would have moved each feature
    Late(AuditLate),
}

/// Arguments of `audit late`.
#[derive(Args, Debug)]
pub(crate) struct AuditLate {
    /// How far back from now
    #[arg(long = "for", default_value = "24h", value_name = "SPAN", value_parser = pipeline::span)]
    pub(crate) back: domain::Span,
    /// Where Headway keeps everything
    #[arg(long, default_value = ".headway", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Which pipeline, when several run
    #[arg(long, value_name = "ID")]
    pub(crate) pipeline: Option<String>,
}

fn instant(text: &str) -> Result<domain::Timestamp, String> {
    domain::Timestamp::parse(text).ok_or_else(|| "an instant such as 2026-11-21T18:30:00Z is needed".to_owned())
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "a number such as 1 or 60 is needed".to_owned())?;
    if (0.01..=10_000.0).contains(&speed) { Ok(speed) } else { Err("between 0.01 and 10000, please".to_owned()) }
}

fn entity(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((entity, key)) if !entity.is_empty() && !key.is_empty() => Ok((entity.to_owned(), key.to_owned())),
        _ => Err("an entity and its key are needed, such as store:42".to_owned()),
    }
}

/// Arguments of `new`.
#[derive(Args, Debug)]
pub(crate) struct New {
    /// The pipeline's name: lower-case letters, digits and `-`, beginning with a letter
    pub(crate) name: String,
    /// Events as JSON lines, or `-` for standard input; the first 100,000 are looked at
    #[arg(long, value_name = "FILE")]
    pub(crate) from: PathBuf,
    /// Where the pipeline's own folder goes; nothing there is overwritten
    #[arg(long, default_value = "pipelines", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
}

/// Some pipelines.
#[derive(Args, Debug)]
pub(crate) struct Pipelines {
    /// Folders with a pipeline.toml
    #[arg(required = true, value_name = "PIPELINE")]
    pub(crate) folders: Vec<PathBuf>,
}

/// Arguments of `backfill`.
#[derive(Args, Debug)]
pub(crate) struct Backfill {
    /// Folder with a pipeline.toml
    #[arg(long, value_name = "FOLDER")]
    pub(crate) pipeline: PathBuf,
    /// Events as JSON lines or Parquet; repeat for several files, they are merged by arrival
    ///
    /// An event says its stream in `_source`, or its file is called after the stream, or the pipeline has one stream only. It says
    /// when it arrived in `_at`; otherwise the order of the file is the order of arrival, each event arriving when it happened.
    #[arg(long, required = true, value_name = "FILE")]
    pub(crate) events: Vec<PathBuf>,
    /// What is asked for, as JSON lines, CSV or Parquet: a column `at`, one for each entity type such as `store`, and any others
    #[arg(long, value_name = "FILE")]
    pub(crate) spine: PathBuf,
    /// Which events an instant may know of
    #[arg(long, default_value = "available")]
    pub(crate) mode: Mode,
    /// Where the rows go, in the order of the spine: .jsonl, .csv or .parquet
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// How many rows to show at the end
    #[arg(long, default_value_t = 10, value_name = "ROWS")]
    pub(crate) show: usize,
}

/// Which events an instant may know of.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Mode {
    /// Those that had arrived before it: what was served
    Available,
    /// All that were not too late, whenever they arrived
    Complete,
}

/// Arguments of `sample`.
#[derive(Args, Debug)]
pub(crate) struct Sample {
    /// Folder with a pipeline.toml and, if there is one, a sample.toml
    #[arg(long, value_name = "FOLDER")]
    pub(crate) pipeline: PathBuf,
    /// How many records
    #[arg(long, default_value_t = 200_000, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) events: u64,
    /// Where the events go, as JSON lines
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Where instants to ask about go, as JSON lines for `backfill --spine`
    #[arg(long, value_name = "FILE")]
    pub(crate) spine: Option<PathBuf>,
    /// How many instants
    #[arg(long, default_value_t = 1000, value_name = "NUMBER")]
    pub(crate) rows: usize,
    /// Another seed gives another day
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(crate) seed: u64,
}

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Events a second through the engine alone: no broker, input in memory
    Engine(BenchEngine),
    /// A million live entities: memory, and the time to save them while events keep coming, and to restore them
    State(BenchState),
    /// Small batches: one event alone from payload to vectors, and 5,000 events a second in batches of 50 ms
    Latency(BenchLatency),
}

/// Arguments of `bench latency`.
#[derive(Args, Debug)]
pub(crate) struct BenchLatency {
    /// Folder with a pipeline.toml
    #[arg(long, value_name = "FOLDER")]
    pub(crate) pipeline: PathBuf,
    /// Events as JSON lines or Parquet, such as `headway sample` writes
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,
}

/// Arguments of `bench state`.
#[derive(Args, Debug)]
pub(crate) struct BenchState {
    /// How many entities, each with ten features of one hour
    #[arg(long, default_value_t = 1_000_000, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=20_000_000))]
    pub(crate) entities: u64,
}

/// Arguments of `bench engine`.
#[derive(Args, Debug)]
pub(crate) struct BenchEngine {
    /// Folder with a pipeline.toml; without it a built-in pipeline of orders
    #[arg(long, value_name = "FOLDER", requires = "input")]
    pub(crate) pipeline: Option<PathBuf>,
    /// Events as JSON lines or Parquet; without it orders are generated
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// How many orders are generated
    #[arg(long, default_value_t = 2_000_000, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub(crate) events: u64,
    /// How much time they cover
    #[arg(long, default_value_t = 120, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub(crate) minutes: u64,
    /// Windows of the built-in pipeline
    #[arg(long, default_value = "5m,30m,1h", value_delimiter = ',', value_name = "SPANS", conflicts_with = "pipeline")]
    pub(crate) windows: Vec<String>,
    /// Of the generated orders
    #[arg(long, default_value_t = 1, value_name = "NUMBER")]
    pub(crate) seed: u64,
    /// Write the generated orders to this file as JSON lines, and measure nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["input", "pipeline"])]
    pub(crate) write: Option<PathBuf>,
}
