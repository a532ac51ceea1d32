//! What the scorer role tells about itself: counts, open cases, and what was said of them last. For metrics, the terminal and tests.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use features::Reason;
use scoring::{Answer, Origin, Question};

use super::{Challenged, Heard, Prediction};

/// Cases of which it is known what was said last: more than a screen has lines.
const NEWEST_MAX: usize = 256;

/// What a process has done since its start. A step that could not be committed is taken again, and what was heard in it counts again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Records that tell of cases, by what became of them.
    pub heard: BTreeMap<Heard, u64>,
    /// Records that could not be read.
    pub refused: BTreeMap<Reason, u64>,
    /// Predictions that were committed.
    pub predictions: u64,
    /// Those of them that say why they are not what the model says of what is so now.
    pub degraded: BTreeMap<String, u64>,
    /// Predictions by where their vectors came from.
    pub origins: BTreeMap<Origin, u64>,
    /// What was wrong with what predictions were made of.
    pub flaws: BTreeMap<&'static str, u64>,
    /// What challengers were to say of committed predictions, by digest and by what became of it.
    pub challenged: BTreeMap<(Arc<str>, Challenged), u64>,
    /// By how much corrector and calibration have moved their medians, without the sign.
    pub moved_ms: u64,
    /// Cases that are over, by how: `closed`, `lost`, or the name of an end.
    pub ended: BTreeMap<String, u64>,
    /// Cases that were taken over from a life before.
    pub restored: u64,
    /// Cases that could not be taken over from a life before.
    pub forgotten: u64,
    /// Cases that are open now.
    pub open: u64,
}

/// A window into the running workers of one pipeline. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Watch(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    counts: Counts,
    /// Open cases by partition.
    open: BTreeMap<u32, u64>,
    /// The last prediction of each of some cases, the newest last.
    newest: VecDeque<Prediction>,
}

impl Counts {
    /// Counts of two pipelines as one.
    pub fn add(&mut self, other: &Self) {
        fn sum<K: Ord + Clone>(into: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
            from.iter().for_each(|(key, count)| *into.entry(key.clone()).or_default() += count);
        }
        sum(&mut self.heard, &other.heard);
        sum(&mut self.refused, &other.refused);
        sum(&mut self.degraded, &other.degraded);
        sum(&mut self.origins, &other.origins);
        sum(&mut self.flaws, &other.flaws);
        sum(&mut self.challenged, &other.challenged);
        sum(&mut self.ended, &other.ended);
        self.predictions += other.predictions;
        self.moved_ms += other.moved_ms;
        self.restored += other.restored;
        self.forgotten += other.forgotten;
        self.open += other.open;
    }
}

impl Counts {
    /// What is asked about cases, and what is answered.
    pub(super) fn asked(&mut self, questions: &[Question], answers: &[Answer]) {
        for (question, Answer { read, no_number, .. }) in questions.iter().zip(answers) {
            *self.origins.entry(question.origin).or_default() += 1;
            let flaws = [
                ("missing", read.missing),
                ("unreadable", read.unreadable),
                ("outdated", read.outdated),
                ("silent", read.silent),
                ("refused", u32::from(read.refused)),
                ("no_number", u32::from(*no_number)),
            ];
            for (flaw, count) in flaws.into_iter().filter(|(_, count)| *count > 0) {
                *self.flaws.entry(flaw).or_default() += u64::from(count);
            }
        }
    }
}

impl Watch {
    /// What was counted.
    pub fn counts(&self) -> Counts {
        let seen = self.lock();
        Counts { open: seen.open.values().sum(), ..seen.counts.clone() }
    }

    /// The partitions that are owned now.
    pub fn partitions(&self) -> usize {
        self.lock().open.len()
    }

    /// The last prediction of each of the cases that were predicted last and are open, the newest first.
    pub fn newest(&self, most: usize) -> Vec<Prediction> {
        self.lock().newest.iter().rev().take(most).cloned().collect()
    }

    pub(super) fn count(&self, counts: impl FnOnce(&mut Counts)) {
        counts(&mut self.lock().counts);
    }

    /// What was committed.
    pub(super) fn predicted(&self, predictions: Vec<Prediction>) {
        let mut seen = self.lock();
        seen.counts.predictions += predictions.len() as u64;
        let moved = |prediction: &Prediction| (prediction.left.seconds()[1] - prediction.said.seconds()[1]).abs() * 1000.0;
        seen.counts.moved_ms += predictions.iter().map(moved).sum::<f64>().round() as u64;
        for degraded in predictions.iter().filter_map(|prediction| prediction.degraded.as_ref()) {
            *seen.counts.degraded.entry(degraded.clone()).or_default() += 1;
        }
        let shown = predictions.len().saturating_sub(NEWEST_MAX);
        for prediction in predictions.into_iter().skip(shown) {
            seen.newest.retain(|known| known.key != prediction.key);
            if seen.newest.len() == NEWEST_MAX {
                seen.newest.pop_front();
            }
            seen.newest.push_back(prediction);
        }
    }

    /// A case is over, in this way.
    pub(super) fn ended(&self, key: &str, how: &str) {
        let mut seen = self.lock();
        *seen.counts.ended.entry(how.to_owned()).or_default() += 1;
        seen.newest.retain(|known| known.key != key);
    }

    pub(super) fn owns(&self, partition: u32, open: usize) {
        self.lock().open.insert(partition, open as u64);
    }

    pub(super) fn gone(&self, partition: u32) {
        self.lock().open.remove(&partition);
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // A panic elsewhere leaves counts, which are never half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use scoring::{Applied, Quantiles, Read};

    use super::*;
    use crate::scorer::Trigger;

    fn prediction(key: &str, at: i64) -> Prediction {
        Prediction {
            key: key.into(),
            trigger: Trigger::Time(Timestamp(at)),
            stage: Some(0),
            at: Timestamp(at),
            area: String::new(),
            left: Quantiles::rearranged([1.0; 4]).expect("numbers"),
            said: Quantiles::rearranged([1.0; 4]).expect("numbers"),
            applied: Applied {
                left: Quantiles::rearranged([1.0; 4]).expect("numbers"),
                seconds: 0.0,
                corrector: None,
                calibration: None,
            },
            promise_at: Timestamp(at),
            model: None,
            degraded: Some("store".into()),
            read: Read::default(),
        }
    }

    #[test]
    fn a_case_is_there_once_with_what_was_said_last_until_it_is_over() {
        let watch = Watch::default();
        watch.predicted(vec![prediction("a", 1), prediction("b", 2), prediction("a", 3)]);
        let shown = |watch: &Watch| watch.newest(9).iter().map(|known| (known.key.clone(), known.at.0)).collect::<Vec<_>>();
        assert_eq!(shown(&watch), [("a".to_owned(), 3), ("b".to_owned(), 2)]);
        watch.ended("a", "closed");
        assert_eq!(shown(&watch), [("b".to_owned(), 2)]);
        let counts = watch.counts();
        assert_eq!((counts.predictions, counts.degraded["store"], counts.ended["closed"]), (3, 3, 1));
        watch.predicted((0..1000).map(|number| prediction(&format!("o{number}"), number)).collect());
        assert_eq!((watch.newest(2000).len(), watch.newest(1)[0].key.as_str()), (NEWEST_MAX, "o999"));
    }

    #[test]
    fn open_cases_are_those_of_the_partitions_that_are_owned() {
        let watch = Watch::default();
        watch.owns(0, 3);
        watch.owns(1, 4);
        watch.owns(0, 5);
        assert_eq!((watch.counts().open, watch.partitions()), (9, 2));
        watch.gone(1);
        assert_eq!((watch.counts().open, watch.partitions()), (5, 1));
    }
}
