//! The warehouse role: what was predicted and what became of it, as rows for questions about the past.
//!
//! `tables` is what a row says of a record, and `partition` what of one partition waits; both are pure. `worker` is the shell, and `watch`
//! tells the outside what it does. Nobody waits for it: while the warehouse is away, records wait in the log.

mod partition;
mod tables;
mod watch;
mod worker;

pub use tables::{Table, Tables};
pub use watch::{Counts, Watch};
pub use worker::{Parts, Worker};
