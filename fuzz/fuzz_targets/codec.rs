//! Blocks, snapshots and packed vectors; see `headway_fuzz::codec`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headway_fuzz::codec::check(bytes));
