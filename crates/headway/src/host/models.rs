//! Which model a running process asks: what the catalog says, loaded beside the workers and handed to them between two of their steps.
//!
//! A model that cannot be loaded is told and counted, and the one that was asked until then goes on; at the start that is the estimates
//! which need none, and each of their predictions says so. Challengers are followed in the same way, after the one that speaks.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use dataplane::models::CHALLENGERS_MAX;
use pipeline::Pipeline;
use ports::Models;
use scoring::{Package, Predictor};
use tokio::{sync::Mutex as Turn, time::Instant};

use super::{Host, Hosted, control::Answer, predictors::Predictors, scorers::Scorers};
use crate::{
    failure::Failure,
    models::{
        Registry, Wanted,
        told::{self, Voice},
    },
};

/// How often the catalog is looked at: others that decide are followed within a second, and it is a small file.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// A model that could not be loaded may be what it should be later: its key is trusted, its files are brought back.
const AGAIN_EVERY: Duration = Duration::from_secs(5);

/// Words that wait for a person; they are taken several times a second, and nobody reads more at once.
const WORDS_MAX: usize = 16;

/// What a pipeline's scorers ask.
pub(crate) struct Speaker {
    predictors: Predictors,
    voice: Mutex<Voice>,
    /// Words for a person, until somebody takes them.
    words: Mutex<Vec<String>>,
    /// One look at a time; what was seen last.
    seen: Turn<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    revision: Option<u64>,
    /// When the model of that revision is tried again, if it could not be loaded.
    again_at: Option<Instant>,
}

impl Speaker {
    /// Beside those that predict. Without a model yet.
    pub(super) fn new(scorers: &Scorers) -> Self {
        let predictors = scorers.predictors().clone();
        Self { predictors, voice: Mutex::default(), words: Mutex::default(), seen: Turn::default() }
    }

    /// Whoever predicts now.
    pub(super) fn predictor(&self) -> Arc<Predictor> {
        self.predictors.now()
    }

    /// Which model is asked, and what went wrong.
    pub(crate) fn voice(&self) -> Voice {
        self.voice.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What a person should hear since this was last asked.
    pub(super) fn take_words(&self) -> Vec<String> {
        std::mem::take(&mut *self.words.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the catalog, and asks whoever is to speak. One that could not be loaded is tried again after a while, or at once.
    pub(super) async fn look(&self, registry: &Registry, pipeline: &Arc<Pipeline>, at_once: bool) {
        let mut seen = self.seen.lock().await;
        let models = match registry.models(&pipeline.id).await {
            Ok(models) => models,
            // It is asked again in a moment; whoever speaks goes on.
            Err(failure) if failure.is_transient() => return,
            Err(failure) => {
                return self.complain(&format!("which model speaks for {} cannot be read: {}", pipeline.id, failure.message));
            }
        };
        let is_time = at_once || seen.again_at.is_some_and(|at| at <= Instant::now());
        if seen.revision == Some(models.revision) && !is_time {
            return;
        }
        let is_champion = self.follow(registry, pipeline, &models).await;
        let loaded = self.follow_challengers(registry, pipeline, &models).await && is_champion;
        *seen = Seen { revision: Some(models.revision), again_at: (!loaded).then(|| Instant::now() + AGAIN_EVERY) };
    }

    /// Whether the model that was decided for is asked now.
    async fn follow(&self, registry: &Registry, pipeline: &Arc<Pipeline>, models: &Models) -> bool {
        let wanted = models.champion.clone();
        if self.voice().digest == wanted {
            self.change(|voice| voice.fault = None);
            return true;
        }
        let package = match &wanted {
            Some(digest) => registry.load(pipeline, digest).await.map(Some),
            None => Ok(None),
        };
        // They go on meanwhile, all but the one that begins to speak.
        let beside: Vec<Arc<Package>> = self.predictor().challengers().filter(|known| !is(known, &wanted)).cloned().collect();
        match package.and_then(|package| predictor(pipeline, package, beside)) {
            Ok(Some(predictor)) => {
                self.predictors.replace(predictor);
                let name = told::named(models, wanted.as_deref());
                self.change(|voice| {
                    *voice = Voice { digest: wanted, fault: None, switched: voice.switched + 1, ..voice.clone() }
                });
                self.tell(format!("{}: {name} speaks.", pipeline.id));
                true
            }
            Ok(None) => true,
            Err(failure) => {
                let name = told::named(models, wanted.as_deref());
                self.count(&failure);
                self.complain(&format!("{name} cannot speak for {}: {}", pipeline.id, failure.message));
                false
            }
        }
    }

    /// Whether all challengers are asked now. Each is loaded by itself, so one that cannot be keeps nobody else from being asked.
    async fn follow_challengers(&self, registry: &Registry, pipeline: &Arc<Pipeline>, models: &Models) -> bool {
        let (now, before) = (self.predictor(), self.voice());
        let (mut packages, mut refused) = (Vec::new(), BTreeMap::new());
        for digest in models.challengers.iter().take(CHALLENGERS_MAX) {
            let loaded = match now.challengers().find(|known| known.digest().to_string() == *digest) {
                Some(known) => Ok(known.clone()),
                None => registry.load(pipeline, digest).await,
            };
            match loaded {
                Ok(package) => packages.push(package),
                Err(failure) => {
                    let name = told::named(models, Some(digest));
                    let why = format!("{name} cannot challenge for {}: {}", pipeline.id, failure.message);
                    self.count(&failure);
                    if before.refused.get(digest) != Some(&why) {
                        tracing::warn!("{why}");
                        self.tell(why.clone());
                    }
                    refused.insert(digest.clone(), why);
                }
            }
        }
        let all_are_asked = refused.is_empty();
        let challengers: Vec<String> = packages.iter().map(|package| package.digest().to_string()).collect();
        if challengers != before.challengers {
            match now.with_challengers(packages) {
                Ok(predictor) => self.predictors.replace(predictor),
                Err(error) => {
                    self.complain(&format!("challengers cannot be asked for {}: {error}", pipeline.id));
                    return false;
                }
            }
        }
        self.change(|voice| (voice.challengers, voice.refused) = (challengers, refused));
        all_are_asked
    }

    /// Counts a model that is not asked.
    fn count(&self, failure: &Failure) {
        self.change(|voice| *voice.failed.entry(failure.flaw()).or_default() += 1);
    }

    /// Said once, however often it is tried.
    fn complain(&self, why: &str) {
        if self.voice().fault.as_deref() != Some(why) {
            self.change(|voice| voice.fault = Some(why.to_owned()));
            tracing::warn!("{why}");
            self.tell(why.to_owned());
        }
    }

    fn change(&self, change: impl FnOnce(&mut Voice)) {
        change(&mut self.voice.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn tell(&self, words: String) {
        let mut told = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() < WORDS_MAX {
            told.push(words);
        }
    }
}

/// One that asks a model, and others beside it.
pub(super) fn predictor(
    pipeline: &Pipeline,
    model: Option<Arc<Package>>,
    beside: Vec<Arc<Package>>,
) -> Result<Option<Predictor>, Failure> {
    let predictor = Predictor::new(pipeline, features::schemas(pipeline), model)?;
    Ok(predictor.map(|predictor| predictor.with_challengers(beside)).transpose()?)
}

fn is(package: &Package, wanted: &Option<String>) -> bool {
    wanted.as_ref().is_some_and(|digest| package.digest().to_string() == *digest)
}

/// Follows the catalog for as long as the process lives.
pub(super) async fn follow(hosted: Arc<Hosted>, registry: Registry) {
    let Some(speaker) = &hosted.speaker else { return };
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        speaker.look(&registry, hosted.pipeline(), false).await;
    }
}

impl Host {
    pub(super) async fn list_models(&self, pipeline: Option<&str>) -> Result<Answer, Failure> {
        let hosted = self.predicting(pipeline)?;
        let models = self.registry().models(&hosted.id).await?;
        let voice = hosted.speaker.as_ref().map(Speaker::voice);
        Ok(Answer::Told { object: told::list_object(&models, voice.as_ref()), text: told::list_text(&models, voice.as_ref()) })
    }

    /// When this returns the process asks the model, or says why not.
    pub(super) async fn use_model(&self, pipeline: Option<&str>, wanted: &Wanted, by: &str) -> Result<Answer, Failure> {
        let (hosted, registry) = (self.predicting(pipeline)?, self.registry());
        let chosen = registry.choose(hosted.pipeline(), wanted, by).await.inspect_err(|failure| {
            if let Some(speaker) = hosted.speaker.as_ref().filter(|_| failure.is_of_model()) {
                speaker.count(failure);
            }
        })?;
        if let Some(speaker) = &hosted.speaker {
            speaker.look(&registry, hosted.pipeline(), true).await;
        }
        let voice = hosted.speaker.as_ref().map(Speaker::voice);
        Ok(Answer::Told { object: chosen.object(voice.as_ref()), text: chosen.text(voice.as_ref()) })
    }

    /// The pipeline of this id, or the only one that predicts anything.
    pub(super) fn predicting(&self, pipeline: Option<&str>) -> Result<Arc<Hosted>, Failure> {
        let mut predicting = self.hosted().into_iter().filter(|hosted| hosted.speaker.is_some());
        match (pipeline, predicting.next(), predicting.next()) {
            (None, Some(hosted), None) => Ok(hosted),
            (id, ..) => self.one(id),
        }
    }
}
