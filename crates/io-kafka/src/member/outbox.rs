//! What a poller has for its member: changes of what it owns, and records, a bounded number of each partition and topic.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound::{Excluded, Unbounded},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ports::{Event, Record};
use tokio::sync::{Notify, futures::Notified};

use crate::Error;

/// What may wait of one topic of one partition, whatever waits of the others.
const LANE_BYTES_MIN: usize = 128 << 10;
/// What may wait of all of them before each has its own part only. One that is far behind alone gets nearly all of this: whenever
/// it has no room, the broker is asked about the others without it, and takes its time when there is nothing of them.
const BYTES_MAX: usize = 2 << 20;

/// A partition, and the place of a topic.
pub(super) type Place = (u32, usize);

/// Shared by a member and its poller.
#[derive(Default)]
pub(super) struct Outbox {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Default)]
struct State {
    changes: VecDeque<Event>,
    /// Why nothing else will come.
    ended: Option<Error>,
    lanes: BTreeMap<Place, Lane>,
    /// What waits of all lanes.
    bytes: usize,
    turns: BTreeMap<u32, Turn>,
    /// Who was served last, so that each has its turn.
    last: Place,
}

/// Which start of a partition the member has asked for last, and which one the poller fetches for.
#[derive(Default)]
struct Turn {
    wanted: u64,
    fetched: u64,
}

/// One topic of one partition.
#[derive(Default)]
struct Lane {
    records: Vec<Record>,
    bytes: usize,
    /// Whether there is more behind these.
    more: bool,
    /// Something was found out that the member has not heard.
    has_news: bool,
    paused: bool,
}

impl Outbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn news(&self) -> Notified<'_> {
        self.news.notified()
    }

    /// The next thing to hear: changes first, since records of what has gone are nobody's, and records only when the member takes some.
    /// The reason for an end is told as often as somebody asks.
    pub(super) fn take(&self, topics: &[Arc<str>], takes_records: bool) -> Option<Result<Event, Error>> {
        let mut state = self.state();
        if let Some(change) = state.changes.pop_front() {
            match &change {
                Event::Revoked(gone) | Event::Lost(gone) => {
                    gone.iter().for_each(|partition| _ = state.shut(*partition));
                    state.lanes.retain(|(partition, _), _| !gone.contains(partition));
                }
                Event::Assigned(come) => come.iter().for_each(|assignment| _ = state.shut(assignment.partition)),
                Event::Records { .. } | Event::Idle => {}
            }
            return Some(Ok(change));
        }
        if let Some(error) = &state.ended {
            return Some(Err(error.clone()));
        }
        let ready = |(_, lane): &(&Place, &Lane)| takes_records && lane.has_news && !lane.paused;
        let (behind, ahead) = (state.lanes.range(..=state.last), state.lanes.range((Excluded(state.last), Unbounded)));
        let place = *ahead.chain(behind).find(ready)?.0;
        state.last = place;
        let lane = state.lanes.get_mut(&place)?;
        lane.has_news = false;
        let (records, bytes, more) = (std::mem::take(&mut lane.records), std::mem::take(&mut lane.bytes), lane.more);
        state.bytes -= bytes;
        Some(Ok(Event::Records { topic: topics[place.1].clone(), partition: place.0, records, more }))
    }

    pub(super) fn change(&self, change: Event) {
        self.state().changes.push_back(change);
        self.news.notify_one();
    }

    /// Nothing will come behind what is here.
    pub(super) fn end(&self, error: Error) {
        self.state().ended.get_or_insert(error);
        self.news.notify_one();
    }

    /// Whether one of these has gone to somebody else, which the member has yet to hear.
    pub(super) fn has_lost(&self, partitions: &BTreeSet<u32>) -> bool {
        let state = self.state();
        let lost = |change: &Event| matches!(change, Event::Lost(lost) if lost.iter().any(|gone| partitions.contains(gone)));
        state.changes.iter().any(lost)
    }

    /// A partition is about to begin anew: what waits of it, and what still comes, was fetched for another beginning. What comes from
    /// [`Outbox::open`] with this number on is for the new one.
    pub(super) fn shut(&self, partition: u32) -> u64 {
        self.state().shut(partition)
    }

    /// What comes from here on was fetched for this beginning.
    pub(super) fn open(&self, partition: u32, turn: u64) {
        self.state().turns.entry(partition).or_default().fetched = turn;
    }

    pub(super) fn pause(&self, partition: u32, topic: usize, paused: bool) {
        let mut state = self.state();
        state.lanes.entry((partition, topic)).or_default().paused = paused;
        if !paused {
            self.news.notify_one();
        }
    }

    /// How many bytes of a place may still come.
    pub(super) fn room(&self, place: Place) -> usize {
        let state = self.state();
        let own = LANE_BYTES_MIN.saturating_sub(state.lanes.get(&place).map_or(0, |lane| lane.bytes));
        own.max(BYTES_MAX.saturating_sub(state.bytes))
    }

    /// Records that came, and whether there is more behind them.
    pub(super) fn give(&self, place: Place, records: Vec<Record>, bytes: usize, more: bool) {
        let mut state = self.state();
        if state.turns.get(&place.0).is_none_or(|turn| turn.fetched != turn.wanted) {
            return;
        }
        state.bytes += bytes;
        let lane = state.lanes.entry(place).or_default();
        lane.bytes += bytes;
        lane.has_news |= !records.is_empty() || lane.more != more;
        lane.more = more;
        if lane.records.is_empty() {
            lane.records = records
        } else {
            lane.records.extend(records)
        }
        if lane.has_news {
            self.news.notify_one();
        }
    }
}

impl State {
    fn shut(&mut self, partition: u32) -> u64 {
        for (_, lane) in self.lanes.range_mut((partition, 0)..=(partition, usize::MAX)) {
            self.bytes -= lane.bytes;
            *lane = Lane { paused: lane.paused, ..Lane::default() };
        }
        let turn = self.turns.entry(partition).or_default();
        turn.wanted += 1;
        turn.wanted
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use domain::Timestamp;

    use super::*;

    #[test]
    fn who_takes_no_records_hears_of_changes_and_of_the_records_later() {
        let (outbox, topics) = (Outbox::default(), [Arc::from("orders")]);
        let turn = outbox.shut(0);
        outbox.open(0, turn);
        let value = Bytes::from_static(b"one");
        let record = Record { offset: 7, append_at: Timestamp(0), key: Bytes::new(), value, headers: Vec::new(), decoded: None };
        outbox.give((0, 0), vec![record.clone()], 3, false);
        assert!(outbox.take(&topics, false).is_none());
        outbox.change(Event::Lost(vec![5]));
        assert!(matches!(outbox.take(&topics, false), Some(Ok(Event::Lost(lost))) if lost == [5]));
        assert!(outbox.take(&topics, false).is_none());
        let given = outbox.take(&topics, true).and_then(Result::ok);
        let expected = Event::Records { topic: topics[0].clone(), partition: 0, records: vec![record], more: false };
        assert_eq!(given, Some(expected));
        assert!(outbox.take(&topics, true).is_none());
    }
}
