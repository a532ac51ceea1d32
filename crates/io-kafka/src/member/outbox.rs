//! What a poller has for its member: changes of what it owns, and records, a bounded number of each partition and topic.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound::{Excluded, Unbounded},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ports::{Event, Record};
use tokio::sync::{Notify, futures::Notified};

use crate::Error;

/// What waits of one topic of one partition: what a consumer decodes in a few milliseconds.
const LANE_BYTES_MAX: usize = 1 << 20;

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

    /// The next thing to hear: changes first, since records of what has gone are nobody's. The reason for an end is told as often as
    /// somebody asks.
    pub(super) fn take(&self, topics: &[Arc<str>]) -> Option<Result<Event, Error>> {
        let mut state = self.state();
        if let Some(change) = state.changes.pop_front() {
            match &change {
                Event::Revoked(gone) | Event::Lost(gone) => {
                    state.lanes.retain(|(partition, _), _| !gone.contains(partition));
                    gone.iter().for_each(|partition| _ = state.shut(*partition));
                }
                Event::Assigned(come) => come.iter().for_each(|assignment| _ = state.shut(assignment.partition)),
                Event::Records { .. } | Event::Idle => {}
            }
            return Some(Ok(change));
        }
        if let Some(error) = &state.ended {
            return Some(Err(error.clone()));
        }
        let ready = |(_, lane): &(&Place, &Lane)| lane.has_news && !lane.paused;
        let (behind, ahead) = (state.lanes.range(..=state.last), state.lanes.range((Excluded(state.last), Unbounded)));
        let place = *ahead.chain(behind).find(ready)?.0;
        state.last = place;
        let lane = state.lanes.get_mut(&place)?;
        lane.has_news = false;
        lane.bytes = 0;
        let (records, more) = (std::mem::take(&mut lane.records), lane.more);
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
        self.state().lanes.get(&place).map_or(LANE_BYTES_MAX, |lane| LANE_BYTES_MAX.saturating_sub(lane.bytes))
    }

    /// Records that came, and whether there is more behind them.
    pub(super) fn give(&self, place: Place, records: Vec<Record>, bytes: usize, more: bool) {
        let mut state = self.state();
        if state.turns.get(&place.0).is_none_or(|turn| turn.fetched != turn.wanted) {
            return;
        }
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
            *lane = Lane { paused: lane.paused, ..Lane::default() };
        }
        let turn = self.turns.entry(partition).or_default();
        turn.wanted += 1;
        turn.wanted
    }
}
