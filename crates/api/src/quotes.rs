//! `POST /v1/quotes`: what would be predicted of a case that begins now, for each of several candidates. A candidate says only in which
//! attributes it differs from the draft.

mod answer;
mod request;

use std::{sync::Mutex, time::Duration};

use domain::Timestamp;
use ports::OnlineStore;
use scoring::{Answer, Facts, Origin, Predictor, Question, Work};

pub(crate) use self::answer::{Quote, Said};
pub(crate) use self::request::{Drafts, read};
use crate::{counts::Counting, predicted::Predicted};

/// Candidates of one request.
pub(crate) const CANDIDATES_MAX: usize = 200;
/// What the online store may take. A quote is a part of a page that somebody waits for, and the store answers within two
/// milliseconds when it is well: whoever waits for longer waits for a fault to pass.
pub(crate) const DEADLINE: Duration = Duration::from_millis(15);
/// Working memory that is kept: as many threads as are busy with quotes at once.
const WORKS_MAX: usize = 16;

/// Working memory from one quote to the next.
#[derive(Debug, Default)]
pub(crate) struct Works(Mutex<Vec<Work>>);

/// Makes the quotes of one request.
pub(crate) async fn quote<O: OnlineStore>(predicted: &Predicted<O>, drafts: Drafts, counting: &Counting) -> Quote {
    let predictor = predicted.predictor();
    let at = predicted.clock.now();
    let all: Vec<Facts> = drafts.candidates.into_iter().map(|facts| begun(facts, at)).collect();
    let keys: Vec<Vec<Option<&str>>> = all.iter().map(|facts| predictor.keys(facts)).collect();
    let fetched = predicted.vectors.fetch(&keys, DEADLINE).await;
    let unknown: Vec<Vec<String>> = fetched
        .iter()
        .zip(&keys)
        .map(|((origin, vectors), keys)| unknown(&predictor, predicted, *origin, keys, vectors))
        .collect();
    let question = |(facts, (origin, vectors)): (Facts, _)| Question { facts, at, vectors, origin };
    let questions: Vec<Question> = all.into_iter().zip(fetched).map(question).collect();
    let answers = predicted.works.with(|work| predictor.answer(&questions, work));
    count(&predicted.id, &questions, &answers, &unknown, counting);
    let each = drafts.named.into_iter().zip(&answers).zip(unknown);
    let said = each.map(|((candidate, answer), unknown)| Said::new(&predictor, candidate, at, answer, unknown));
    Quote::new(&predicted.id, &predictor, at, said.collect())
}

/// A draft is a case that reaches its first stage at this instant.
fn begun(mut facts: Facts, at: Timestamp) -> Facts {
    if let Some(first) = facts.reached_at.first_mut() {
        *first = Some(at);
    }
    facts
}

/// The entities that a candidate names and of which the online store knows nothing at all.
fn unknown<O>(
    predictor: &Predictor,
    predicted: &Predicted<O>,
    origin: Origin,
    keys: &[Option<&str>],
    vectors: &[Option<std::sync::Arc<[u8]>>],
) -> Vec<String> {
    if origin != Origin::Store {
        return Vec::new();
    }
    let is_unknown = |entity: &str| {
        let groups = || predicted.pipeline.groups.iter().enumerate().filter(|(_, group)| group.entity == entity);
        groups().any(|(place, _)| keys[place].is_some()) && groups().all(|(place, _)| vectors[place].is_none())
    };
    let entities = predictor.case().entities.iter().map(|(entity, _)| entity);
    entities.filter(|entity| is_unknown(entity)).cloned().collect()
}

fn count(
    pipeline: &std::sync::Arc<str>,
    questions: &[Question],
    answers: &[Answer],
    unknown: &[Vec<String>],
    counting: &Counting,
) {
    counting.add(|counts| {
        for entity in unknown.iter().flatten() {
            *counts.unknown.entry((pipeline.clone(), entity.clone())).or_default() += 1;
        }
        for question in questions {
            *counts.candidates.entry((pipeline.clone(), question.origin.name())).or_default() += 1;
        }
        for reason in answers.iter().filter_map(|answer| answer.degraded.as_ref()) {
            *counts.degraded.entry((pipeline.clone(), reason.clone())).or_default() += 1;
        }
    });
}

impl Works {
    fn with<T>(&self, work: impl FnOnce(&mut Work) -> T) -> T {
        let lock = || self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut own = lock().pop().unwrap_or_default();
        let done = work(&mut own);
        let mut kept = lock();
        if kept.len() < WORKS_MAX {
            kept.push(own);
        }
        done
    }
}
