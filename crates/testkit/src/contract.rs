//! One suite for each port: what its documentation promises, case by case, and a random run beside a model in memory with a
//! crash between every pair of operations. Every adapter passes them, the fakes included.

pub mod artifacts;
pub mod catalog;
mod harness;
pub mod log;
pub mod online;
pub mod warehouse;

pub use harness::Harness;
