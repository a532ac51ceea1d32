//! Specs; see `headway_fuzz::spec`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headway_fuzz::spec::check(bytes));
