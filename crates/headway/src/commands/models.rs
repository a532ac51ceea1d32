//! `headway models`: packages of models by hand, and which of them speaks. Loads them as a scorer does, with the limits of one; never interprets a file of a package
//! whose signature is not good.

mod choose;
mod keys;
mod show;
mod sign;
mod stopped;

use std::path::Path;

use scoring::{
    Limits, Makeup, Package,
    package::{Files, GOLDEN_TOLERANCE, MANIFEST, MODEL, TrustedKey, read_folder},
};
use serde_json::{Value, json};

use crate::{
    arguments::{Models, ModelsVerify},
    console::Console,
    failure::Failure,
    models::trust,
    table::{bytes, grouped},
};

pub(super) fn run(arguments: &Models, console: &Console) -> Result<(), Failure> {
    match arguments {
        Models::Verify(arguments) => verify(arguments, console),
        Models::Show(arguments) => show::run(arguments, console),
        Models::Sign(arguments) => sign::run(arguments, console),
        Models::List(arguments) => choose::list(arguments, console),
        Models::Use(arguments) => choose::run(arguments, console),
        Models::Challenge(arguments) => choose::challenge(arguments, console),
        Models::Withdraw(arguments) => choose::withdraw(arguments, console),
    }
}

/// A package with what only its files know.
struct Loaded {
    package: Package,
    model_bytes: u64,
    manifest_bytes: u64,
}

fn load(files: &Files, trusted: &[TrustedKey]) -> Result<Loaded, scoring::Error> {
    let package = Package::load(files, trusted, &Limits::default())?;
    let size = |name: &str| files.get(name).map_or(0, |content| content.len() as u64);
    Ok(Loaded { package, model_bytes: size(MODEL), manifest_bytes: size(MANIFEST) })
}

fn read(folder: &Path) -> Result<Files, Failure> {
    Ok(read_folder(folder, &Limits::default())?)
}

fn verify(arguments: &ModelsVerify, console: &Console) -> Result<(), Failure> {
    let trusted = trust::trusted(&arguments.trust)?;
    let files = read(&arguments.folder)?;
    let loaded = load(&files, &trusted).map_err(|error| match error {
        scoring::Error::Untrusted { key, trusted: 0 } => Failure::configuration(format!(
            "the model package is signed by the key {key}, and no key is trusted here: add --trust {key} if you know whose it is"
        )),
        error => error.into(),
    })?;
    let checked = checked(&loaded, trusted.len());
    let manifest = loaded.package.manifest();
    console.result(
        || {
            json!({
                "folder": arguments.folder.display().to_string(),
                "name": manifest.name,
                "version": manifest.version,
                "digest": loaded.package.digest().to_string(),
                "key": loaded.package.key().to_string(),
                "checked": checked.iter().map(|(what, found)| json!({ "what": what, "found": found })).collect::<Vec<Value>>(),
            })
        },
        || {
            let width = checked.iter().map(|(what, _)| what.len()).max().unwrap_or(0);
            let lines = checked.iter().map(|(what, found)| format!("  {what:width$}  {found}\n"));
            let head =
                format!("{} {} {}: a scorer that trusts the key loads it\n", console.good("ok"), manifest.name, manifest.version);
            head + &lines.collect::<String>()
        },
    )?;
    Ok(())
}

/// What loading has looked at, in its order, and what it found.
fn checked(loaded: &Loaded, trusted: usize) -> [(&'static str, String); 7] {
    let Loaded { package, model_bytes, manifest_bytes } = loaded;
    let (manifest, limits) = (package.manifest(), Limits::default());
    let size = |name: &str, found: u64, most: u64| format!("{name} has {} of {} at most", bytes(found), bytes(most));
    let model = size(MODEL, *model_bytes, limits.model_bytes_max);
    let known = size(MANIFEST, *manifest_bytes, limits.manifest_bytes_max);
    [
        ("files", format!("{model}, {known}; nothing is missing, and nothing else is there")),
        ("digest", format!("{}, which is that of the files", package.digest())),
        ("signature", format!("good, and of the key {}: one of {trusted} that are trusted", package.key())),
        ("inputs and outputs", format!("{} and {}, as the model has them", manifest.inputs.len(), manifest.outputs.len())),
        ("operators", format!("{}; all of them run here", makeup(package.session().makeup()))),
        ("memory", format!("within {} to read the model, and as much for a batch of rows", bytes(limits.memory_bytes_max))),
        (
            "golden rows",
            format!("{}, each alone and all together, within {GOLDEN_TOLERANCE} of what is expected", manifest.golden.len()),
        ),
    ]
}

fn makeup(makeup: Makeup) -> String {
    match makeup {
        Makeup::Trees { trees, nodes } => format!("{} trees with {} nodes", grouped(trees as u64), grouped(nodes as u64)),
        Makeup::Network { operators } => format!("a network of {} operators", grouped(operators as u64)),
    }
}
