//! The vectors that were read last, for the while in which the online store cannot be asked. Whoever predicts a pipeline in one process,
//! of cases or of drafts, shares one of these. Bounded, and never asked first.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use domain::{Span, Timestamp};
use pipeline::Pipeline;

use crate::Origin;

/// Vectors of one half; there are two. A city has some ten thousand stores and areas with some groups each, and a vector has some
/// hundred bytes, so all of it stays below a hundred megabytes.
const HALF_MAX: usize = 100_000;
/// What was read longer ago is not used. A kitchen's queue of two minutes ago says more than the average of its area, and one of five
/// minutes ago does not.
const GOOD_FOR: Span = Span(120_000);

/// Vectors by group and key.
#[derive(Debug)]
pub struct Remembered {
    halves: Mutex<[Half; 2]>,
    half_max: usize,
}

/// Those that were read at about the same time. When the young half is full it becomes the old one, and what was old is forgotten.
#[derive(Debug)]
struct Half {
    groups: Vec<HashMap<Box<str>, Kept>>,
    count: usize,
}

#[derive(Clone, Debug)]
struct Kept {
    vector: Arc<[u8]>,
    read_at: Timestamp,
}

impl Remembered {
    /// Nothing yet, of the groups of a pipeline.
    pub fn new(pipeline: &Pipeline) -> Self {
        Self::of_groups(pipeline.groups.len())
    }

    fn of_groups(groups: usize) -> Self {
        Self { halves: Mutex::new([Half::new(groups), Half::new(groups)]), half_max: HALF_MAX }
    }

    /// Keeps what the store has said of these groups and keys.
    pub fn keep<'k>(&self, read: impl Iterator<Item = (usize, &'k str, Arc<[u8]>)>, read_at: Timestamp) {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        for (group, key, vector) in read {
            let kept = Kept { vector, read_at };
            if let Some(there) = halves[0].groups[group].get_mut(key) {
                *there = kept;
                continue;
            }
            if halves[0].count >= self.half_max {
                halves.swap(0, 1);
                halves[0] = Half::new(halves[1].groups.len());
            }
            halves[0].groups[group].insert(key.into(), kept);
            halves[0].count += 1;
        }
    }

    /// The vectors of a case by the keys of its entities, one for each group, and what that makes of them.
    pub fn vectors(&self, keys: &[Option<&str>], now: Timestamp) -> (Origin, Vec<Option<Arc<[u8]>>>) {
        let vector = |(group, key): (usize, &Option<&str>)| self.get(group, (*key)?, now);
        let vectors: Vec<_> = keys.iter().enumerate().map(vector).collect();
        let origin = if vectors.iter().any(Option::is_some) { Origin::Remembered } else { Origin::Nowhere };
        (origin, vectors)
    }

    /// What was read of this one, if it is not too long ago.
    fn get(&self, group: usize, key: &str, now: Timestamp) -> Option<Arc<[u8]>> {
        let halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = halves.iter().find_map(|half| half.groups[group].get(key))?;
        (kept.read_at.plus(GOOD_FOR) >= now).then(|| kept.vector.clone())
    }
}

impl Half {
    fn new(groups: usize) -> Self {
        Self { groups: vec![HashMap::new(); groups], count: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_348_800_000);

    fn keep(remembered: &Remembered, key: &str, byte: u8, at: Timestamp) {
        remembered.keep([(1, key, Arc::from([byte]))].into_iter(), at);
    }

    #[test]
    fn the_newest_is_kept_as_long_as_it_is_good() {
        let remembered = Remembered::of_groups(2);
        keep(&remembered, "a", 1, NOW);
        keep(&remembered, "a", 2, NOW.plus(Span(1)));
        let get = |at| remembered.get(1, "a", at).map(|vector| vector[0]);
        assert_eq!((get(NOW), get(NOW.plus(Span(120_001))), get(NOW.plus(Span(120_002)))), (Some(2), Some(2), None));
        assert_eq!((remembered.get(0, "a", NOW), remembered.get(1, "b", NOW)), (None, None));
    }

    #[test]
    fn a_case_of_which_anything_is_known_is_remembered() {
        let remembered = Remembered::of_groups(2);
        keep(&remembered, "a", 1, NOW);
        let vectors = |keys: [Option<&str>; 2]| remembered.vectors(&keys, NOW);
        assert_eq!(vectors([Some("a"), Some("a")]), (Origin::Remembered, vec![None, Some(Arc::from([1]))]));
        assert_eq!(vectors([Some("a"), None]), (Origin::Nowhere, vec![None, None]));
    }

    #[test]
    fn there_are_never_more_than_two_halves() {
        let remembered = Remembered { half_max: 3, ..Remembered::of_groups(2) };
        for number in 0..20u8 {
            keep(&remembered, &number.to_string(), number, NOW);
            assert_eq!(remembered.get(1, &number.to_string(), NOW).as_deref(), Some(&[number][..]));
        }
        let there = (0..20u8).filter(|number| remembered.get(1, &number.to_string(), NOW).is_some());
        assert_eq!(there.collect::<Vec<_>>(), [15, 16, 17, 18, 19]);
    }
}
