//! `headway models list` and `use`: by the process that holds the folder, or with the folder itself where none runs.

use std::path::Path;

use serde_json::Value;

use super::stopped::Stopped;
use crate::{
    arguments::{ModelsList, ModelsOf, ModelsUse},
    commands::asking::unexpected,
    console::Console,
    failure::Failure,
    host::control::{Answer, Client, Request},
    models::Wanted,
};

/// Digits of a digest that are enough to mean one.
const DIGITS_MIN: usize = 6;
const DIGITS_MAX: usize = 64;

pub(super) fn list(arguments: &ModelsList, console: &Console) -> Result<(), Failure> {
    let request = Request::Models { pipeline: arguments.of.pipeline.clone() };
    tell(&arguments.of, &[], request, console)
}

pub(super) fn run(arguments: &ModelsUse, console: &Console) -> Result<(), Failure> {
    let wanted = match &arguments.model {
        Some(model) => wanted(model)?,
        None => Wanted::Back,
    };
    let request = Request::UseModel { pipeline: arguments.of.pipeline.clone(), wanted, by: somebody() };
    tell(&arguments.of, &arguments.trust, request, console)
}

/// What a word on the command line means.
fn wanted(model: &str) -> Result<Wanted, Failure> {
    let folder = Path::new(model);
    if model == "none" {
        Ok(Wanted::Nobody)
    } else if folder.is_dir() {
        // A process elsewhere needs the whole path.
        Ok(Wanted::Package(folder.canonicalize().map_err(|error| Failure::reading(folder, &error))?))
    } else if (DIGITS_MIN..=DIGITS_MAX).contains(&model.len()) && model.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        Ok(Wanted::Digest(model.to_ascii_lowercase()))
    } else {
        Err(Failure::usage_of(&format!(
            "{model} is neither the folder of a package, nor {DIGITS_MIN} or more digits of a digest, nor none"
        )))
    }
}

/// As the system calls whoever asks; the trail says it to people, and nothing depends on it.
fn somebody() -> String {
    let named = ["USER", "LOGNAME"].into_iter().find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    named.unwrap_or_else(|| "somebody".to_owned())
}

fn tell(of: &ModelsOf, trust: &[String], request: Request, console: &Console) -> Result<(), Failure> {
    crate::commands::run::runtime(2)?.block_on(async {
        let running = if of.shared.is_none() { Client::connect(&of.folder).await } else { None };
        let answer = match running {
            Some(mut client) => client.ask(&request).await?,
            None => Stopped::open(of, trust).await?.answer(request).await?,
        };
        let (object, text): (Value, String) = match answer {
            Answer::Told { object, text } => (object, text),
            other => return Err(unexpected(&other)),
        };
        console.result(|| object, || text)?;
        Ok(())
    })
}
