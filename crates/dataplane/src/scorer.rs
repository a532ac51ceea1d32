//! The scorer role: cases in, predictions out. What a case is and which event moves it the pipeline declares.
//!
//! `life` is what is known of one case, `cases` all of a partition, `predictor` makes
//! predictions of what fell due, and `prediction` is what goes out. All of that is pure. `worker` is the shell
//! around `partition`, and `restart` what it begins with.

mod cases;
mod life;
mod partition;
mod prediction;
mod predictor;
mod restart;
mod worker;

pub use cases::{Cases, Due, Heard, Rules, Trigger};
pub use life::{Ending, Life};
pub use partition::Counts;
pub use prediction::{Model, Prediction};
pub use predictor::{Asked, Predictor};
pub use worker::{Parts, Plan, Worker};
