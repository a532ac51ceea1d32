//! Predictions that fell due together: what `scoring` is asked about them, and what goes out of what it says.

use std::collections::BTreeMap;

use domain::Timestamp;
use scoring::{Answer, Origin, Predictor, Question, Row};

use super::{Life, Model, Prediction, Trigger};

/// A prediction that fell due.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Key of the case.
    pub key: String,
    /// Why.
    pub trigger: Trigger,
    /// When it fell due.
    pub at: Timestamp,
    /// What was known of the case then.
    pub life: Life,
}

impl Asked {
    /// What has to be known to answer. Its vectors are for somebody else to fetch.
    pub(super) fn question(&self) -> Question {
        Question { facts: self.life.facts(), at: self.at, vectors: Vec::new(), origin: Origin::Nowhere }
    }
}

/// What goes out with the row that it was made of, in the order in which it fell due. `promised` knows what was promised of a case before, and is told what is promised now.
pub(super) fn predictions(
    predictor: &Predictor,
    asked: Vec<Asked>,
    answers: Vec<Answer>,
    promised: &mut BTreeMap<String, Timestamp>,
) -> Vec<(Prediction, Row)> {
    let model = predictor.model().map(|package| Model::of(package));
    let one = |(asked, answer): (Asked, Answer)| {
        let promise_at = predictor.promise(&answer.left, asked.at, promised.get(&asked.key).copied());
        promised.insert(asked.key.clone(), promise_at);
        let prediction = Prediction {
            stage: asked.life.stage(),
            degraded: answer.degraded,
            left: answer.left,
            said: answer.said,
            applied: answer.applied,
            area: predictor.area(&asked.life.facts()).to_owned(),
            model: model.clone(),
            key: asked.key,
            trigger: asked.trigger,
            at: asked.at,
            promise_at,
            read: answer.read,
        };
        (prediction, answer.row)
    };
    asked.into_iter().zip(answers).map(one).collect()
}
