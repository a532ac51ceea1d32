//! The same events in another order of arrival.

use domain::Timestamp;
use pipeline::{Pipeline, SourceKind};

use super::dice::Dice;
use crate::oracle::{Fate, fates};
use crate::record::Record;

/// Events that are sent a second time.
const COPIED_SHARE: f64 = 0.2;

/// Another arrival of one partition's events: every accepted event arrives again, and is accepted again, in an order and
/// with append times that its skew and lateness allow; some arrive twice. Each source is heard as late as it was before.
/// The records must have append times that never fall.
///
/// Records that were refused for their payload stay refused, at other places. Those that were late, in the future or
/// duplicates are left out, since their fate depends on the arrival. Events that share an identity, having been accepted
/// again after the horizon of the dedup, stay where they are: closer together they would be duplicates.
pub fn permute_within_lateness(pipeline: &Pipeline, records: &[Record], seed: u64) -> Vec<Record> {
    let mut dice = Dice::new(seed);
    let mut permuted: Vec<Record> = Vec::new();
    let fates = fates(pipeline, records);
    for (record, fate) in records.iter().zip(&fates) {
        let SourceKind::Stream(stream) = &pipeline.sources[record.source].kind else { continue };
        // When the append times never fall, each of them is the clock of its record. So a record that is appended within
        // its own lateness and skew is neither late nor in the future wherever it lands, and two copies of it are never
        // further apart than lateness + skew, which the dedup horizon covers.
        let (earliest, latest) = match fate {
            Fate::Event { identity, .. } if times_accepted(records, &fates, record.source, *identity) > 1 => {
                (record.append_at.0, record.append_at.0)
            }
            Fate::Event { time, .. } => {
                (time - stream.skew.0, (time + stream.lateness.0).min(last_heard(records, record.source)))
            }
            Fate::Refused("late" | "future" | "duplicate") => continue,
            Fate::Refused(_) => (record.append_at.0 - stream.skew.0, record.append_at.0),
        };
        let copies = if dice.chance(COPIED_SHARE) { 2 } else { 1 };
        for _ in 0..copies {
            permuted.push(Record { append_at: Timestamp(dice.between(earliest, latest)), ..record.clone() });
        }
    }
    for source in 0..pipeline.sources.len() {
        if records.iter().any(|record| record.source == source) {
            let append_at = Timestamp(last_heard(records, source));
            permuted.push(Record { source, append_at, payload: b"nothing but a sign of life".to_vec() });
        }
    }
    dice.shuffle(&mut permuted);
    permuted.sort_by_key(|record| record.append_at);
    permuted
}

fn times_accepted(records: &[Record], fates: &[Fate], source: usize, wanted: u128) -> usize {
    let same = |fate: &Fate| matches!(fate, Fate::Event { identity, .. } if *identity == wanted);
    records.iter().zip(fates).filter(|(record, fate)| record.source == source && same(fate)).count()
}

fn last_heard(records: &[Record], source: usize) -> i64 {
    let append_times = records.iter().filter(|record| record.source == source).map(|record| record.append_at.0);
    append_times.max().unwrap_or_default()
}
