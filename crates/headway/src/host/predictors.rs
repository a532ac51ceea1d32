//! Who speaks of a pipeline's cases: the one place where the predictor of a pipeline is made and handed to its scorers.
//!
//! Whoever puts another predictor in changes what is said from the next prediction on, without a worker being stopped.

use std::sync::Arc;

use pipeline::Pipeline;
use scoring::Predictor;
use tokio::sync::watch::{Receiver, Sender, channel};

use crate::failure::Failure;

/// The predictor of one pipeline. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Predictors(Sender<Arc<Predictor>>);

impl Predictors {
    /// The bootstrap estimator, which is what speaks without a model; none where nothing is predicted.
    pub(super) fn new(pipeline: &Pipeline) -> Result<Option<Self>, Failure> {
        let predictor = Predictor::new(pipeline, features::schemas(pipeline), None);
        let predictor = predictor.map_err(|error| Failure::configuration(format!("{} cannot predict: {error}", pipeline.id)))?;
        Ok(predictor.map(|predictor| Self(channel(Arc::new(predictor)).0)))
    }

    /// Lets another one speak from now on.
    pub(super) fn replace(&self, predictor: Predictor) {
        self.0.send_replace(Arc::new(predictor));
    }

    /// The predictor of now, and each one after it.
    pub(crate) fn follow(&self) -> Receiver<Arc<Predictor>> {
        self.0.subscribe()
    }
}
