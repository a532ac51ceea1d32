//! The command line: reads what is asked, does it with the libraries, says what came of it. The only place that prints.

mod arguments;
mod city;
mod commands;
mod console;
mod doctor;
mod failure;
mod host;
mod http;
mod marker;
mod models;
mod pages;
mod parts;
mod plain;
mod settings;
mod table;
mod telemetry;
mod topics;
mod view;

use std::io::Write;

use clap::Parser;

use crate::{
    arguments::Arguments,
    console::Console,
    failure::{ExitNumber, Failure},
};

/// Records are allocated by the threads of a client and freed by those of the workers. The C library keeps what is freed that way for
/// the thread that asked for it: a third of what is resident under load.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let code = run();
    // What is not written now is told to nobody; who does not read it is not told either.
    let _ = std::io::stdout().flush();
    // Without what the C library does at its end: OpenSSL would clean up under the threads of Kafka's clients, which end by themselves
    // when their brokers answer, and a process that has done all it should would end by a fault of memory.
    signal_hook::low_level::exit(code.0.into());
}

fn run() -> ExitNumber {
    let (console, outcome) = match Arguments::try_parse() {
        Ok(arguments) => {
            let console = Console::new(arguments.json, arguments.quiet, arguments.color);
            let outcome = commands::run(&arguments.command, &console);
            (console, outcome)
        }
        // Help and version are answers, not faults.
        Err(error) if !error.use_stderr() => {
            let _ = error.print();
            return failure::SUCCESS;
        }
        Err(error) => {
            // The arguments could not be read, so this one is looked for by hand.
            let json = std::env::args().any(|argument| argument == "--json");
            if !json {
                let _ = error.print();
                return failure::USAGE;
            }
            (Console::json(), Err(Failure::usage(&error)))
        }
    };
    match outcome {
        Ok(code) => code,
        Err(failure) if failure.is_closed_pipe() => failure::SUCCESS,
        Err(failure) => {
            // If even this cannot be printed there is nobody to tell.
            let _ = console.failure(&failure);
            failure.code
        }
    }
}
