//! What is known of schemas by their ids. An id never changes its meaning, so what was read once is read for good; only what was
//! missing is asked for again. Decides nothing about records, and never waits.

use std::collections::HashMap;

use domain::Timestamp;

use crate::{decoder::Known, frame::SchemaId};

/// A topic has as many schemas as its event has had shapes, some tens; a thousand serve many topics and take some ten megabytes.
const SCHEMAS_MAX: usize = 1_000;

/// A schema is registered before its first record is written. A replica of the registry may lag behind by seconds, and garbage that
/// looks like an id would be asked for with each batch.
const MISSING_FOR_MS: i64 = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Cache {
    entries: HashMap<SchemaId, Entry>,
    /// Counts the looks into the cache, and so tells which entries were used last.
    uses: u64,
}

#[derive(Debug)]
struct Entry {
    known: Known,
    known_at: Timestamp,
    used: u64,
}

impl Cache {
    /// What is known, unless it has to be asked again.
    pub(crate) fn get(&mut self, id: SchemaId, now: Timestamp) -> Option<Known> {
        self.uses += 1;
        let entry = self.entries.get_mut(&id)?;
        entry.used = self.uses;
        // A clock that was set back does not keep a schema missing for longer.
        let is_fresh = (0..MISSING_FOR_MS).contains(&(now.0.saturating_sub(entry.known_at.0)));
        (is_fresh || !matches!(entry.known, Known::Missing(_))).then(|| entry.known.clone())
    }

    /// Remembers, in place of what was not used for the longest time.
    pub(crate) fn put(&mut self, id: SchemaId, known: Known, now: Timestamp) {
        if self.entries.len() >= SCHEMAS_MAX && !self.entries.contains_key(&id) {
            let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(id, _)| *id);
            oldest.and_then(|oldest| self.entries.remove(&oldest));
        }
        self.uses += 1;
        self.entries.insert(id, Entry { known, known_at: now, used: self.uses });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn missing() -> Known {
        Known::Missing("not there".into())
    }

    fn unusable() -> Known {
        Known::Unusable("nonsense".into())
    }

    fn later(ms: i64) -> Timestamp {
        Timestamp(NOW.0 + ms)
    }

    #[test]
    fn only_what_is_missing_is_asked_for_again() {
        let mut cache = Cache::default();
        cache.put(SchemaId(1), missing(), NOW);
        cache.put(SchemaId(2), unusable(), NOW);
        let mut has = |id, now| cache.get(SchemaId(id), now).is_some();
        assert!(has(1, later(MISSING_FOR_MS - 1)) && has(2, later(MISSING_FOR_MS - 1)));
        assert!(!has(1, later(MISSING_FOR_MS)) && has(2, later(MISSING_FOR_MS)));
        assert!(!has(1, later(-1)), "the clock was set back");
        assert!(!has(3, NOW));
    }

    #[test]
    fn what_was_not_used_for_the_longest_time_makes_room() {
        let mut cache = Cache::default();
        let ids = || (0u32..).map(SchemaId).take(SCHEMAS_MAX);
        ids().for_each(|id| cache.put(id, unusable(), NOW));
        assert!(cache.get(SchemaId(0), NOW).is_some());
        cache.put(SchemaId(u32::MAX), unusable(), NOW);
        assert_eq!(cache.entries.len(), SCHEMAS_MAX);
        assert!(cache.get(SchemaId(0), NOW).is_some(), "it was used");
        assert!(cache.get(SchemaId(1), NOW).is_none(), "it was not");
        cache.put(SchemaId(2), missing(), NOW);
        assert_eq!(cache.entries.len(), SCHEMAS_MAX, "it was there already");
    }
}
