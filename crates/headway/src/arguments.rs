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
    /// Report all faults of pipelines, each with its line
    Check(Pipelines),
    /// Run the pipelines' own tests: events in, expected features out
    Test(Pipelines),
    /// Compute features as they were at given instants, over files
    Backfill(Backfill),
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
