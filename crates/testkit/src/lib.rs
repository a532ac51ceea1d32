//! What the tests of other crates compare with and feed on: an oracle that computes features a second time, the slow and
//! obvious way, seeded generators of pipelines and record streams, one contract suite for each port, fakes of ports for
//! simulations, a small model, and real servers for adapters. A dev-dependency only.
//!
//! The oracle is written from `docs/semantics.md` alone. It never imports the engine or polars and shares no code with
//! them, so that a mistake would have to be made twice to go unseen.

pub mod contract;
pub mod fake;
pub mod generate;
pub mod model;
mod oracle;
pub mod pipelines;
mod record;
pub mod servers;

pub use oracle::{History, Oracle, OracleAbsence, OracleVector};
pub use record::{Decision, Mode, Record};
