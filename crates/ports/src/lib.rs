//! What Headway asks of the outside world: one trait for each port, and one kind of error for all of them.
//!
//! Names roles, never vendors. Every adapter passes the contract suite of its port (`testkit`), and none promises more than
//! the weakest: what is not committed together with the log in one of them may not be relied on to be in another.

mod artifacts;
mod catalog;
mod clock;
mod decoded;
mod error;
mod log;
mod models;
mod online;
mod warehouse;

pub use artifacts::{Artifacts, artifact_name_fault};
pub use catalog::{AuditEntry, Built, Catalog, Deployed, Deployment};
pub use clock::{Clock, clock_fn};
pub use decoded::{Decoded, Unreadable, UnreadableReason};
pub use error::{Error, ErrorKind};
pub use log::{Assignment, Bounds, Commit, Event, Header, Log, Member, Membership, Outgoing, Position, Record, TopicSpec};
pub use models::{KnownModel, Models};
pub use online::{OnlineStore, Serving, Share, VectorKey, VectorWrite, Written, supersedes};
pub use warehouse::{Appended, Cell, CellKind, Day, Rows, TableSpec, Warehouse};
