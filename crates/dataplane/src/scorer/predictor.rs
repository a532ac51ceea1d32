//! From what fell due to what is said about it: row, estimate, promise. Vectors are fetched by somebody else.

use std::{collections::BTreeMap, sync::Arc};

use domain::Timestamp;
use features::Carried;
use pipeline::{Case, Pipeline};
use scoring::{Calendar, Estimate, Estimator, Known, Own, Package, PromisePolicy, Read, Row, Rows, Work};

use super::{Life, Model, Prediction, Trigger};

/// Makes predictions of one pipeline's cases.
#[derive(Debug)]
pub struct Predictor {
    case: Case,
    /// By group of the pipeline, the attribute with the key of its entity; none where a case has no such entity.
    key_of: Vec<Option<usize>>,
    rows: Rows,
    estimator: Estimator,
    promise: PromisePolicy,
}

/// A prediction that fell due, with what was fetched for it.
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
    /// One for each group of the pipeline, see [`Predictor::keys`].
    pub vectors: Vec<Option<Arc<[u8]>>>,
    /// Whether the online store could be asked at all.
    pub is_reachable: bool,
}

impl Predictor {
    /// For a pipeline, with the model that is asked; none when it predicts nothing.
    ///
    /// # Errors
    ///
    /// When the model does not fit the pipeline.
    pub fn new(pipeline: &Pipeline, model: Option<Arc<Package>>) -> Result<Option<Self>, scoring::Error> {
        let Some(case) = pipeline.case.clone() else { return Ok(None) };
        let calendar = checked(Calendar::new(&case.zone, case.holidays.iter().map(String::as_str)));
        let promise = checked(PromisePolicy::new(case.promise));
        let estimator = Estimator::new(&case, pipeline.case_columns());
        let estimator = match model {
            Some(model) => estimator.with_model(&case, model)?,
            None => estimator,
        };
        let attribute = |group: &pipeline::Group| {
            let known = case.entities.iter().find(|(entity, _)| *entity == group.entity);
            known.map(|(_, attribute)| *attribute)
        };
        let key_of = pipeline.groups.iter().map(attribute).collect();
        let rows = Rows::new(pipeline, features::schemas(pipeline), calendar);
        Ok(Some(Self { rows, key_of, case, estimator, promise }))
    }

    /// For each group of the pipeline, the key of the vector that a case needs; none where it has no such entity, or does not know it yet.
    pub fn keys<'l>(&self, life: &'l Life) -> Vec<Option<&'l str>> {
        let key = |attribute: &Option<usize>| match life.attribute((*attribute)?)? {
            Carried::Text(key) => Some(&**key),
            Carried::Value(_) => None,
        };
        self.key_of.iter().map(key).collect()
    }

    /// What is said, in their order. `promised` knows what was promised of a case before, and is told what is promised now.
    pub fn predict(&self, asked: Vec<Asked>, promised: &mut BTreeMap<String, Timestamp>, work: &mut Work) -> Vec<Prediction> {
        let known: Vec<Known> = asked.iter().map(|asked| self.known(asked)).collect();
        let (mut rows, reads): (Vec<Row>, Vec<Read>) = known.into_iter().map(|known| (known.row, known.read)).unzip();
        let usable: Vec<bool> = asked.iter().zip(&reads).map(|(asked, read)| asked.is_reachable && !read.refused).collect();
        let estimates = self.estimator.estimate(&mut rows, &usable, work);
        let model = self.estimator.model().map(|package| Model::of(package));
        let one = |((asked, estimate), read): ((Asked, Estimate), Read)| {
            let promise_at = self.promise.promise(&estimate.left, asked.at, promised.get(&asked.key).copied());
            promised.insert(asked.key.clone(), promise_at);
            Prediction {
                stage: asked.life.stage(),
                degraded: self.degraded(&estimate, &read).map(str::to_owned),
                left: estimate.left,
                model: model.clone(),
                key: asked.key,
                trigger: asked.trigger,
                at: asked.at,
                promise_at,
                read,
            }
        };
        asked.into_iter().zip(estimates).zip(reads).map(one).collect()
    }

    fn known(&self, asked: &Asked) -> Known {
        let wanted: Vec<bool> = self.key_of.iter().map(Option::is_some).collect();
        let values = asked.life.values(&self.case, asked.at);
        self.rows.row(&wanted, &asked.vectors, &Own { values: &values, now: asked.at })
    }

    /// Why it is not what the model says of what is so now: the gravest reason.
    fn degraded(&self, estimate: &Estimate, read: &Read) -> Option<&str> {
        match estimate.fallback {
            Some(place) => Some(&self.case.fallbacks[place].name),
            None if read.unreadable > 0 => Some("unreadable"),
            None if read.silent > 0 => Some("silent"),
            None if read.outdated > 0 => Some("outdated"),
            None => None,
        }
    }
}

/// What a resolved pipeline declares.
fn checked<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|fault| panic!("this was checked when the spec was read: {fault}"))
}
