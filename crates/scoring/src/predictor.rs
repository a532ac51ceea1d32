//! From what is known of a case to what is said about it: row, estimate, promise. A case that is under way and one that is only asked
//! about go through here alike, so the same facts and vectors give the same numbers. Vectors are fetched by somebody else.

mod challenger;
mod facts;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use domain::{Schema, Timestamp};
use pipeline::{Case, Group, Pipeline};

pub use self::challenger::Opinion;
pub use self::facts::Facts;
use crate::{
    Applied, Calendar, Error, Estimate, Estimator, Influence, Own, Package, PromisePolicy, Quantiles, Read, Row, Rows, Slot,
    Tuning, Work,
};

/// Makes predictions of one pipeline's cases. A copy costs next to nothing.
#[derive(Clone, Debug)]
pub struct Predictor {
    made: Arc<Made>,
    tuning: Arc<Tuning>,
    /// Each with its model.
    challengers: Arc<[Estimator]>,
}

/// What does not change with outcomes.
#[derive(Debug)]
struct Made {
    case: Case,
    /// By group of the pipeline, the attribute with the key of its entity; none where a case has no such entity.
    key_of: Vec<Option<usize>>,
    /// Which groups have one.
    wanted: Vec<bool>,
    rows: Rows,
    estimator: Estimator,
    promise: PromisePolicy,
}

/// What is asked about one case at one instant.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is known of the case.
    pub facts: Facts,
    /// The instant.
    pub at: Timestamp,
    /// One for each group of the pipeline, see [`Predictor::keys`]; none where there is no vector.
    pub vectors: Vec<Option<Arc<[u8]>>>,
    /// Where they come from.
    pub origin: Origin,
}

/// Where vectors come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The online store has answered.
    Store,
    /// It has not, and these are what it said some time ago.
    Remembered,
    /// It has not, and nothing is remembered: no model is asked.
    Nowhere,
}

/// What is said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The time that is left.
    pub left: Quantiles,
    /// What the model or the fallback said, before what outcomes have taught was applied.
    pub said: Quantiles,
    /// What was applied. Its quantiles are those that are left.
    pub applied: Applied,
    /// Why it is not what the model says of what is so now: the gravest reason.
    pub degraded: Option<String>,
    /// Whether the model was asked, and what it said is no number.
    pub no_number: bool,
    /// What was read.
    pub read: Read,
    /// What the model was given, and whatever else a case has: the values of [`Predictor::columns`].
    pub row: Row,
}

impl Origin {
    /// For counts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Remembered => "remembered",
            Self::Nowhere => "nowhere",
        }
    }
}

impl Predictor {
    /// For a pipeline with the schemas of its groups, and the model that is asked; none when it predicts nothing.
    ///
    /// # Errors
    ///
    /// When the model does not fit the pipeline.
    pub fn new(pipeline: &Pipeline, schemas: Vec<Schema>, model: Option<Arc<Package>>) -> Result<Option<Self>, Error> {
        let Some(case) = pipeline.case.clone() else { return Ok(None) };
        let calendar = checked(Calendar::new(&case.zone, case.holidays.iter().map(String::as_str)));
        let promise = checked(PromisePolicy::new(case.promise));
        let estimator = Estimator::new(&case, pipeline.case_columns());
        let estimator = match model {
            Some(model) => estimator.with_model(&case, model)?,
            None => estimator,
        };
        let attribute = |group: &Group| {
            let known = case.entities.iter().find(|(entity, _)| *entity == group.entity);
            known.map(|(_, attribute)| *attribute)
        };
        let key_of: Vec<Option<usize>> = pipeline.groups.iter().map(attribute).collect();
        let wanted = key_of.iter().map(Option::is_some).collect();
        let rows = Rows::new(pipeline, schemas, calendar);
        let made = Made { rows, wanted, key_of, case, estimator, promise };
        Ok(Some(Self { made: Arc::new(made), tuning: Arc::default(), challengers: Arc::default() }))
    }

    /// The same, with models that may be asked about the same rows and never speak.
    ///
    /// # Errors
    ///
    /// When one of them does not fit the pipeline.
    pub fn with_challengers(&self, models: impl IntoIterator<Item = Arc<Package>>) -> Result<Self, Error> {
        let challenger = |model| self.made.estimator.clone().with_model(&self.made.case, model);
        let challengers = models.into_iter().map(challenger).collect::<Result<_, Error>>()?;
        Ok(Self { challengers, ..self.clone() })
    }

    /// The same, with what outcomes have taught.
    pub fn with_tuning(&self, tuning: Arc<Tuning>) -> Self {
        Self { tuning, ..self.clone() }
    }

    /// What outcomes have taught so far.
    pub fn tuning(&self) -> &Arc<Tuning> {
        &self.tuning
    }

    /// The area of a case, by which errors are corrected and calibrated; empty where it has none.
    pub fn area<'f>(&self, facts: &'f Facts) -> &'f str {
        self.case().area.and_then(|attribute| facts.key(attribute)).unwrap_or_default()
    }

    /// What is predicted.
    pub fn case(&self) -> &Case {
        &self.made.case
    }

    /// The model that is asked.
    pub fn model(&self) -> Option<&Arc<Package>> {
        self.made.estimator.model()
    }

    /// Name and kind of each value of a row.
    pub fn columns(&self) -> &[(String, domain::ValueKind)] {
        self.made.estimator.columns()
    }

    /// For each group of the pipeline, the key of the vector that a case needs; none where it has no such entity, or does not know it yet.
    pub fn keys<'f>(&self, facts: &'f Facts) -> Vec<Option<&'f str>> {
        self.made.key_of.iter().map(|attribute| facts.key((*attribute)?)).collect()
    }

    /// What is said to each question, in their order.
    pub fn answer(&self, questions: &[Question], work: &mut Work) -> Vec<Answer> {
        let mut joining = self.made.rows.joining();
        let mut join = |question: &Question| {
            let values = question.facts.values(&self.made.case, question.at);
            let known = joining.row(&self.made.wanted, &question.vectors, &Own { values: &values, now: question.at });
            (known.row, known.read)
        };
        let (mut rows, reads): (Vec<Row>, Vec<Read>) = questions.iter().map(&mut join).unzip();
        let usable: Vec<bool> = questions.iter().zip(&reads).map(|(question, read)| is_usable(question, read)).collect();
        let estimates = self.made.estimator.estimate(&mut rows, &usable, work);
        let answer = |(((question, read), estimate), row): (((&Question, Read), Estimate), Row)| {
            let Opinion { said, applied, degraded } = self.opinion(&self.made.estimator, question, &read, &estimate);
            let no_number = self.model().is_some() && estimate.fallback.is_some() && is_usable(question, &read);
            Answer { left: applied.left, said, applied, degraded, no_number, read, row }
        };
        questions.iter().zip(reads).zip(estimates).zip(rows).map(answer).collect()
    }

    /// How much each input of the model mattered for the answer that was made of a row.
    ///
    /// # Panics
    ///
    /// When the row has another number of values than there are columns.
    pub fn influences(&self, row: &Row, work: &mut Work) -> Vec<Influence> {
        self.made.estimator.influences(row, work)
    }

    /// What to promise of a case by what is left of it, and by what was promised before.
    pub fn promise(&self, left: &Quantiles, at: Timestamp, standing: Option<Timestamp>) -> Timestamp {
        self.made.promise.promise(left, at, standing)
    }

    fn opinion(&self, speaker: &Estimator, question: &Question, read: &Read, estimate: &Estimate) -> Opinion {
        let degraded = self.degraded(estimate, question.origin, read).map(str::to_owned);
        Opinion { said: estimate.left, applied: self.applied(speaker, question, estimate), degraded }
    }

    /// Applies what is known of whoever spoke, at this stage and in this area.
    fn applied(&self, speaker: &Estimator, question: &Question, estimate: &Estimate) -> Applied {
        let case = &self.made.case;
        if self.tuning.is_empty() {
            return Applied::nothing(&estimate.left);
        }
        let digest = speaker.model().map(|package| package.digest().to_string());
        let fallback = estimate.fallback.map(|place| &*case.fallbacks[place].name);
        let slot = Slot::new(case, digest.as_deref(), fallback, question.facts.stage());
        let area = self.area(&question.facts);
        self.tuning.applied(case, slot.as_ref(), area, &estimate.left, question.at)
    }

    fn degraded(&self, estimate: &Estimate, origin: Origin, read: &Read) -> Option<&str> {
        match estimate.fallback {
            Some(place) => Some(&self.made.case.fallbacks[place].name),
            None if origin == Origin::Remembered => Some("remembered"),
            None if read.unreadable > 0 => Some("unreadable"),
            None if read.silent > 0 => Some("silent"),
            None if read.outdated > 0 => Some("outdated"),
            None => None,
        }
    }
}

/// Whether a model may be asked.
fn is_usable(question: &Question, read: &Read) -> bool {
    question.origin != Origin::Nowhere && !read.refused
}

/// What a resolved pipeline declares.
fn checked<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|fault| panic!("this was checked when the spec was read: {fault}"))
}
