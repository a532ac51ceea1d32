//! The feature engine: events in, rolling feature vectors out.
//!
//! One definition of every value for stream, backfill and audit. Pure: no files, no network, no clock of its own; time comes
//! in with the batches. What the values mean stands in `docs/semantics.md`.

mod codec;
mod columns;
mod decode;
mod dedup;
mod derive;
mod engine;
mod error;
mod evaluate;
mod group;
mod layout;
mod output;
mod partial;
mod reading;
mod reason;
mod ring;
mod sketch;
mod slab;
mod steps;
mod tiling;
mod trace;
mod transform;
mod usage;
mod wheel;

pub use codec::Broken;
pub use engine::{Admission, Config, Engine, Load, Record, SnapshotKind};
pub use error::Error;
pub use layout::schemas;
pub use output::{AbsenceChange, Block, Dropped, Output, Refused, VectorRef, Vectors};
pub use reading::{CaseReading, Reading, Seen, Told};
pub use reason::Reason;
pub use trace::{Listing, Origin, Part, Trace, TracedRefusal, TracedRow, TracedTile, Wanted};
pub use transform::transforms;
