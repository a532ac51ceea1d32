//! A partition of the scorer after a restart: the cases that the commit before has left, out of the topic that they are written to.
//!
//! Each case that is still known was written no longer ago than it may take, so that much of the topic is read and no more: it needs
//! neither compaction nor snapshots.

use std::sync::Arc;

use domain::{Span, Timestamp};
use ports::{Assignment, Log, Position};
use tracing::warn;

use super::{Cases, Rules};
use crate::{Error, note, retry::insist};

/// Bytes that are read at once.
const READ_BYTES: usize = 1 << 20;
/// The clocks of a log and of its readers may differ by this much.
pub(crate) const CLOCKS_APART_MAX: Span = Span(10 * 60_000);

/// What a commit says beside its positions: by what clock it was made.
pub(super) fn note(clock: Timestamp) -> String {
    note::write(&clock.0.to_string())
}

/// None before the first commit.
fn clock(note: &[u8]) -> Result<Option<Timestamp>, &'static str> {
    let clock = note::read(note)?.map(str::parse).transpose().map_err(|_| "it has no clock")?;
    Ok(clock.map(Timestamp))
}

/// Where a partition goes on. A topic of which nothing was ever committed is taken from as long ago as a case can last: of those
/// before, none is left to be predicted, and those that are get vectors of now and not of then.
pub(super) async fn positions<'t, L: Log>(
    log: &L,
    topics: impl Iterator<Item = &'t Arc<str>>,
    assignment: &Assignment,
    from: Timestamp,
) -> Result<Vec<Position>, Error> {
    let mut positions = Vec::new();
    for topic in topics {
        let next = match assignment.next(topic) {
            Some(next) => next,
            None => insist(|| log.offset_at(topic, assignment.partition, from)).await?,
        };
        positions.push(Position { topic: topic.clone(), next });
    }
    Ok(positions)
}

/// Reads what was written of the cases of a partition. How many could not be read.
pub(super) async fn restore<L: Log>(
    log: &L,
    topic: &str,
    assignment: &Assignment,
    rules: &Rules,
    cases: &mut Cases,
) -> Result<u64, Error> {
    let partition = assignment.partition;
    let clock = clock(&assignment.note).map_err(|fault| Error::Note { partition, fault })?;
    let Some(clock) = clock else { return Ok(0) };
    let from = clock.minus(rules.lasts_at_most()).minus(CLOCKS_APART_MAX);
    let mut next = insist(|| log.offset_at(topic, partition, from)).await?;
    let end = insist(|| log.bounds(topic, partition)).await?.next;
    let mut unreadable = 0;
    while next < end {
        let records = insist(|| log.read(topic, partition, next, READ_BYTES)).await?;
        let Some(last) = records.last() else { break };
        next = last.offset + 1;
        for record in &records {
            let key = String::from_utf8_lossy(&record.key);
            let written = (!record.value.is_empty()).then_some(&*record.value);
            if let Err(fault) = cases.restore(&key, written) {
                unreadable += 1;
                warn!(topic, partition, offset = record.offset, %fault, "forgets a case");
            }
        }
    }
    // They are in the topic already.
    drop(cases.take_changes());
    Ok(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written() {
        for at in [Timestamp(1_795_348_800_000), Timestamp(-5)] {
            assert_eq!(clock(note(at).as_bytes()), Ok(Some(at)));
        }
        assert_eq!(clock(b""), Ok(None));
        for (text, fault) in [("2 5", "its version is not 1"), ("1 x", "it has no clock"), ("1 ", "it has no clock")] {
            assert_eq!(clock(text.as_bytes()), Err(fault));
        }
    }
}
