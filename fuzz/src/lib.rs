//! What the fuzz targets check. Each target in `fuzz_targets/` hands its bytes to one `check` here, so that an input can be
//! looked at without the fuzzer.
//!
//! A check panics when something does that must not: the engine on any input, or two ways of reading that disagree.

mod agreement;
mod choices;
pub mod codec;
pub mod decoder;
pub mod expression;
mod fixture;
mod json;
mod patches;
mod payload;
pub mod spec;
