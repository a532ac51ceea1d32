//! Which model a running process asks: what the catalog says, loaded beside the workers and handed to them between two of their steps.
//!
//! A model that cannot be loaded is told and counted, and the one that was asked until then goes on; at the start that is the estimates
//! which need none, and each of their predictions says so.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

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
        let loaded = self.follow(registry, pipeline, &models).await;
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
        match package.and_then(|package| predictor(pipeline, package)) {
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
                self.change(|voice| voice.failed += 1);
                self.complain(&format!("{name} cannot speak for {}: {}", pipeline.id, failure.message));
                false
            }
        }
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

fn predictor(pipeline: &Pipeline, model: Option<Arc<Package>>) -> Result<Option<Predictor>, Failure> {
    Ok(Predictor::new(pipeline, features::schemas(pipeline), model)?)
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
        let chosen = registry.choose(hosted.pipeline(), wanted, by).await?;
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
