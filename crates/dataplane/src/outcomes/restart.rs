//! A partition of the outcomes role after a restart: what the scorer wrote is read once more, silently, from as long ago as it may
//! still matter up to where the commit before has come. What waits is then what waited.

use std::{collections::VecDeque, sync::Arc};

use domain::Timestamp;
use ports::{Assignment, Log, Record};

use super::{
    Join,
    lanes::LANES,
    partition::{Counts, hear},
};
use crate::{
    Error, note,
    retry::insist,
    scorer::{CLOCKS_APART_MAX, Rules},
};

/// Bytes that are read at once.
const READ_BYTES: usize = 1 << 20;

/// What a commit says beside its positions: how far the scorer's clock had come.
pub(super) fn note(watermark: Option<Timestamp>) -> String {
    note::write_or_nothing(watermark.map(|watermark| watermark.0.to_string()))
}

fn watermark(note: &[u8]) -> Result<Option<Timestamp>, &'static str> {
    let watermark = note::read_or_nothing(note)?.map(str::parse).transpose().map_err(|_| "it has no watermark")?;
    Ok(watermark.map(Timestamp))
}

/// One topic that is read again.
struct Again {
    next: u64,
    /// The first record that was not committed.
    end: u64,
    read: VecDeque<Record>,
}

/// Reads what was committed before.
pub(super) async fn restore<L: Log>(
    log: &L,
    topics: &[Arc<str>; LANES],
    assignment: &Assignment,
    rules: &Rules,
    join: &mut Join,
) -> Result<(), Error> {
    let partition = assignment.partition;
    let watermark = watermark(&assignment.note).map_err(|fault| Error::Note { partition, fault })?;
    let Some(watermark) = watermark else { return Ok(()) };
    let from = watermark.minus(Join::reaches_back(rules)).minus(CLOCKS_APART_MAX);
    let mut all = Vec::new();
    for topic in topics {
        let next = insist(|| log.offset_at(topic, partition, from)).await?;
        all.push(Again { next, end: assignment.next(topic).unwrap_or(0), read: VecDeque::new() });
    }
    // What goes out of it went out before.
    let (mut effects, mut counts) = (Vec::new(), Counts::default());
    loop {
        for (topic, again) in topics.iter().zip(&mut all) {
            again.fill(log, topic, partition).await?;
        }
        let heads = all.iter().enumerate().filter_map(|(lane, again)| Some((again.read.front()?.append_at, lane)));
        let Some((_, lane)) = heads.min() else { return Ok(()) };
        let Some(record) = all[lane].read.pop_front() else { return Ok(()) };
        hear(join, rules.case(), lane, &record, &mut effects, &mut counts);
        effects.clear();
    }
}

impl Again {
    async fn fill<L: Log>(&mut self, log: &L, topic: &str, partition: u32) -> Result<(), Error> {
        if !self.read.is_empty() || self.next >= self.end {
            return Ok(());
        }
        let records = insist(|| log.read(topic, partition, self.next, READ_BYTES)).await?;
        self.next = records.last().map_or(self.end, |last| last.offset + 1);
        let end = self.end;
        self.read.extend(records.into_iter().filter(|record| record.offset < end));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written() {
        for at in [None, Some(Timestamp(1_795_348_800_000)), Some(Timestamp(-5))] {
            assert_eq!(watermark(note(at).as_bytes()), Ok(at));
        }
        assert_eq!(watermark(b""), Ok(None));
        for (text, fault) in [("2 5", "its version is not 1"), ("1 x", "it has no watermark"), ("1 ", "it has no watermark")] {
            assert_eq!(watermark(text.as_bytes()), Err(fault));
        }
    }
}
