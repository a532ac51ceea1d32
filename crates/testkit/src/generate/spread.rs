//! One sequence of records as several partitions.

use pipeline::Pipeline;
use xxhash_rust::xxh3::xxh3_64;

use crate::oracle::key_and_identity;
use crate::record::Record;

/// Spreads records over partitions by the hash of their source's key, keeping their order. A share of the events lands in
/// another partition; all copies of an event land in the same one. Records without a key go by the hash of their payload.
///
/// # Panics
/// When there are no partitions to spread over.
pub fn partition(pipeline: &Pipeline, records: &[Record], partitions: usize, misplaced_share: f64) -> Vec<Vec<Record>> {
    assert!(partitions > 0, "no partitions to spread over: ask for at least one");
    let mut spread = vec![Vec::new(); partitions];
    for record in records {
        let hash = match key_and_identity(pipeline, record) {
            Some((key, identity)) => {
                let lot = xxh3_64(&identity.to_le_bytes());
                let misplaced = (lot % 10_000) as f64 / 10_000.0 < misplaced_share;
                xxh3_64(key.as_bytes()).wrapping_add(if misplaced { 1 + lot / 10_000 % 7 } else { 0 })
            }
            None => xxh3_64(&record.payload),
        };
        spread[(hash % partitions as u64) as usize].push(record.clone());
    }
    spread
}
