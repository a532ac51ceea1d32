//! `headway models list`, `use`, `challenge` and `withdraw`: by the process that holds the folder, or with the folder itself where none runs.

use std::path::Path;

use serde_json::Value;

use super::stopped::Stopped;
use crate::{
    arguments::{ModelsChallenge, ModelsList, ModelsOf, ModelsUse, ModelsWithdraw},
    commands::asking::unexpected,
    console::Console,
    failure::Failure,
    host::control::{Answer, Client, Request},
    models::{Brought, Wanted},
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
    decide(&arguments.of, &arguments.trust.trust, wanted, console)
}

pub(super) fn challenge(arguments: &ModelsChallenge, console: &Console) -> Result<(), Failure> {
    let Some(brought) = brought(&arguments.model)? else {
        return Err(unmeant(&arguments.model, ""));
    };
    decide(&arguments.of, &arguments.trust.trust, Wanted::Challenger(brought), console)
}

pub(super) fn withdraw(arguments: &ModelsWithdraw, console: &Console) -> Result<(), Failure> {
    let Some(digits) = digits(&arguments.digest) else {
        return Err(Failure::usage_of(&format!("{} is not {DIGITS_MIN} or more digits of a digest", arguments.digest)));
    };
    decide(&arguments.of, &[], Wanted::NoChallenger(digits), console)
}

fn decide(of: &ModelsOf, trust: &[String], wanted: Wanted, console: &Console) -> Result<(), Failure> {
    let request = Request::UseModel { pipeline: of.pipeline.clone(), wanted, by: somebody() };
    tell(of, trust, request, console)
}

/// What a word on the command line means.
fn wanted(model: &str) -> Result<Wanted, Failure> {
    match brought(model)? {
        _ if model == "none" => Ok(Wanted::Nobody),
        Some(Brought::Package(folder)) => Ok(Wanted::Package(folder)),
        Some(Brought::Digest(digits)) => Ok(Wanted::Digest(digits)),
        None => Err(unmeant(model, ", nor none")),
    }
}

/// Which model a word means; none when it means none.
fn brought(model: &str) -> Result<Option<Brought>, Failure> {
    let folder = Path::new(model);
    if folder.is_dir() {
        // A process elsewhere needs the whole path.
        let whole = folder.canonicalize().map_err(|error| Failure::reading(folder, &error))?;
        return Ok(Some(Brought::Package(whole)));
    }
    Ok(digits(model).map(Brought::Digest))
}

fn digits(model: &str) -> Option<String> {
    let are_digits = (DIGITS_MIN..=DIGITS_MAX).contains(&model.len()) && model.bytes().all(|digit| digit.is_ascii_hexdigit());
    are_digits.then(|| model.to_ascii_lowercase())
}

fn unmeant(model: &str, more: &str) -> Failure {
    Failure::usage_of(&format!("{model} is neither the folder of a package, nor {DIGITS_MIN} or more digits of a digest{more}"))
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
