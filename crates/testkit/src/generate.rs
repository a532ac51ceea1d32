//! Seeded random record streams for any pipeline. The same pipeline, knobs and seed give the same bytes every time.
//!
//! Values are drawn by the kind of their field. Texts and numbers that the pipeline's expressions compare with are drawn
//! often, and keys are few, so that conditions, pairs and tables have something to do.

mod arrival;
pub(crate) mod dice;
mod fault;
mod hints;
mod payload;
mod spread;
mod stream;
mod value;

pub use arrival::permute_within_lateness;
pub use spread::partition;
pub use stream::{Stream, records};
