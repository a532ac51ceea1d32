//! What the warehouse role tells about itself, for metrics and for people.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::Table;

/// What a process has done since its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows that were written and committed, by table.
    pub rows: BTreeMap<Table, u64>,
    /// Records that have no row.
    pub refused: u64,
    /// Attempts to write that failed.
    pub failures: u64,
    /// Rows that wait.
    pub waiting: u64,
    /// Why the last attempt failed; none once one succeeded.
    pub fault: Option<String>,
}

/// A window into the running worker of one pipeline. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Watch(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    counts: Counts,
    /// What a person should hear.
    words: Option<String>,
}

impl Watch {
    /// What was counted.
    pub fn counts(&self) -> Counts {
        self.lock().counts.clone()
    }

    /// What a person should hear since this was last asked.
    pub fn take_words(&self) -> Option<String> {
        self.lock().words.take()
    }

    pub(super) fn count(&self, counts: impl FnOnce(&mut Counts)) {
        counts(&mut self.lock().counts);
    }

    /// Told once, however often it fails in the same way.
    pub(super) fn failed(&self, why: String) {
        let mut seen = self.lock();
        seen.counts.failures += 1;
        if seen.counts.fault.as_ref() != Some(&why) {
            tracing::warn!("the warehouse takes no rows: {why}");
            seen.words = Some(format!("The warehouse takes no rows, which wait in the log meanwhile: {why}"));
            seen.counts.fault = Some(why);
        }
    }

    /// It works, again.
    pub(super) fn succeeded(&self) {
        let mut seen = self.lock();
        if seen.counts.fault.take().is_some() {
            seen.words = Some("The warehouse takes rows again.".to_owned());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // A panic elsewhere leaves counts, which are never half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_once_and_so_is_its_end() {
        let watch = Watch::default();
        watch.succeeded();
        assert_eq!(watch.take_words(), None);
        (0..3).for_each(|_| watch.failed("the disk is full".into()));
        assert!(watch.take_words().is_some_and(|words| words.contains("the disk is full")));
        assert_eq!((watch.take_words(), watch.counts().failures), (None, 3));
        watch.succeeded();
        assert!(watch.take_words().is_some() && watch.counts().fault.is_none());
    }
}
