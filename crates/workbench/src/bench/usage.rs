//! What this process used so far, from Linux's `/proc`. Zero where there is none.

use std::fs;

/// Processor time of all threads, in user and system mode.
pub fn cpu_seconds() -> f64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

/// The memory that is resident now.
pub(super) fn resident_memory_bytes() -> u64 {
    status_bytes("self", "VmRSS:")
}

/// The most memory that was ever resident.
pub fn peak_memory_bytes() -> u64 {
    status_bytes("self", "VmHWM:")
}

/// The same of another process.
pub fn peak_memory_bytes_of(process: u32) -> u64 {
    status_bytes(&process.to_string(), "VmHWM:")
}

fn status_bytes(process: &str, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1024
}
