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
mod pages;
mod parts;
mod settings;
mod table;
mod telemetry;
mod topics;
mod view;

use std::process::ExitCode;

use clap::Parser;

use crate::{arguments::Arguments, console::Console, failure::Failure};

/// Records are allocated by the threads of a client and freed by those of the workers. The C library keeps what is freed that way for
/// the thread that asked for it: a third of what is resident under load.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let (console, outcome) = match Arguments::try_parse() {
        Ok(arguments) => {
            let console = Console::new(arguments.json, arguments.quiet, arguments.color);
            let outcome = commands::run(&arguments.command, &console);
            (console, outcome)
        }
        // Help and version are answers, not faults.
        Err(error) if !error.use_stderr() => {
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            // The arguments could not be read, so this one is looked for by hand.
            let json = std::env::args().any(|argument| argument == "--json");
            if !json {
                let _ = error.print();
                return failure::USAGE.into();
            }
            (Console::json(), Err(Failure::usage(&error)))
        }
    };
    match outcome {
        Ok(code) => code,
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            // If even this cannot be printed there is nobody to tell.
            let _ = console.failure(&failure);
            failure.code.into()
        }
    }
}
