//! Ports in memory for simulations. They keep every promise of their port, and break down when a test says so.

mod artifacts;
mod catalog;
mod hook;
mod memory_log;
mod online;
mod warehouse;

pub use artifacts::MemoryArtifacts;
pub use catalog::MemoryCatalog;
pub use hook::{Fault, Hook};
pub use memory_log::{Fault as LogFault, FaultPlan, MemoryLog, MemoryMember, Operation};
pub use online::MemoryOnlineStore;
pub use warehouse::MemoryWarehouse;
