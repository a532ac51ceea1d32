//! Who speaks of a pipeline's cases: the one place where the predictor of a pipeline is made and handed to its scorers.
//!
//! Whoever puts another model in changes what is said from the next prediction on, without a worker being stopped; so does whoever tells
//! what outcomes have taught. Each keeps what the other has put in.

use std::sync::Arc;

use pipeline::Pipeline;
use scoring::{Predictor, Tuning};
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

    /// Lets another one speak from now on, with what outcomes have taught so far.
    pub(super) fn replace(&self, predictor: Predictor) {
        self.0.send_modify(|current| *current = Arc::new(predictor.with_tuning(current.tuning().clone())));
    }

    /// Lets whoever speaks apply this from now on.
    pub(super) fn tune(&self, tuning: Arc<Tuning>) {
        self.0.send_modify(|current| *current = Arc::new(current.with_tuning(tuning)));
    }

    /// The predictor of now.
    pub(crate) fn now(&self) -> Arc<Predictor> {
        self.0.borrow().clone()
    }

    /// The predictor of now, and each one after it.
    pub(crate) fn follow(&self) -> Receiver<Arc<Predictor>> {
        self.0.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use domain::{Span, Timestamp};
    use scoring::{Lesson, Slot, Tuner};

    use super::*;

    const NOW: Timestamp = Timestamp(1_795_348_800_000);

    fn taught(predictor: &Predictor) -> Arc<Tuning> {
        let mut tuner = Tuner::new(predictor.case());
        let (slot, area) = (Slot { speaker: "fallback anywhere".into(), stage: 0 }, String::new());
        let said = [900.0, 1800.0, 2700.0, 3600.0];
        let closed_at = NOW.plus(Span(1_000_000));
        tuner.hear(&Lesson::Closed { case: "o1".into(), slot, area, said, seconds: 0.0, at: NOW, closed_at });
        Arc::new(tuner.tuning(NOW))
    }

    #[test]
    fn another_model_keeps_what_was_taught_and_who_is_taught_keeps_the_model() {
        let spec = testkit::pipelines::predicted("calibration = {}", "5m");
        let pipeline = pipeline::parse("test", &spec).expect("a pipeline");
        let made = || Predictor::new(&pipeline, features::schemas(&pipeline), None).expect("no model").expect("a case");
        let predictors = Predictors::new(&pipeline).expect("no model").expect("a case");
        let mut follow = predictors.follow();
        assert!(follow.borrow_and_update().tuning().is_empty());
        let tuning = taught(&made());
        predictors.tune(tuning.clone());
        assert!(follow.has_changed().expect("it is there"));
        assert!(Arc::ptr_eq(follow.borrow_and_update().tuning(), &tuning));
        predictors.replace(made());
        assert!(follow.has_changed().expect("it is there"));
        assert!(Arc::ptr_eq(follow.borrow_and_update().tuning(), &tuning));
    }
}
