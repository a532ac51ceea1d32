//! Payloads; see `headway_fuzz::decoder`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headway_fuzz::decoder::check(bytes));
