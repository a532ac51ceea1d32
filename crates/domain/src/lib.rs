//! The nouns that every part of Headway shares. Knows nothing of files, servers, polars or clocks.

mod case;
mod packed;
mod partition;
mod shrink;
mod time;
mod vector;

pub use case::Carried;
pub use packed::{HEADER_BYTES, Header, PACKED_VERSION, PackedError, pack, unpack, unpack_header};
pub use partition::partition_of;
pub use shrink::{Evidence, shrunk, shrunk_towards};
pub use time::{EARLIEST, LATEST, Span, Timestamp};
pub use vector::{FeatureVector, NEVER, Schema, Value, ValueKind, is_outdated};
