//! The outcomes role: each prediction joined with what became of its case, and what is learned from that.
//!
//! `join` is what is known of the predictions of one partition whose cases are open, `lanes` the order in which it takes records, and
//! `outcome` and `cohort` what goes out; all of that is pure. `worker` is the shell around `partition`, and `restart` what it begins with.
//! What outcomes teach goes through one partition, whoever joined them, to a `learner`: there is one truth of it. `follow` is how
//! scorers hear of that.

mod cohort;
mod follow;
mod join;
mod lanes;
mod learner;
mod outcome;
mod partition;
mod restart;
mod said;
mod worker;

pub use cohort::{Cohort, Tally};
pub use follow::Follow;
pub use join::{Effect, Join};
pub use learner::{Learned, Learner};
pub use outcome::{Label, Outcome};
pub use partition::{Counts, Errors};
pub use said::Said;
pub use worker::{Parts, Worker};
