//! One pipeline that predicts, as those who ask see it.

use std::sync::Arc;

use pipeline::Pipeline;
use ports::{Clock, OnlineStore};
use scoring::{Predictor, Remembered};
use tokio::sync::watch::Receiver;

use crate::{attributes::Attributes, latest::Latest, quotes::Works, vectors::Vectors};

/// One pipeline that predicts.
#[derive(Debug)]
pub struct Predicted<O> {
    pub(crate) id: Arc<str>,
    pub(crate) pipeline: Arc<Pipeline>,
    /// What predictions are about.
    pub(crate) entity: String,
    /// The same in a path: `orders` for `order`.
    pub(crate) noun: String,
    pub(crate) attributes: Attributes,
    pub(crate) vectors: Vectors<O>,
    pub(crate) clock: Clock,
    /// None where nobody follows what is predicted.
    pub(crate) latest: Option<Arc<Latest>>,
    pub(crate) works: Works,
    predictor: Receiver<Arc<Predictor>>,
}

impl<O: OnlineStore> Predicted<O> {
    /// Makes quotes by the latest predictor and with the vectors of this store.
    pub fn new(pipeline: Arc<Pipeline>, predictor: Receiver<Arc<Predictor>>, online: O, clock: Clock) -> Self {
        let case = predictor.borrow().case().clone();
        Self {
            entity: case.entity.clone(),
            id: pipeline.id.as_str().into(),
            // The same for every entity, so that a program can tell.
            noun: format!("{}s", case.entity),
            attributes: Attributes::new(&pipeline, &case),
            vectors: Vectors::new(online, pipeline.clone(), clock.clone()),
            works: Works::default(),
            pipeline,
            clock,
            latest: None,
            predictor,
        }
    }

    /// The same, with the latest prediction of each case, which somebody else follows.
    pub fn following(self, latest: Arc<Latest>) -> Self {
        Self { latest: Some(latest), ..self }
    }

    /// The same, sharing what was read last with whoever else predicts here.
    pub fn remembering(self, remembered: Arc<Remembered>) -> Self {
        Self { vectors: self.vectors.remembering(remembered), ..self }
    }
}

impl<O> Predicted<O> {
    pub(crate) fn predictor(&self) -> Arc<Predictor> {
        self.predictor.borrow().clone()
    }
}
