//! The scorer role: cases in, predictions out. What a case is and which event moves it the pipeline declares.
//!
//! `life` is what is known of one case, `cases` all of a partition. Both are pure: events and time in, what is due out.

mod cases;
mod life;

pub use cases::{Cases, Due, Heard, Rules, Trigger};
pub use life::{Ending, Life};
