//! The loops that records go through. Each is a pure core, `step(state, event, now) -> actions`, in a thin shell that performs
//! the actions on the ports.
//!
//! Knows ports, never an adapter; never reads a clock that was not lent to it.

pub mod deploy;
mod error;
pub mod features;
mod json;
mod membership;
pub mod models;
mod note;
pub mod outcomes;
pub mod past;
mod retry;
pub mod scorer;
mod topics;
pub mod warehouse;

pub use error::Error;
pub use retry::Backoff;
pub use topics::Topics;
