//! The latest prediction of each case that is under way, as the scorer wrote it: the bytes of the record and nothing computed anew.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use domain::{Span, Timestamp};

/// Cases that are remembered: those of a large city in six hours. A prediction has about half a kilobyte, so they stay below 200 MB.
const CASES_MAX: usize = 300_000;

/// The latest predictions of one pipeline.
#[derive(Debug)]
pub struct Latest {
    table: Mutex<Table>,
    /// For so long after the last word a case is remembered.
    keep: Span,
    cases_max: usize,
}

#[derive(Debug, Default)]
struct Table {
    cases: HashMap<Bytes, Entry>,
    /// By when the last word of them came: the first are forgotten first.
    order: BTreeMap<(Timestamp, u64), Bytes>,
    count: u64,
    /// Partitions that were not read yet up to where they ended at the start; none before that is known.
    behind: Option<usize>,
}

#[derive(Debug)]
struct Entry {
    place: (Timestamp, u64),
    prediction: Option<Bytes>,
    is_over: bool,
}

/// What is known of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// What was predicted of it last.
    Prediction(Bytes),
    /// It is over.
    Over,
    /// Nothing.
    Nothing,
}

impl Latest {
    /// Nothing yet. A case is remembered for as long as it may take.
    pub fn new(longest: Span) -> Self {
        Self { table: Mutex::default(), keep: longest, cases_max: CASES_MAX }
    }

    /// Takes a prediction, which the log took at this instant.
    pub(crate) fn predicted(&self, key: &Bytes, prediction: Bytes, at: Timestamp) {
        self.change(key, at, |entry| entry.prediction = Some(prediction));
    }

    /// Takes that a case is over.
    pub(crate) fn over(&self, key: &Bytes, at: Timestamp) {
        self.change(key, at, |entry| (entry.is_over, entry.prediction) = (true, None));
    }

    fn change(&self, key: &Bytes, at: Timestamp, change: impl FnOnce(&mut Entry)) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.count += 1;
        let place = (at, table.count);
        // A record's bytes are a part of what was fetched with it, which would be kept with them.
        let key = Bytes::copy_from_slice(key);
        let entry = table.cases.entry(key.clone()).or_insert(Entry { place, prediction: None, is_over: false });
        let before = std::mem::replace(&mut entry.place, place);
        change(entry);
        if before != place {
            table.order.remove(&before);
        }
        table.order.insert(place, key);
        table.forget(at.minus(self.keep), self.cases_max);
    }

    /// What is known of a case at this instant.
    pub fn get(&self, key: &[u8], now: Timestamp) -> Known {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        table.forget(now.minus(self.keep), self.cases_max);
        match table.cases.get(key) {
            Some(Entry { is_over: true, .. }) => Known::Over,
            Some(Entry { prediction: Some(prediction), .. }) => Known::Prediction(prediction.clone()),
            _ => Known::Nothing,
        }
    }

    /// How many partitions are still to be read; none when nobody has begun.
    pub fn behind(&self) -> Option<usize> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).behind
    }

    pub(crate) fn set_behind(&self, behind: usize) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        // Once all of the past is read it stays so: what is read again is known already.
        if table.behind != Some(0) {
            table.behind = Some(behind);
        }
    }
}

impl Table {
    fn forget(&mut self, before: Timestamp, cases_max: usize) {
        while let Some(first) = self.order.first_entry() {
            if first.key().0 >= before && self.cases.len() <= cases_max {
                break;
            }
            self.cases.remove(&first.remove());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_348_800_000);

    fn at(seconds: i64) -> Timestamp {
        NOW.plus(Span(seconds * 1000))
    }

    fn key(name: &str) -> Bytes {
        Bytes::copy_from_slice(name.as_bytes())
    }

    #[test]
    fn the_last_word_counts_until_it_is_over() {
        let latest = Latest::new(Span(60_000));
        latest.predicted(&key("o1"), "a".into(), at(0));
        latest.predicted(&key("o1"), "b".into(), at(0));
        assert_eq!(latest.get(b"o1", at(0)), Known::Prediction("b".into()));
        latest.over(&key("o1"), at(1));
        assert_eq!(latest.get(b"o1", at(61)), Known::Over);
        latest.predicted(&key("o1"), "c".into(), at(2));
        assert_eq!(latest.get(b"o1", at(2)), Known::Over, "topics are read side by side");
        assert_eq!(latest.get(b"o1", at(63)), Known::Nothing);
        assert_eq!(latest.get(b"o2", at(0)), Known::Nothing);
    }

    #[test]
    fn there_are_never_too_many() {
        let latest = Latest { cases_max: 3, ..Latest::new(Span(60_000)) };
        for number in 0..10 {
            latest.predicted(&key(&number.to_string()), "x".into(), at(number));
            latest.predicted(&key("0"), "x".into(), at(number));
        }
        let table = latest.table.lock().unwrap();
        let mut left: Vec<&Bytes> = table.cases.keys().collect();
        left.sort();
        assert_eq!(left, ["0", "8", "9"]);
        assert_eq!(table.order.len(), 3);
    }
}
