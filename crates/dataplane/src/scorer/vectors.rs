//! The vectors that predictions are made of: those of all cases of a step in as few reads of the online store as can be, and what was
//! read last where it does not answer in time.

use std::{sync::Arc, time::Duration};

use pipeline::{Group, Pipeline};
use ports::{Clock, Error, ErrorKind, OnlineStore, Serving, VectorKey};
use scoring::{Origin, Predictor, Question, Remembered};
use tokio::time::{Instant, timeout};

/// A prediction that is later than this because of the online store is worth less than one without it.
const FETCH_MAX: Duration = Duration::from_millis(500);
/// How often it is looked which generations readers read.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Vectors in one round trip.
const FETCH_KEYS_MAX: usize = 4_096;

/// Where a worker reads vectors.
#[derive(Debug)]
pub(super) struct Vectors<O> {
    online: O,
    pipeline: Arc<Pipeline>,
    serving: Vec<Serving>,
    looked_at: Option<Instant>,
    remembered: Arc<Remembered>,
}

/// The vectors of each question, one for each group.
type Read = Vec<Vec<Option<Arc<[u8]>>>>;

impl<O: OnlineStore> Vectors<O> {
    pub(super) fn new(online: O, pipeline: Arc<Pipeline>) -> Self {
        let remembered = Arc::new(Remembered::new(&pipeline));
        Self { online, pipeline, serving: Vec::new(), looked_at: None, remembered }
    }

    /// The same, sharing what was read last with others.
    pub(super) fn remembering(self, remembered: Arc<Remembered>) -> Self {
        Self { remembered, ..self }
    }

    /// Gives each question its vectors and says where they come from. An online store that is away for now is no error.
    pub(super) async fn fetch(&mut self, predictor: &Predictor, questions: &mut [Question], clock: &Clock) -> Result<(), Error> {
        let read = match timeout(FETCH_MAX, self.read(predictor, questions)).await {
            Ok(Ok(read)) => Some(read),
            Ok(Err(error)) if error.kind() == ErrorKind::Transient => None,
            Ok(Err(error)) => return Err(error),
            Err(_) => None,
        };
        let now = clock.now();
        let Some(read) = read else {
            for question in questions {
                (question.origin, question.vectors) = self.remembered.vectors(&predictor.keys(&question.facts), now);
            }
            return Ok(());
        };
        for (question, vectors) in questions.iter_mut().zip(read) {
            let keys = predictor.keys(&question.facts).into_iter().zip(&vectors).enumerate();
            let known = keys.filter_map(|(group, (key, vector))| Some((group, key?, vector.clone()?)));
            self.remembered.keep(known, now);
            (question.origin, question.vectors) = (Origin::Store, vectors);
        }
        Ok(())
    }

    async fn read(&mut self, predictor: &Predictor, questions: &[Question]) -> Result<Read, Error> {
        if self.looked_at.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            self.serving = self.online.serving().await?;
            // A store without a word about generations was emptied, or is new: it is asked again at the next step.
            self.looked_at = (!self.serving.is_empty()).then(Instant::now);
        }
        if self.serving.is_empty() {
            return Err(Error::new(
                ErrorKind::Transient,
                "nobody said which generations are read: the online store was emptied, or is new",
            ));
        }
        let groups = &self.pipeline.groups;
        let (mut keys, mut places) = (Vec::new(), Vec::new());
        for (row, question) in questions.iter().enumerate() {
            for (group, key) in predictor.keys(&question.facts).into_iter().enumerate() {
                let Group { name, entity, .. } = &groups[group];
                let Some(at) = key.and_then(|key| VectorKey::served(&self.serving, entity, key, name)) else { continue };
                keys.push(at);
                places.push((row, group));
            }
        }
        let mut vectors = vec![vec![None; groups.len()]; questions.len()];
        for (keys, places) in keys.chunks(FETCH_KEYS_MAX).zip(places.chunks(FETCH_KEYS_MAX)) {
            let found = self.online.read(keys).await?;
            for ((row, group), found) in places.iter().zip(found) {
                vectors[*row][*group] = found.map(Arc::from);
            }
        }
        Ok(vectors)
    }
}
