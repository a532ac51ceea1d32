//! The embedded defaults but for the log: a folder with the catalog, the warehouse and the artifacts, and the online store in
//! memory. One process holds a folder at a time, which the log's lock sees to.
//!
//! Never promises more than the production twins do: nothing here is committed together with the log.

mod artifacts;
mod catalog;
mod disk;
mod error;
mod folder;
mod online;
mod sealed;
mod warehouse;

#[cfg(test)]
mod tests;

pub use artifacts::FolderArtifacts;
pub use catalog::FolderCatalog;
pub use error::Error;
pub use folder::{Folder, Look};
pub use online::MemoryOnline;
pub use warehouse::FolderWarehouse;

use disk::Disk;
