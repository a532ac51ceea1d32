//! Examples of the oracle that were computed by hand from the semantics page.

mod aggregators;
mod decisions;
mod expressions;
mod modes;
mod pairs;
mod positions;
mod scene;
mod sketches;
mod tables;
mod windows;
