//! Where the engine's time goes, step by step: `cargo bench -p features --features bench -- decode` runs one of them.
//!
//! One program for all steps, since linking polars takes longer than measuring. Everything goes through the public API: a step
//! inside the engine is measured by the engine's own account of steps, so that the others do not blur it.

mod codec;
mod decode;
mod orders;
mod roll;
mod stopwatch;
mod tile;

use criterion::Criterion;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    decode::measure(&mut criterion);
    tile::measure(&mut criterion);
    roll::measure(&mut criterion);
    codec::measure(&mut criterion);
    criterion.final_summary();
}
