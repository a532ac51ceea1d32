//! What may be asked, by command. The texts here are the help, the manual and `docs/reference/command-line.md`.

mod backfill;
mod bench;
mod doctor;
mod explain;
mod features;
mod models;
mod new;
mod run;
mod sample;
mod servers;
mod simulate;
mod telling;
mod topics;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use self::{
    backfill::{Backfill, Mode},
    bench::{Bench, BenchEngine, BenchLatency, BenchPipeline, BenchQuotes, BenchRun, BenchScorer, BenchState, BenchTakeover},
    doctor::Doctor,
    explain::{Audit, AuditLate, Explain, Plan},
    features::{Features, FeaturesGet},
    models::{Models, ModelsChallenge, ModelsList, ModelsOf, ModelsShow, ModelsSign, ModelsUse, ModelsVerify, ModelsWithdraw},
    new::New,
    run::Run,
    sample::Sample,
    servers::Servers,
    simulate::Simulate,
    telling::Telling,
    topics::{Topics, TopicsOf},
};

/// Rolling features of deliveries: declared once, the same in stream, backfill and audit
#[derive(Debug, Parser)]
#[command(name = "headway", version, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 a plan that would change something, 78 a pipeline or setting with faults."
)]
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
    /// Show what a value is made of: its partials, the records behind them, and what was late or dropped; or what the latest prediction of a
    /// case is made of: vectors, inputs, model, and which inputs mattered
    Explain(Explain),
    /// Show what an edited pipeline would add, rebuild or remove, which values would move and by how much, and what it costs
    Plan(Plan),
    /// Look at what was left out
    #[command(subcommand)]
    Audit(Audit),
    /// Compare the topics of pipelines in Kafka with what they should be, and make them so
    #[command(subcommand)]
    Topics(Topics),
    /// Tell whether this machine, this folder and its servers are fit, and what to do where they are not; changes nothing
    Doctor(Doctor),
    /// Sign packages of models, check them as a scorer does, and choose the one that speaks and those that challenge it
    #[command(subcommand)]
    Models(Models),
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

fn entity(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((entity, key)) if !entity.is_empty() && !key.is_empty() => Ok((entity.to_owned(), key.to_owned())),
        _ => Err("an entity and its key are needed, such as store:42".to_owned()),
    }
}
