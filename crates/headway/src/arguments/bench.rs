//! What `headway bench` may be asked.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Servers;

/// What to measure.
#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Events a second through the engine alone: no broker, input in memory
    Engine(BenchEngine),
    /// A million live entities: memory, and the time to save them while events keep coming, and to restore them
    State(BenchState),
    /// Small batches: one event alone from payload to vectors, and 5,000 events a second in batches of 50 ms
    Latency(BenchLatency),
    /// Rows through a model of 300 trees with 31 leaves each over 40 values, alone and in batches of 64, on one thread
    Scorer(BenchScorer),
    /// Quotes of fifty candidates over HTTP at a steady rate, in turns with a probe over the same connections
    Quotes(BenchQuotes),
    /// The running system with its embedded parts: freshness at a steady rate, events a second, and the restart after a kill
    Run(BenchRun),
    /// The running system with the servers that are named: events a second out of a backlog, and freshness at two steady rates
    Pipeline(BenchPipeline),
    /// How soon the other processes answer for one that was killed, with very many live entities on the servers that are named
    Takeover(BenchTakeover),
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

/// Arguments of `bench scorer`.
#[derive(Args, Debug)]
pub(crate) struct BenchScorer {
    /// An interpreter of Python: the same trees are measured in its ONNX Runtime and its LightGBM, as far as it has them, in turns with
    /// ours. ONNX Runtime's figures hold a call from Python and its own work: rows and places for predictions are bound beforehand
    /// (`run_with_iobinding`). LightGBM's hold all that `Booster.predict` does in Python
    #[arg(long, value_name = "PATH")]
    pub(crate) python: Option<PathBuf>,
}

/// Arguments of `bench quotes`.
#[derive(Args, Debug)]
pub(crate) struct BenchQuotes {
    #[command(flatten)]
    pub(crate) servers: Servers,
    /// Folder with a pipeline.toml that predicts something
    #[arg(long, value_name = "FOLDER")]
    pub(crate) pipeline: PathBuf,
    /// Candidates of each request
    #[arg(long, default_value_t = 50, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) candidates: u32,
    /// Requests a second, sent whether the ones before are answered or not
    #[arg(long, default_value_t = 500, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: u32,
    /// For how many seconds quotes are asked for; the probe takes as many
    #[arg(long, default_value_t = 10, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) seconds: u32,
}

/// Arguments of `bench pipeline`.
#[derive(Args, Debug)]
pub(crate) struct BenchPipeline {
    #[command(flatten)]
    pub(crate) servers: Servers,
    /// Folder with a pipeline.toml that reads what a simulated city or fleet produces: its backlog, and its predictions at the steady
    /// rate; without it built-in orders
    #[arg(long, value_name = "FOLDER")]
    pub(crate) pipeline: Option<PathBuf>,
    /// Let so many processes of this program share the work in place of workers in this one: the backlog alone
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=16))]
    pub(crate) processes: Option<u16>,
    /// Where it works, removed afterwards; must not exist. What it leaves in the servers has names of its own
    #[arg(long, default_value = ".headway-bench", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// How many events wait in the log when the workers begin
    #[arg(long, default_value_t = 3_000_000, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub(crate) events: u64,
    /// Events a second of the steady load; a second one is half of what was measured at most
    #[arg(long, default_value_t = 5_000, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) rate: u32,
    /// How long each steady load is measured
    #[arg(long, default_value_t = 20, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) seconds: u32,
}

/// Arguments of `bench takeover`.
#[derive(Args, Debug)]
pub(crate) struct BenchTakeover {
    #[command(flatten)]
    pub(crate) servers: Servers,
    /// Where it works, removed afterwards; must not exist. What it leaves in the servers has names of its own
    #[arg(long, default_value = ".headway-bench", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// How many entities are live, over 16 partitions
    #[arg(long, default_value_t = 1_000_000, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=20_000_000))]
    pub(crate) entities: u64,
    /// How many processes share them until one is killed
    #[arg(long, default_value_t = 2, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(2..=8))]
    pub(crate) processes: u16,
}

/// Arguments of `bench run`.
#[derive(Args, Debug)]
pub(crate) struct BenchRun {
    /// Where it works: some gigabytes, removed afterwards; must not exist
    #[arg(long, default_value = ".headway-bench", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Leave the folder behind
    #[arg(long)]
    pub(crate) keep: bool,
    /// How many events are sent as fast as they are taken
    #[arg(long, default_value_t = 2_000_000, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub(crate) events: u64,
    /// Events a second of the steady load
    #[arg(long, default_value_t = 5_000, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) rate: u32,
    /// How long the steady load is measured
    #[arg(long, default_value_t = 30, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) seconds: u32,
    /// How many entities are live when the process is killed
    #[arg(long, default_value_t = 1_000_000, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..=20_000_000))]
    pub(crate) entities: u64,
}
