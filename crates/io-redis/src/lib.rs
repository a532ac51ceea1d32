//! The online store on Redis or Valkey: one server, a cluster of them, or a server that sentinels watch.
//!
//! An adapter of `ports::OnlineStore`. How vectors lie in the server is a contract with other readers and stands in
//! `docs/reference/packed-vector.md`; why they lie like that is ADR 0014. Never keeps a vector of its own, never starts a thread.

mod address;
mod batch;
mod dial;
mod error;
mod forget;
mod inspection;
mod lane;
mod library;
mod map;
mod marks;
mod names;
mod node;
mod read;
mod reply;
mod rights;
mod sample;
mod secret;
mod settings;
mod slot;
mod store;

pub use address::{Address, Host};
pub use error::Error;
pub use inspection::{Inspection, NodeInspection};
pub use secret::Secret;
pub use settings::{Login, Roots, Settings};
pub use store::RedisOnline;
