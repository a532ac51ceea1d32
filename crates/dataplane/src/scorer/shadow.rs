//! What challengers say: they are asked about the rows of the predictions of a step, beside the worker, and each of their opinions is a record
//! in the commit of the prediction that it is about. Whatever becomes of them, the prediction goes out as if they were not there.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use pipeline::Case;
use ports::Outgoing;
use scoring::{Answer, Estimate, Opinion, Predictor, Question, Row, Work};

use super::{
    Model, Prediction,
    beside::{Begun, Beside, Silence, by},
};

/// What all challengers of a step may take. An event may take 150 ms to become a prediction; in a third of that 300 trees answer some
/// thousand rows.
const PATIENCE: Duration = Duration::from_millis(50);
/// Rows between two looks at whether anybody still waits: less than a millisecond of 300 trees.
const ROWS_AT_ONCE: usize = 128;

/// What became of what challengers were asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Challenged {
    /// The model has said something.
    Said,
    /// It was asked and has said no number: a fallback spoke in its place.
    Nothing,
    /// No model could be asked, neither this one nor the one that speaks.
    Unasked,
    /// It was not done in time.
    Late,
    /// It was not done with what it was asked before.
    Busy,
    /// It broke down, now or before.
    Broken,
}

/// The challengers of one worker.
#[derive(Debug, Default)]
pub(super) struct Challengers(Beside);

/// What one challenger says of the questions of a step, and what became of it for each.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) model: Model,
    pub(super) opinions: Vec<(Challenged, Option<Opinion>)>,
}

/// What is counted of a step: by digest and by what became of it.
pub(super) type Tally = BTreeMap<(Arc<str>, Challenged), u64>;

impl Challenged {
    /// For counts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Said => "said",
            Self::Nothing => "nothing",
            Self::Unasked => "unasked",
            Self::Late => "late",
            Self::Busy => "busy",
            Self::Broken => "broken",
        }
    }
}

impl From<Silence> for Challenged {
    fn from(silence: Silence) -> Self {
        match silence {
            Silence::Late => Self::Late,
            Silence::Busy => Self::Busy,
            Silence::Broken => Self::Broken,
        }
    }
}

impl Challengers {
    /// Asks all of them about what was answered. Takes no longer than [`PATIENCE`], about.
    pub(super) async fn ask(&mut self, predictor: &Predictor, questions: &[Question], answers: &[Answer]) -> Vec<Heard> {
        let models: Vec<Model> = predictor.challengers().map(|package| Model::of(package)).collect();
        self.0.keep(models.iter().map(|model| &*model.digest));
        if models.is_empty() {
            return Vec::new();
        }
        let rows: Arc<Vec<Row>> = Arc::new(answers.iter().map(|answer| answer.row.clone()).collect());
        let could_ask = |(question, answer)| predictor.could_ask(question, answer);
        let usable: Arc<Vec<bool>> = Arc::new(questions.iter().zip(answers).map(could_ask).collect());
        let begin = |(place, model): (usize, &Model)| {
            let (predictor, rows, usable) = (predictor.clone(), rows.clone(), usable.clone());
            self.0.begin(&model.digest, move |wanted| {
                let (mut work, mut all) = (Work::default(), Vec::with_capacity(rows.len()));
                for (rows, usable) in rows.chunks(ROWS_AT_ONCE).zip(usable.chunks(ROWS_AT_ONCE)) {
                    if !wanted.is_wanted() {
                        return None;
                    }
                    all.extend(predictor.challenge(place, rows, usable, &mut work));
                }
                Some(all)
            })
        };
        let begun: Vec<Begun<Vec<Estimate>>> = models.iter().enumerate().map(begin).collect();
        let (by, mut heard) = (by(PATIENCE), Vec::with_capacity(models.len()));
        for (place, (model, begun)) in models.into_iter().zip(begun).enumerate() {
            let opinions = match self.0.result(&model.digest, begun, by).await {
                Err(silence) => vec![(silence.into(), None); answers.len()],
                Ok(estimates) => {
                    let each = questions.iter().zip(answers).zip(&estimates).zip(&*usable);
                    let opinion = |(((question, answer), estimate), usable): (((&Question, &Answer), &Estimate), &bool)| {
                        let opinion = predictor.opinion_of(place, question, answer, estimate);
                        (became(*usable, estimate), Some(opinion))
                    };
                    each.map(opinion).collect()
                }
            };
            heard.push(Heard { model, opinions });
        }
        heard
    }
}

fn became(usable: bool, estimate: &Estimate) -> Challenged {
    match (usable, estimate.fallback) {
        (false, _) => Challenged::Unasked,
        (true, Some(_)) => Challenged::Nothing,
        (true, None) => Challenged::Said,
    }
}

impl Heard {
    /// Adds what became of it.
    pub(super) fn count(&self, tally: &mut Tally) {
        let digest: Arc<str> = self.model.digest.as_str().into();
        for (became, _) in &self.opinions {
            *tally.entry((digest.clone(), *became)).or_default() += 1;
        }
    }

    /// The record of what it says in the place of this prediction; none where it says nothing at all.
    pub(super) fn outgoing(
        &self,
        (place, prediction): (usize, &Prediction),
        case: &Case,
        topic: &Arc<str>,
        partition: u32,
    ) -> Option<Outgoing> {
        let Opinion { said, applied, degraded } = self.opinions[place].1.clone()?;
        let model = Some(self.model.clone());
        let opinion = Prediction { left: applied.left, said, applied, degraded, model, ..prediction.clone() };
        let key = Bytes::copy_from_slice(prediction.key.as_bytes());
        let value = opinion.shadow_json(&prediction.id(), case).into();
        Some(Outgoing { topic: topic.clone(), partition, key, value, headers: Vec::new() })
    }
}
