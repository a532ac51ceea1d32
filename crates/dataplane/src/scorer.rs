//! The scorer role: cases in, predictions out. What a case is and which event moves it the pipeline declares.
//!
//! `life` is what is known of one case, `cases` all of a partition, `prediction` what goes out. All of it is pure: events and time in,
//! what is due out.

mod cases;
mod life;
mod prediction;

pub use cases::{Cases, Due, Heard, Rules, Trigger};
pub use life::{Ending, Life};
pub use prediction::{Model, Prediction};
