//! A restored engine beside the live one: given the same, it has to say the same, step by step.

use std::collections::{BTreeMap, BTreeSet};

use domain::{FeatureVector, Timestamp, unpack};
use features::{Engine, Output};

use super::{Written, saver::Input};

/// A restored engine, and what its readers see.
pub(super) struct Twin {
    engine: Engine,
    written: Written,
}

impl Twin {
    /// Readers go on with what was written before the restart.
    pub(super) fn new(engine: Engine, written: Written) -> Self {
        Self { engine, written }
    }

    /// Gives the twin what the live engine was given, which said this and has written that by now.
    pub(super) fn follow(&mut self, input: &Input, (live, said): (&Engine, &Output), live_written: &Written) {
        let output = input.give(&mut self.engine);
        let at = live.clock();
        assert_eq!(output.refused, said.refused, "refused by a restored engine and by the live one at {at:?}");
        assert_eq!(output.dropped, said.dropped, "dropped by a restored engine and by the live one at {at:?}");
        assert_eq!(output.absences, said.absences, "absences of a restored engine and of the live one at {at:?}");
        assert_eq!(output.blocks, said.blocks, "blocks of a restored engine and of the live one at {at:?}");
        let (packed, live_packed) = (last_of_each(&output), last_of_each(said));
        for (key, bytes) in &packed {
            let schema = self.engine.schema(key.0).expect("a group of the pipeline");
            self.written.insert(key.clone(), unpack(bytes, schema).expect("what the engine packs can be read"));
            if let Some(live_bytes) = live_packed.get(key) {
                let live = &live_written[key];
                assert_eq!(bytes, live_bytes, "{key:?} at {at:?}: restored {:?}, live {live:?}", self.written[key]);
            }
        }
        for key in packed.keys().chain(live_packed.keys()).collect::<BTreeSet<_>>() {
            let [own, other] = [&self.written, live_written].map(|written| written.get(key));
            // A key that only one of them knows says nothing, or it would have been written by both.
            let (Some(own), Some(other)) = (own, other) else { panic!("{key:?} at {at:?}: restored {own:?}, live {other:?}") };
            check_agreement(key, own, other);
        }
        self.check_age(live, at);
    }

    /// Nothing is read that is outdated beyond the tolerance, unless it says that its source is silent.
    fn check_age(&self, live: &Engine, at: Timestamp) {
        for (key, vector) in &self.written {
            let tolerance = live.schema(key.0).map_or(0, |schema| schema.tolerance.0);
            let outdated_at = vector.valid_until.0.saturating_add(tolerance);
            assert!(
                vector.source_silent || at.0 <= outdated_at,
                "{key:?} of a restored engine is outdated at {at:?}: {vector:?}"
            );
        }
    }
}

/// One may be older than the other, but where it says that it still holds it says the same.
fn check_agreement(key: &(usize, String), one: &FeatureVector, other: &FeatureVector) {
    let (older, newer) = if one.as_of <= other.as_of { (one, other) } else { (other, one) };
    if older.valid_until > newer.as_of {
        assert_eq!(older.values, newer.values, "{key:?} of a restored engine and of the live one: {older:?}, {newer:?}");
        assert_eq!(older.valid_until, newer.valid_until, "{key:?} of a restored engine and of the live one");
    }
}

fn last_of_each(output: &Output) -> BTreeMap<(usize, String), &[u8]> {
    output.vectors.iter().map(|vector| ((vector.group, vector.key.to_owned()), vector.packed)).collect()
}
