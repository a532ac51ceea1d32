//! Fakes of ports: in memory, deterministic, without threads, and with hooks for what goes wrong in earnest.

mod memory_log;

pub use memory_log::{Fault, FaultPlan, MemoryLog, MemoryMember, Operation};
