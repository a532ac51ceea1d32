//! What is asked over HTTP: quotes before there is a case, the latest prediction of one that is under way, probes and metrics.
//!
//! Knows ports, never an adapter, and nothing of how a process is run: that lends it a listener, a clock and [`Probes`]. Whoever
//! can reach the listener may ask: it belongs into a network that is trusted.

mod attributes;
mod counts;
mod eta;
mod follow;
mod latest;
mod openapi;
mod predicted;
mod problem;
mod quotes;
mod routes;
mod server;
mod vectors;

pub use counts::{Counts, LATENCY_BOUNDS_MS, Latency};
pub use follow::{Followed, IsOver, follow};
pub use latest::{Known, Latest};
pub use predicted::Predicted;
pub use problem::{Fault, Problem};
pub use routes::{Api, Probes};
pub use server::serve;
