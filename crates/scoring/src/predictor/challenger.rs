//! Models that are asked beside the one that speaks: about the same rows, and with the same consequences of what is wrong with them. What
//! they say is an opinion, and never an answer.

use std::sync::Arc;

use super::{Predictor, Question, is_usable};
use crate::{Answer, Applied, Estimate, Package, Quantiles, Row, Work};

/// What would be said in place of an answer, if another model spoke.
#[derive(Clone, Debug, PartialEq)]
pub struct Opinion {
    /// What the model or the fallback says, before what outcomes have taught is applied.
    pub said: Quantiles,
    /// What is applied. Its quantiles are those that are left.
    pub applied: Applied,
    /// Why it is not what the model says of what is so now: the gravest reason.
    pub degraded: Option<String>,
}

impl Predictor {
    /// The models that are asked beside the one that speaks, each in its place.
    pub fn challengers(&self) -> impl ExactSizeIterator<Item = &Arc<Package>> {
        self.challengers.iter().map(|challenger| {
            let model = challenger.model();
            model.unwrap_or_else(|| panic!("a challenger was made with its model"))
        })
    }

    /// Whether a model could be asked for this answer at all.
    pub fn could_ask(&self, question: &Question, answer: &Answer) -> bool {
        is_usable(question, &answer.read)
    }

    /// What the challenger in this place makes of the rows of answers. `usable` says of which it may be asked.
    ///
    /// # Panics
    ///
    /// When there is no challenger in this place, or a row is none of this pipeline.
    pub fn challenge(&self, place: usize, rows: &[Row], usable: &[bool], work: &mut Work) -> Vec<Estimate> {
        self.challengers[place].estimate_complete(rows, usable, work)
    }

    /// What would be said by the challenger in this place, of whom this is the estimate.
    ///
    /// # Panics
    ///
    /// When there is no challenger in this place.
    pub fn opinion_of(&self, place: usize, question: &Question, answer: &Answer, estimate: &Estimate) -> Opinion {
        self.opinion(&self.challengers[place], question, &answer.read, estimate)
    }
}
