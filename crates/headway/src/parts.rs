//! The parts that a process is made of: for each port the adapter that was asked for, embedded or a server.
//!
//! Chosen one by one, so that a log in the folder and a Redis beside it work together. Everything else in this crate knows the
//! ports, and asks here for what only one of the adapters can tell.

mod decoding;
mod log;
mod online;

pub(crate) use decoding::Decoding;
pub(crate) use log::AnyLog;
pub(crate) use online::AnyOnline;
