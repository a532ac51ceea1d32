//! The embedded log: the log port in one folder of one process, without a server.
//!
//! Records and commits go into segments, as frames that are there whole or not at all; a small database beside them knows where the
//! blocks of records lie and how far groups have come (`docs/adr/0008-embedded-log.md`). Never talks to a network and never reads
//! a clock but the one it is lent.

mod block;
mod codec;
mod error;
mod folder;
mod frame;
mod group;
mod housekeeper;
mod index;
mod inspection;
mod log;
mod member;
mod reader;
mod recovery;
mod retention;
mod segment;
mod settings;
mod shared;
mod state;
mod writer;

pub use error::Error;
pub use inspection::{Inspection, PartitionInspection, TopicInspection, inspect};
pub use log::EmbeddedLog;
pub use member::EmbeddedMember;
pub use recovery::{Recovered, Torn};
pub use settings::{Settings, Sync};
