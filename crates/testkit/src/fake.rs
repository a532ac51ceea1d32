//! Ports in memory for simulations. They keep every promise of their port, and break down when a test says so.

mod artifacts;
mod catalog;
mod hook;
mod online;

pub use artifacts::MemoryArtifacts;
pub use catalog::MemoryCatalog;
pub use hook::{Fault, Hook};
pub use online::MemoryOnlineStore;
