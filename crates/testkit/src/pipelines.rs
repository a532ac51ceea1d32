//! Ready-made pipelines for tests, built in Rust without a spec, and the small helpers to build more.

mod absences;
pub mod build;
mod every_aggregator;
mod minimal;
mod orders;
mod predicted;
mod schemas;

pub use absences::absences;
pub use every_aggregator::every_aggregator;
pub use minimal::minimal;
pub use orders::orders;
pub use predicted::predicted;
pub use schemas::schemas;
