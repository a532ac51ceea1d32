//! What came for one partition and was not taken yet, and what time it is for those who take it.
//!
//! A partition that is behind - after a stop, or while a generation is built - lives through what it missed in the order in which
//! the log took it, its topics side by side, with the append times as its clock. With the clock on the wall it would see windows
//! that lack what it has yet to read, and miss events that only wait to be read. A topic that is ahead of another is paused, so
//! that what waits here is bounded.

use std::collections::VecDeque;

use domain::{EARLIEST, Span, Timestamp};
use ports::Record;

use super::{partials, shard::Chunk};

/// The records of one partition that wait for their turn.
#[derive(Debug)]
pub(super) struct Inbox {
    lanes: Vec<Lane>,
    /// It has caught up with the wall once: what others have yet to catch up with does not hold it back any more.
    present: bool,
}

/// One topic. The last one carries the partials of other partitions.
#[derive(Debug)]
struct Lane {
    /// With the instant from which on each may be taken.
    waiting: VecDeque<(Timestamp, Record)>,
    /// The log has records that were not delivered yet.
    more: bool,
    /// When the newest one was appended that was delivered.
    newest: Timestamp,
    paused: bool,
}

/// From when on a record may be taken: when an event was appended, what time it was for the sender of partials.
pub(super) fn ready_at(record: &Record, of_partials: bool) -> Timestamp {
    if of_partials { partials::clock(record) } else { record.append_at }
}

/// What time it is when everything up to an instant was taken. Before all events time does not pass.
pub(super) fn now_after(at: Timestamp) -> Timestamp {
    if at < EARLIEST { Timestamp(i64::MIN) } else { at.plus(Span(1)) }
}

impl Inbox {
    /// `more` tells for each topic whether it has records that were not committed.
    pub(super) fn new(more: impl IntoIterator<Item = bool>) -> Self {
        let lane = |more| Lane { waiting: VecDeque::new(), more, newest: Timestamp(i64::MIN), paused: false };
        Self { lanes: more.into_iter().map(lane).collect(), present: false }
    }

    pub(super) fn give(&mut self, topic: usize, records: Vec<Record>, more: bool) {
        let of_partials = topic == self.lanes.len() - 1;
        let lane = &mut self.lanes[topic];
        lane.more = more;
        lane.newest = records.iter().map(|record| record.append_at).max().unwrap_or(lane.newest).max(lane.newest);
        lane.waiting.extend(records.into_iter().map(|record| (ready_at(&record, of_partials), record)));
    }

    /// Whether its clock is the wall's: it has caught up once, and the log has no events that were not delivered.
    pub(super) fn is_present(&self) -> bool {
        self.present && self.frontier().is_none()
    }

    /// Up to where it could go that has not caught up yet.
    pub(super) fn wants(&self, wall: Timestamp) -> Option<Timestamp> {
        (!self.present).then(|| self.frontier().unwrap_or(wall))
    }

    /// What may be taken now, at most so many records, and what time it is then. Nobody goes beyond the limit who has not yet
    /// caught up.
    pub(super) fn take(&mut self, wall: Timestamp, limit: Timestamp, most: usize) -> (Vec<Chunk>, Timestamp) {
        self.present |= self.frontier().is_none() && wall <= limit;
        let until = match self.frontier() {
            None if self.present => None,
            Some(until) if self.present => Some(until),
            until => Some(until.unwrap_or(wall).min(limit)),
        };
        let (mut chunks, mut left) = (Vec::new(), most);
        for (topic, lane) in self.lanes.iter_mut().enumerate() {
            let ready = match until {
                None => lane.waiting.len(),
                // Each in its turn: partials come from senders of different clocks.
                Some(until) => lane.waiting.iter().take_while(|(ready_at, _)| *ready_at <= until).count(),
            };
            let records: Vec<Record> = lane.waiting.drain(..ready.min(left)).map(|(_, record)| record).collect();
            left -= records.len();
            if !records.is_empty() {
                chunks.push(Chunk { topic, records });
            }
        }
        (chunks, until.map_or(wall, now_after))
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

    const START: i64 = EARLIEST.0;
    const LATE: i64 = 1_000_000;
    const WALL: Timestamp = Timestamp(START + LATE);

    fn records(times: &[i64]) -> Vec<Record> {
        let record = |at: &i64| Record {
            offset: 0,
            append_at: Timestamp(START + at),
            key: Default::default(),
            value: Default::default(),
            headers: Vec::new(),
            decoded: None,
        };
        times.iter().map(record).collect()
    }

    fn blocks(clocks: &[i64]) -> Vec<Record> {
        let block = |(clock, record): (&i64, Record)| {
            let sent =
                partials::outgoing("partials".into(), features::Block { shard: 0, bytes: Vec::new() }, Timestamp(START + clock));
            Record { headers: sent.headers, ..record }
        };
        clocks.iter().zip(records(clocks)).map(block).collect()
    }

    /// The times of what was taken, by topic, and what time it is then.
    type Taken = (Vec<(usize, Vec<i64>)>, i64);

    fn taken_until(inbox: &mut Inbox, limit: Timestamp, most: usize) -> Taken {
        let (chunks, now) = inbox.take(WALL, limit, most);
        let times = |chunk: &Chunk| (chunk.topic, chunk.records.iter().map(|record| record.append_at.0 - START).collect());
        (chunks.iter().map(times).collect(), now.0.saturating_sub(START))
    }

    fn taken(inbox: &mut Inbox, most: usize) -> Taken {
        taken_until(inbox, WALL, most)
    }

    #[test]
    fn whoever_has_caught_up_takes_everything_by_the_wall() {
        let mut inbox = Inbox::new([false, false]);
        assert_eq!((inbox.is_present(), inbox.wants(WALL)), (false, Some(WALL)));
        assert_eq!(taken(&mut inbox, 10), (vec![], LATE));
        inbox.give(0, records(&[5, 6]), false);
        inbox.give(1, records(&[9]), true);
        assert_eq!((inbox.is_present(), inbox.wants(WALL)), (true, None));
        assert_eq!(taken(&mut inbox, 10), (vec![(0, vec![5, 6]), (1, vec![9])], LATE));
        assert_eq!(inbox.changes().count(), 0);
    }

    #[test]
    fn whoever_is_behind_takes_topics_side_by_side() {
        let mut inbox = Inbox::new([true, true, true]);
        inbox.give(0, records(&[10, 20, 30]), true);
        assert!(taken(&mut inbox, 10).0.is_empty(), "nobody knows what the other topic had before");
        assert_eq!(inbox.changes().collect::<Vec<_>>(), [(0, true)]);
        inbox.give(1, records(&[12, 20]), true);
        inbox.give(2, blocks(&[15, 25, 18]), true);
        assert_eq!(taken(&mut inbox, 10), (vec![(0, vec![10, 20]), (1, vec![12, 20]), (2, vec![15])], 21));
        assert_eq!(inbox.changes().collect::<Vec<_>>(), [(2, true)], "partials of a sender that is ahead have to wait");
        inbox.give(1, records(&[40]), false);
        assert_eq!(taken(&mut inbox, 10), (vec![(0, vec![30]), (2, vec![25, 18])], 31), "the first one has more");
        inbox.give(0, Vec::new(), false);
        assert_eq!(taken(&mut inbox, 10), (vec![(1, vec![40])], LATE));
        assert_eq!(inbox.changes().collect::<Vec<_>>(), [(0, false), (2, false)]);
    }

    #[test]
    fn whoever_is_ahead_of_others_waits() {
        let mut inbox = Inbox::new([true, false]);
        inbox.give(0, records(&[10, 20, 30]), true);
        let limit = Timestamp(START + 25);
        assert_eq!(inbox.wants(WALL), Some(Timestamp(START + 30)));
        assert_eq!(taken_until(&mut inbox, limit, 10), (vec![(0, vec![10, 20])], 26));
        assert_eq!(taken_until(&mut inbox, limit, 10), (vec![], 26));
        inbox.give(0, records(&[40]), false);
        assert_eq!(taken_until(&mut inbox, limit, 10), (vec![], 26), "the present is further still");
        assert_eq!(inbox.wants(WALL), Some(WALL));
        assert_eq!(taken_until(&mut inbox, Timestamp(START + 35), 10), (vec![(0, vec![30])], 36));
        assert_eq!(taken_until(&mut inbox, WALL, 10), (vec![(0, vec![40])], LATE));
        inbox.give(0, records(&[LATE]), true);
        assert_eq!(inbox.wants(WALL), None, "who has once caught up waits for nobody");
        assert_eq!(taken_until(&mut inbox, limit, 10), (vec![(0, vec![LATE])], LATE + 1));
    }

    #[test]
    fn a_step_takes_no_more_than_it_may() {
        let mut inbox = Inbox::new([true, false, false]);
        inbox.give(0, records(&[1, 2, 3]), true);
        assert_eq!(taken(&mut inbox, 2), (vec![(0, vec![1, 2])], 4));
        assert_eq!(taken(&mut inbox, 2), (vec![(0, vec![3])], 4));
        assert_eq!(taken(&mut inbox, 2), (vec![], 4));
    }
}
