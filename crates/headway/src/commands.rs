//! One file for each command that does more than print.

mod asking;
mod backfill;
mod bench;
mod check;
mod docs;
mod doctor;
mod explain;
mod features;
mod models;
mod new;
mod run;
mod sample;
mod simulate;
mod test;
mod topics;

use crate::{
    arguments::{Audit, Bench, Command, Features},
    console::Console,
    failure::{ExitNumber, Failure, SUCCESS},
    pages,
};

/// Does what is asked.
pub(crate) fn run(command: &Command, console: &Console) -> Result<ExitNumber, Failure> {
    match command {
        Command::Check(pipelines) => return check::run(&pipelines.folders, console),
        Command::Test(pipelines) => return test::run(&pipelines.folders, console),
        Command::Doctor(arguments) => return doctor::run(arguments, console),
        Command::Topics(arguments) => return topics::run(arguments, console),
        Command::New(arguments) => new::run(arguments, console)?,
        Command::Backfill(arguments) => backfill::run(arguments, console)?,
        Command::Run(arguments) => run::run(arguments, console)?,
        Command::Simulate(arguments) => simulate::run(arguments, console)?,
        Command::Features(Features::Get(arguments)) => features::get(arguments, console)?,
        Command::Explain(arguments) => explain::explain(arguments, console)?,
        Command::Plan(arguments) => explain::plan(arguments, console)?,
        Command::Audit(Audit::Late(arguments)) => explain::late(arguments, console)?,
        Command::Models(arguments) => models::run(arguments, console)?,
        Command::Sample(arguments) => sample::run(arguments, console)?,
        Command::Bench(Bench::Engine(arguments)) => bench::engine(arguments, console)?,
        Command::Bench(Bench::State(arguments)) => bench::state(arguments, console)?,
        Command::Bench(Bench::Latency(arguments)) => bench::latency(arguments, console)?,
        Command::Bench(Bench::Run(arguments)) => bench::live::run(arguments, console)?,
        Command::Bench(Bench::Pipeline(arguments)) => bench::live::run_pipeline(arguments, console)?,
        Command::Bench(Bench::Takeover(arguments)) => bench::live::run_takeover(arguments, console)?,
        Command::Bench(Bench::Quotes(arguments)) => bench::quotes::run(arguments, console)?,
        Command::Bench(Bench::Scorer(arguments)) => bench::scorer::run(arguments, console)?,
        // The schema is one JSON object already.
        Command::Schema => console.result(pipeline::json_schema, pages::schema)?,
        Command::Completions { shell } => console.text("script", &pages::completions(*shell))?,
        Command::Man => console.text("roff", &pages::manual()?)?,
        Command::Docs { out } => docs::run(out, console)?,
    }
    Ok(SUCCESS)
}
