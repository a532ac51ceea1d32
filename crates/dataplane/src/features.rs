//! The feature role: events in, vectors into the online store.
//!
//! One `shard` for each partition holds the state; `worker` is the shell that owns a membership and performs what the shards ask
//! for; `recovery` makes a shard again from snapshot and log. What is committed is published afterwards, so the versions of the
//! vectors in the online store form one chain of commits, whoever wrote them.

mod absences;
mod convoy;
mod inbox;
mod letters;
mod note;
mod partials;
mod pieces;
mod plan;
mod publish;
mod rebuild;
mod recovery;
mod restart;
mod settings;
mod shard;
mod snapshots;
mod spans;
mod watch;
mod worker;

pub use note::Note;
pub use plan::Plan;
pub use rebuild::Rebuild;
pub use restart::Restart;
pub use settings::Settings;
pub use spans::Linker;
pub use watch::{Counts, Freshness, Watch};
pub use worker::{Parts, Worker};
