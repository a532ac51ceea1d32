//! Scoring: from the values of a row to what is predicted from them. Pure: bytes and numbers in, numbers out; never reads a clock,
//! talks to a network, or draws a random number.

mod error;
mod graph;
mod limits;
mod network;
mod session;
mod signature;
mod trees;

pub use error::Error;
pub use limits::Limits;
pub use session::{Scratch, Session};
pub use signature::{Input, Kind, Signature};
