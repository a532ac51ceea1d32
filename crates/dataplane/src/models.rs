//! Which model of a pipeline speaks, and which are asked beside it: packages are kept as artifacts under their digests, and one decision follows the other in the
//! catalog. Decides nothing about whether a package may be trusted: whoever brings or fetches one loads it.

use bytes::Bytes;
use domain::Timestamp;
use ports::{Artifacts, Error, ErrorKind, KnownModel, Models};
use scoring::package::{Files, digest};

/// Models that are kept: about a year of weekly trainings. 50 packages of a megabyte are no burden to any folder.
pub const KNOWN_MAX: usize = 50;
/// Models that are asked beside the one that speaks: two of one training, the one before them and one by hand. Each is as large as a
/// package may be in every process, and has a thread of each worker while it is asked.
pub const CHALLENGERS_MAX: usize = 4;
/// Steps that one can go back; who wants to go back further names the model.
pub const BEFORE_MAX: usize = 10;
/// The files of one package lie below this.
const FOLDER: &str = "models";

/// Who is to speak from now on, and who is to be asked beside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// This model, known before or not.
    Model(KnownModel),
    /// No model: the estimates that need none.
    Nobody,
    /// Whoever spoke before.
    Back,
    /// The same as now, and this model, known before or not, is asked beside it.
    Challenger(KnownModel),
    /// The same as now, and the model with this digest is not asked any longer.
    NoChallenger(String),
}

/// The next decision, and what is forgotten by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// As the catalog is to have it.
    pub models: Models,
    /// The digests of models that are not kept any longer.
    pub forgotten: Vec<String>,
}

/// What follows from a choice; none when it is so already, or when there is nobody to go back to. Whoever speaks challenges nobody. How
/// many may challenge is for the caller to see.
pub fn decide(current: &Models, choice: Choice, at: Timestamp) -> Option<Decision> {
    let mut models = Models { revision: current.revision + 1, at, ..current.clone() };
    match choice {
        Choice::Back => {
            models.champion = models.before.pop()?;
            silence_the_champion(&mut models);
            return Some(Decision { models, forgotten: Vec::new() });
        }
        Choice::Nobody => speak(&mut models, None),
        Choice::Model(model) => {
            let digest = known(&mut models, model);
            speak(&mut models, Some(digest));
        }
        Choice::Challenger(model) => {
            let digest = known(&mut models, model);
            if models.champion.as_ref() != Some(&digest) && !models.challengers.contains(&digest) {
                models.challengers.push(digest);
            }
        }
        Choice::NoChallenger(digest) => models.challengers.retain(|challenger| *challenger != digest),
    }
    if models == (Models { revision: models.revision, at, ..current.clone() }) {
        return None;
    }
    let forgotten = forget_the_oldest(&mut models);
    Some(Decision { models, forgotten })
}

/// Keeps a model, and gives its digest.
fn known(models: &mut Models, model: KnownModel) -> String {
    let digest = model.digest.clone();
    match models.known.iter_mut().find(|known| known.digest == digest) {
        // It may have been signed again, by somebody else.
        Some(known) => known.key = model.key,
        None => models.known.push(model),
    }
    digest
}

fn speak(models: &mut Models, champion: Option<String>) {
    if champion == models.champion {
        return;
    }
    models.before.push(std::mem::replace(&mut models.champion, champion));
    let more = models.before.len().saturating_sub(BEFORE_MAX);
    models.before.drain(..more);
    silence_the_champion(models);
}

fn silence_the_champion(models: &mut Models) {
    let Models { challengers, champion, .. } = models;
    challengers.retain(|challenger| champion.as_ref() != Some(challenger));
}

/// Those that nobody asks or goes back to by one step after the other, as many as there are too many.
fn forget_the_oldest(models: &mut Models) -> Vec<String> {
    let mut forgotten = Vec::new();
    while models.known.len() > KNOWN_MAX {
        let is_needed = |digest: &String| {
            let spoke = models.champion.iter().chain(models.before.iter().flatten());
            spoke.chain(&models.challengers).any(|needed| needed == digest)
        };
        let Some(oldest) = models.known.iter().position(|known| !is_needed(&known.digest)) else { break };
        forgotten.push(models.known.remove(oldest).digest);
    }
    forgotten
}

/// Keeps the files of a package. Doing it again changes nothing but the signature, which may be another one of the same files.
pub async fn keep(artifacts: &impl Artifacts, pipeline: &str, files: &Files) -> Result<(), Error> {
    let digest = digest(files).to_string();
    for (name, content) in files {
        artifacts.put(&artifact(pipeline, &digest, name), Bytes::copy_from_slice(content)).await?;
    }
    Ok(())
}

/// The files of a package that is kept. They are what was kept under this digest; who signed them is still to be looked at.
pub async fn fetch(artifacts: &impl Artifacts, pipeline: &str, digest: &str) -> Result<Files, Error> {
    let folder = artifact(pipeline, digest, "");
    let mut files = Files::new();
    for artifact in artifacts.list(&folder).await? {
        let (Some(name), Some(content)) = (artifact.strip_prefix(&folder), artifacts.get(&artifact).await?) else { continue };
        files.insert(name.to_owned(), content.to_vec());
    }
    let found = self::digest(&files).to_string();
    if found == digest {
        return Ok(files);
    }
    let is = if files.is_empty() { "is not there".to_owned() } else { format!("has the digest {found}") };
    let what =
        format!("the model {digest} of {pipeline} {is}: bring its package again by `headway models use`, or use another model");
    Err(Error::new(ErrorKind::Poison, what))
}

/// Removes the files of packages that no decision names any longer.
pub async fn forget(artifacts: &impl Artifacts, pipeline: &str, digests: &[String]) -> Result<(), Error> {
    for digest in digests {
        for name in artifacts.list(&artifact(pipeline, digest, "")).await? {
            artifacts.remove(&name).await?;
        }
    }
    Ok(())
}

/// Each pipeline keeps its own, since a model fits one pipeline: so what one forgets no other needs.
fn artifact(pipeline: &str, digest: &str, file: &str) -> String {
    format!("{FOLDER}/{pipeline}/{digest}/{file}")
}
