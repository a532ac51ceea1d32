//! What came for one partition and was not taken yet, and what time it is for those who take it.
//!
//! A partition that is behind - after a stop, or while a generation is built - lives through what it missed in the order in which
//! the log took it, its topics side by side, with the append times as its clock. With the clock on the wall it would see windows
//! that lack what it has yet to read, and miss events that only wait to be read. A topic that is ahead of another is paused, so
//! that what waits here is bounded.

use std::collections::VecDeque;

use domain::Timestamp;
use ports::Record;

use super::shard::Chunk;

/// The records of one partition that wait for their turn.
#[derive(Debug)]
pub(super) struct Inbox {
    lanes: Vec<Lane>,
}

/// One topic. The last one carries the partials of other partitions.
#[derive(Debug)]
struct Lane {
    waiting: VecDeque<Record>,
    /// The log has records that were not delivered yet.
    more: bool,
    /// When the newest one was appended that was delivered.
    newest: Timestamp,
    paused: bool,
}

impl Inbox {
    /// `more` tells for each topic whether it has records that were not committed.
    pub(super) fn new(more: impl IntoIterator<Item = bool>) -> Self {
        let lane = |more| Lane { waiting: VecDeque::new(), more, newest: Timestamp(i64::MIN), paused: false };
        Self { lanes: more.into_iter().map(lane).collect() }
    }

    pub(super) fn give(&mut self, topic: usize, records: Vec<Record>, more: bool) {
        let lane = &mut self.lanes[topic];
        lane.more = more;
        lane.newest = records.iter().map(|record| record.append_at).max().unwrap_or(lane.newest).max(lane.newest);
        lane.waiting.extend(records);
    }

    /// Whether events are in the log that were not delivered yet. Partials may be: they are late by themselves.
    pub(super) fn is_behind(&self) -> bool {
        self.frontier().is_some()
    }

    /// What may be taken now, at most so many records, and the clock by which; none when nothing may.
    pub(super) fn take(&mut self, wall: Timestamp, most: usize) -> Option<(Vec<Chunk>, Timestamp)> {
        let frontier = self.frontier();
        let events = self.lanes.len() - 1;
        let (mut chunks, mut left) = (Vec::new(), most);
        for (topic, lane) in self.lanes.iter_mut().enumerate() {
            let ready = match frontier {
                None => lane.waiting.len(),
                // Blocks come from the clocks of others, which may be far ahead.
                Some(_) if topic == events => 0,
                Some(until) => lane.waiting.partition_point(|record| record.append_at <= until),
            };
            let records: Vec<Record> = lane.waiting.drain(..ready.min(left)).collect();
            left -= records.len();
            if !records.is_empty() {
                chunks.push(Chunk { topic, records });
            }
        }
        let now = frontier.map_or(wall, |until| Timestamp(until.0.saturating_add(1)));
        (!chunks.is_empty()).then_some((chunks, now))
    }

    /// Topics to be paused, with `true`, or to go on.
    pub(super) fn changes(&mut self) -> impl Iterator<Item = (usize, bool)> {
        self.lanes.iter_mut().enumerate().filter_map(|(topic, lane)| {
            let paused = !lane.waiting.is_empty();
            let changed = paused != lane.paused;
            lane.paused = paused;
            changed.then_some((topic, paused))
        })
    }

    /// Up to where every topic of events was delivered; none when nothing more is known to be there.
    fn frontier(&self) -> Option<Timestamp> {
        let events = &self.lanes[..self.lanes.len() - 1];
        events.iter().filter(|lane| lane.more).map(|lane| lane.newest).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Timestamp = Timestamp(1_000_000);

    fn records(times: &[i64]) -> Vec<Record> {
        let record = |at: &i64| Record {
            offset: 0,
            append_at: Timestamp(*at),
            key: Default::default(),
            value: Default::default(),
            headers: Vec::new(),
        };
        times.iter().map(record).collect()
    }

    fn taken(inbox: &mut Inbox, most: usize) -> Option<(Vec<(usize, Vec<i64>)>, i64)> {
        let (chunks, now) = inbox.take(WALL, most)?;
        let times = |chunk: &Chunk| (chunk.topic, chunk.records.iter().map(|record| record.append_at.0).collect());
        Some((chunks.iter().map(times).collect(), now.0))
    }

    #[test]
    fn whoever_has_caught_up_takes_everything_by_the_wall() {
        let mut inbox = Inbox::new([false, false]);
        assert_eq!(taken(&mut inbox, 10), None);
        inbox.give(0, records(&[5, 6]), false);
        inbox.give(1, records(&[9]), true);
        assert!(!inbox.is_behind());
        assert_eq!(taken(&mut inbox, 10), Some((vec![(0, vec![5, 6]), (1, vec![9])], WALL.0)));
        assert_eq!(inbox.changes().count(), 0);
    }

    #[test]
    fn whoever_is_behind_takes_topics_side_by_side() {
        let mut inbox = Inbox::new([true, true, true]);
        inbox.give(0, records(&[10, 20, 30]), true);
        assert_eq!(taken(&mut inbox, 10), None, "nobody knows what the other topic had before");
        assert_eq!(inbox.changes().collect::<Vec<_>>(), [(0, true)]);
        inbox.give(1, records(&[12, 20]), true);
        inbox.give(2, records(&[1]), true);
        assert_eq!(taken(&mut inbox, 10), Some((vec![(0, vec![10, 20]), (1, vec![12, 20])], 21)));
        assert_eq!(inbox.changes().collect::<Vec<_>>(), [(2, true)], "partials wait until their partition has caught up");
        inbox.give(1, records(&[40]), false);
        assert_eq!(taken(&mut inbox, 10), Some((vec![(0, vec![30])], 31)), "the first one has more");
        inbox.give(0, Vec::new(), false);
        assert_eq!(taken(&mut inbox, 10), Some((vec![(1, vec![40]), (2, vec![1])], WALL.0)));
        assert_eq!(inbox.changes().collect::<Vec<_>>(), [(0, false), (2, false)]);
    }

    #[test]
    fn a_step_takes_no_more_than_it_may() {
        let mut inbox = Inbox::new([true, false, false]);
        inbox.give(0, records(&[1, 2, 3]), true);
        assert_eq!(taken(&mut inbox, 2), Some((vec![(0, vec![1, 2])], 4)));
        assert_eq!(taken(&mut inbox, 2), Some((vec![(0, vec![3])], 4)));
        assert_eq!(taken(&mut inbox, 2), None);
    }
}
