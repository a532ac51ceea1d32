//! What is saved of one shard and what came since: enough to make its engine again at any moment.

use std::sync::Arc;

use domain::Timestamp;
use features::{Config, Engine, Output, SnapshotKind};
use pipeline::Pipeline;
use testkit::Record;

use super::dice::Dice;

/// Largest frame that is asked for, in bytes: small, so that much changes while a snapshot is written.
const FRAME_MAX: i64 = 3000;

/// What is saved of one shard, and what came since.
#[derive(Default)]
pub(super) struct Saver {
    /// Since the last full one.
    snapshots: Vec<Vec<u8>>,
    /// The one under way.
    under_way: Option<Vec<u8>>,
    /// Since the last snapshot was begun.
    pub(super) inputs: Vec<Input>,
}

/// Something that an engine was given.
pub(super) enum Input {
    Batch(Vec<(u64, Record)>, Timestamp),
    Block(Vec<u8>),
    Heard(usize, Timestamp),
    File(usize, String, Timestamp),
}

impl Saver {
    /// Begins a snapshot now and then, or writes a frame of the one under way. True when one has become whole.
    pub(super) fn write_on(&mut self, engine: &mut Engine, dice: &mut Dice) -> bool {
        if let Some(bytes) = &mut self.under_way {
            if engine.write_snapshot(dice.between(1, FRAME_MAX) as usize, bytes) {
                return false;
            }
            self.snapshots.extend(self.under_way.take());
            return true;
        }
        if dice.chance(4) {
            let kind = if self.snapshots.is_empty() || dice.chance(3) { SnapshotKind::Full } else { SnapshotKind::Changes };
            if engine.begin_snapshot(kind) == SnapshotKind::Full {
                self.snapshots.clear();
            }
            self.under_way = Some(Vec::new());
            self.inputs.clear();
        }
        false
    }

    /// What the snapshots and the inputs since make of an engine: silently as after a restart, or by taking everything again.
    pub(super) fn restored(&self, pipeline: &Arc<Pipeline>, config: Config, silently: bool) -> Engine {
        let parts: Vec<&[u8]> = self.snapshots.iter().map(Vec::as_slice).collect();
        let mut engine = Engine::restore(pipeline.clone(), config, &parts).expect("a snapshot as it was made");
        if !silently {
            self.inputs.iter().for_each(|input| drop(input.give(&mut engine)));
            return engine;
        }
        // A restarted role knows the files of today and reads them first.
        for input in self.inputs.iter().filter(|input| matches!(input, Input::File(..))) {
            input.replay(&mut engine);
        }
        for input in self.inputs.iter().filter(|input| !matches!(input, Input::File(..))) {
            input.replay(&mut engine);
        }
        engine
    }

    /// A restored engine has no history of saves: the next one is full.
    pub(super) fn begin_anew(&mut self) {
        self.snapshots.clear();
    }
}

impl Input {
    pub(super) fn give(&self, engine: &mut Engine) -> Output {
        match self {
            Self::Batch(records, now) => engine.ingest(&views(records), *now),
            Self::Block(bytes) => engine.receive(bytes, Timestamp(i64::MIN)).expect("a block as it was made"),
            Self::Heard(source, append_at) => {
                engine.hear(*source, *append_at);
                Output::default()
            }
            Self::File(source, lines, now) => engine.load_file(*source, lines, *now),
        }
    }

    fn replay(&self, engine: &mut Engine) {
        match self {
            Self::Batch(records, now) => engine.replay(&views(records), *now),
            Self::Block(bytes) => engine.replay_block(bytes, Timestamp(i64::MIN)).expect("a block as it was made"),
            Self::Heard(source, append_at) => engine.hear(*source, *append_at),
            Self::File(source, lines, _) => drop(engine.replay_file(*source, lines, engine.clock())),
        }
    }
}

fn views(records: &[(u64, Record)]) -> Vec<features::Record<'_>> {
    records.iter().map(view).collect()
}

fn view((offset, record): &(u64, Record)) -> features::Record<'_> {
    let Record { source, append_at, payload } = record;
    features::Record { source: *source, offset: *offset, append_at: *append_at, payload }
}
