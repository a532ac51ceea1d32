//! The two topics of a partition, predictions and cases, side by side in the order in which the log took them: a case is not forgotten
//! before its predictions have come. A topic that is ahead of the other is paused, so that what waits here is bounded.

use std::collections::VecDeque;

use domain::Timestamp;
use ports::Record;

/// Predictions, then cases: of one instant a prediction comes first, since it was made of a case that was open.
pub(super) const LANES: usize = 2;
/// Records of one topic that wait for the other: a few megabytes.
const WAITING_MAX: usize = 10_000;

/// What was delivered of one partition and not taken yet.
#[derive(Debug)]
pub(super) struct Lanes([Lane; LANES]);

#[derive(Debug)]
struct Lane {
    waiting: VecDeque<Record>,
    /// The log has records that were not delivered yet.
    more: bool,
    newest: Timestamp,
    paused: bool,
}

impl Lanes {
    /// `more` tells for each topic whether it has records that were not committed.
    pub(super) fn new(more: [bool; LANES]) -> Self {
        Self(more.map(|more| Lane { waiting: VecDeque::new(), more, newest: Timestamp(i64::MIN), paused: false }))
    }

    pub(super) fn give(&mut self, lane: usize, records: Vec<Record>, more: bool) {
        let lane = &mut self.0[lane];
        lane.more = more;
        lane.newest = records.iter().map(|record| record.append_at).max().unwrap_or(lane.newest).max(lane.newest);
        lane.waiting.extend(records);
    }

    /// The next record that may be taken, and of which topic: none while the other topic may still have an earlier one.
    pub(super) fn next(&mut self) -> Option<(usize, Record)> {
        let until = self.0.iter().filter(|lane| lane.more).map(|lane| lane.newest).min();
        let head = |lane: &Lane| lane.waiting.front().map(|record| record.append_at);
        let heads = self.0.iter().enumerate().filter_map(|(place, lane)| Some((head(lane)?, place)));
        let (_, place) = heads.min().filter(|(at, _)| until.is_none_or(|until| *at <= until))?;
        self.0[place].waiting.pop_front().map(|record| (place, record))
    }

    /// Topics to be paused, with `true`, or to go on.
    pub(super) fn changes(&mut self) -> impl Iterator<Item = (usize, bool)> {
        self.0.iter_mut().enumerate().filter_map(|(place, lane)| {
            let paused = lane.waiting.len() > WAITING_MAX;
            let changed = paused != lane.paused;
            lane.paused = paused;
            changed.then_some((place, paused))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(times: &[i64]) -> Vec<Record> {
        let record = |at: &i64| Record {
            offset: 0,
            append_at: Timestamp(*at),
            key: Default::default(),
            value: Default::default(),
            headers: Vec::new(),
            decoded: None,
        };
        times.iter().map(record).collect()
    }

    fn taken(lanes: &mut Lanes) -> Vec<(usize, i64)> {
        std::iter::from_fn(|| lanes.next().map(|(lane, record)| (lane, record.append_at.0))).collect()
    }

    #[test]
    fn both_are_taken_in_the_order_of_the_log_and_predictions_first() {
        let mut lanes = Lanes::new([false, false]);
        lanes.give(1, records(&[1, 3, 5]), false);
        lanes.give(0, records(&[2, 3, 9]), false);
        assert_eq!(taken(&mut lanes), [(1, 1), (0, 2), (0, 3), (1, 3), (1, 5), (0, 9)]);
    }

    #[test]
    fn nobody_goes_beyond_what_the_other_has_still_to_tell() {
        let mut lanes = Lanes::new([true, true]);
        lanes.give(1, records(&[1, 4]), false);
        assert_eq!(taken(&mut lanes), []);
        lanes.give(0, records(&[2, 3]), true);
        assert_eq!(taken(&mut lanes), [(1, 1), (0, 2), (0, 3)]);
        lanes.give(0, Vec::new(), false);
        assert_eq!(taken(&mut lanes), [(1, 4)]);
    }

    #[test]
    fn who_is_ahead_is_paused_until_the_other_has_come() {
        let mut lanes = Lanes::new([true, false]);
        lanes.give(1, records(&vec![7; WAITING_MAX + 1]), true);
        assert_eq!(lanes.changes().collect::<Vec<_>>(), [(1, true)]);
        assert_eq!(lanes.changes().count(), 0);
        lanes.give(0, records(&[8]), false);
        assert_eq!(taken(&mut lanes).len(), WAITING_MAX + 1);
        assert_eq!(lanes.changes().collect::<Vec<_>>(), [(1, false)]);
    }
}
