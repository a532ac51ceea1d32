//! The scorer role: cases in, predictions out. What a case is and which event moves it the pipeline declares.
//!
//! `life` is what is known of one case, `cases` all of a partition, `asked` what fell due, and `prediction` is what goes out. All of that
//! is pure, and what is said is up to `scoring`. `worker` is the shell around `partition`, `restart` what it begins
//! with, and `vectors` what it reads; `shadow` asks challengers, `beside` the worker; `watch` tells the outside what it does, and `served`
//! what a prediction was made of.

mod asked;
mod beside;
mod cases;
mod life;
mod partition;
mod plan;
mod prediction;
mod restart;
mod served;
mod shadow;
mod vectors;
mod watch;
mod worker;

pub use asked::Asked;
pub use cases::{Cases, Due, Heard, Rules, Trigger};
pub use life::{Ending, Life};
pub use plan::Plan;
pub use prediction::{Model, Prediction};
pub(crate) use restart::CLOCKS_APART_MAX;
pub use served::{Columns, Served};
pub use shadow::Challenged;
pub use watch::{Counts, Watch};
pub use worker::{Parts, Worker};
