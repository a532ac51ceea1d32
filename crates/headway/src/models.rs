//! The models of a pipeline, for commands and for the running process: what is kept, which one speaks, which are asked beside it, and the
//! change from one to another. Nothing is changed before the model was loaded as a scorer loads it, so whoever is refused leaves everything as it was.

pub(crate) mod told;
pub(crate) mod trust;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use dataplane::models::{self, CHALLENGERS_MAX, Choice, Decision};
use io_folder::{FolderArtifacts, FolderCatalog};
use pipeline::Pipeline;
use ports::{AuditEntry, Catalog, Clock, ErrorKind, KnownModel, Models};
use scoring::{
    Estimator, Limits, Package,
    package::{Files, read_folder},
};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use told::Chosen;
use trust::Trust;

/// How often a decision is made anew because somebody else was faster.
const ATTEMPTS_MAX: usize = 5;

/// Which model somebody wants.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Wanted {
    /// The package in this folder.
    Package(PathBuf),
    /// The one that is kept and whose digest begins like this.
    Digest(String),
    /// None.
    Nobody,
    /// The one before.
    Back,
    /// The same as now, with this one beside it.
    Challenger(Brought),
    /// The same as now, without the challenger whose digest begins like this.
    NoChallenger(String),
}

/// A model that somebody names.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Brought {
    /// The package in this folder.
    Package(PathBuf),
    /// The one that is kept and whose digest begins like this.
    Digest(String),
}

/// Where models are kept and decided about.
#[derive(Clone, Debug)]
pub(crate) struct Registry {
    pub(crate) catalog: FolderCatalog,
    pub(crate) artifacts: FolderArtifacts,
    pub(crate) trust: Trust,
    pub(crate) clock: Clock,
}

impl Registry {
    /// What is decided about the models of a pipeline.
    pub(crate) async fn models(&self, pipeline: &str) -> Result<Models, Failure> {
        Ok(self.catalog.models(pipeline).await?.unwrap_or_else(|| Models::none(pipeline)))
    }

    /// A model that is kept, loaded.
    pub(crate) async fn load(&self, pipeline: &Arc<Pipeline>, digest: &str) -> Result<Arc<Package>, Failure> {
        self.open(pipeline, models::fetch(&self.artifacts, &pipeline.id, digest).await?).await
    }

    /// Decides who speaks and who is asked beside, if that can be.
    pub(crate) async fn choose(&self, pipeline: &Arc<Pipeline>, wanted: &Wanted, by: &str) -> Result<Chosen, Failure> {
        for _ in 0..ATTEMPTS_MAX {
            let current = self.models(&pipeline.id).await?;
            let choice = self.choice(pipeline, &current, wanted, by).await?;
            let Some(Decision { models, forgotten }) = models::decide(&current, choice, self.clock.now()) else {
                return Ok(Chosen { changed: false, before: current.clone(), models: current });
            };
            let chosen = Chosen { changed: true, before: current, models };
            let action = format!("models {}", pipeline.id);
            let audit = AuditEntry { at: chosen.models.at, actor: by.to_owned(), action, detail: chosen.words() };
            match self.catalog.choose(&chosen.models, &audit).await {
                Ok(()) => {
                    // What is left of them is only in the way of the disk; it is decided who speaks.
                    if let Err(error) = models::forget(&self.artifacts, &pipeline.id, &forgotten).await {
                        tracing::warn!(%error, pipeline = pipeline.id, "models that are not needed any longer were not removed");
                    }
                    return Ok(chosen);
                }
                Err(error) if error.kind() == ErrorKind::Fenced => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Failure::failed(format!("somebody else changed the models of {} each time: look at them and try again", pipeline.id)))
    }

    /// What is to be decided, after whoever is to speak was loaded.
    async fn choice(&self, pipeline: &Arc<Pipeline>, current: &Models, wanted: &Wanted, by: &str) -> Result<Choice, Failure> {
        match wanted {
            Wanted::Nobody => Ok(Choice::Nobody),
            Wanted::Package(folder) => Ok(Choice::Model(self.brought(pipeline, folder, by).await?)),
            Wanted::Digest(begins) => Ok(Choice::Model(self.kept(pipeline, current, begins).await?)),
            Wanted::Challenger(brought) => {
                let model = match brought {
                    Brought::Package(folder) => self.brought(pipeline, folder, by).await?,
                    Brought::Digest(begins) => self.kept(pipeline, current, begins).await?,
                };
                may_challenge(current, &model)?;
                Ok(Choice::Challenger(model))
            }
            Wanted::NoChallenger(begins) => {
                let challenges = |known: &&KnownModel| current.challengers.contains(&known.digest);
                let challengers = Models { known: current.known.iter().filter(challenges).cloned().collect(), ..current.clone() };
                let why = format!("no challenger of {} begins with {begins}: `headway models list` shows them", pipeline.id);
                Ok(Choice::NoChallenger(one_of(&challengers, begins, &why)?.digest))
            }
            Wanted::Back => match current.before.last() {
                None => Err(Failure::failed(format!("nobody spoke for {} before: there is no way back", pipeline.id))),
                Some(before) => {
                    if let Some(digest) = before {
                        self.load(pipeline, digest).await?;
                    }
                    Ok(Choice::Back)
                }
            },
        }
    }

    /// The model of a package, loaded and kept.
    async fn brought(&self, pipeline: &Arc<Pipeline>, folder: &Path, by: &str) -> Result<KnownModel, Failure> {
        let folder = folder.to_owned();
        let files = blocking(move || Ok(read_folder(&folder, &Limits::default())?)).await?;
        let package = self.open(pipeline, files.clone()).await?;
        models::keep(&self.artifacts, &pipeline.id, &files).await?;
        Ok(self.named(&package, by))
    }

    /// A model that is kept, after it was loaded.
    async fn kept(&self, pipeline: &Arc<Pipeline>, current: &Models, begins: &str) -> Result<KnownModel, Failure> {
        let why = format!(
            "no model of {} begins with {begins}: `headway models list` shows those that are kept, and the folder of a package brings one",
            pipeline.id
        );
        let known = one_of(current, begins, &why)?;
        self.load(pipeline, &known.digest).await?;
        Ok(known)
    }

    fn named(&self, package: &Package, by: &str) -> KnownModel {
        let manifest = package.manifest();
        KnownModel {
            digest: package.digest().to_string(),
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            key: package.key().to_string(),
            added_at: self.clock.now(),
            added_by: by.to_owned(),
        }
    }

    /// Loads a package as a scorer does, and sees whether it fits.
    async fn open(&self, pipeline: &Arc<Pipeline>, files: Files) -> Result<Arc<Package>, Failure> {
        let (trust, pipeline) = (self.trust.clone(), pipeline.clone());
        blocking(move || {
            let Some(case) = &pipeline.case else {
                return Err(Failure::configuration(format!("{} predicts nothing, so it has no use for a model", pipeline.id)));
            };
            let package = Package::load(&files, &trust.keys()?, &Limits::default()).map_err(|error| trust.refused(error))?;
            let package = Arc::new(package);
            Estimator::new(case, pipeline.case_columns()).with_model(case, package.clone())?;
            Ok(package)
        })
        .await
    }
}

/// The only model whose digest begins like this, or why there is none.
fn one_of(models: &Models, begins: &str, why: &str) -> Result<KnownModel, Failure> {
    let mut found = models.known.iter().filter(|known| known.digest.starts_with(begins));
    match (found.next(), found.next()) {
        (Some(known), None) => Ok(known.clone()),
        (Some(_), Some(_)) => {
            Err(Failure::failed(format!("several models begin with {begins}: write more digits of the digest")))
        }
        (None, _) => Err(Failure::failed(why)),
    }
}

/// Whether there is room for one more, and it is not the one that speaks.
fn may_challenge(current: &Models, model: &KnownModel) -> Result<(), Failure> {
    let Models { pipeline, champion, challengers, .. } = current;
    if champion.as_ref() == Some(&model.digest) {
        let name = told::named(current, Some(&model.digest));
        return Err(Failure::failed(format!("{name} speaks for {pipeline}: it cannot challenge itself")));
    }
    if challengers.len() >= CHALLENGERS_MAX && !challengers.contains(&model.digest) {
        return Err(Failure::failed(format!(
            "{CHALLENGERS_MAX} models challenge the one of {pipeline} already, which is the most: let one go by `headway models withdraw`"
        )));
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Failure::failed(format!("to load the model broke down, which is a fault of Headway: {error}")))?
}
