//! What live state may take, worked out from the declared bounds before anything runs.
//!
//! An upper bound to plan with, not a measurement: every entity is counted with all its tiles filled.

mod absence;

use std::collections::BTreeSet;

use crate::quantities::show_size;
use crate::resolved::{Aggregator, Feature, Group, InputKind, Pipeline, SourceKind};

/// Bytes of an entity beside its key and tiles: ring header, timer, position and vector bookkeeping.
const ENTITY_BYTES: u64 = 160;
/// Bytes of an entity's key and its place in the index.
const KEY_BYTES: u64 = 24;
/// Bytes of a tile beside its partials: its number.
const TILE_BYTES: u64 = 8;
/// Bytes of one word of a partial.
const WORD_BYTES: u64 = 8;
/// Words of quantile bins, distinct sketches, top counts and positions; they grow with what they see, and most stay small.
const COLLECTION_WORDS: u64 = 32;
/// Words of a first or last: time, identity (two) and value.
const END_WORDS: u64 = 4;
/// Sums of larger values need 128 bits.
const ONE_WORD_SUM_UNITS_MAX: i64 = 1 << 31;
/// Squares of larger values need 128 bits once summed.
const ONE_WORD_SQUARE_UNITS_MAX: i64 = 1 << 15;
/// Bytes of one remembered identity in a dedup slice, slack of the hash table included.
const IDENTITY_BYTES: u64 = 24;
/// The current dedup slice and the one before.
const DEDUP_SLICES: u64 = 2;
/// Bytes of one key of a pair or table: the row, its times and its place in the index.
const ROW_BYTES: u64 = 256;

/// What live state may take, line by line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryPlan {
    /// One for each group, stream, pair, table and absence.
    pub items: Vec<MemoryItem>,
}

/// One line of a memory plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryItem {
    /// What takes the memory, such as `group.store_preparation`.
    pub name: String,
    /// How much, at most.
    pub bytes: u64,
    /// How that was worked out.
    pub arithmetic: String,
}

impl MemoryPlan {
    /// The sum of all lines.
    pub fn total(&self) -> u64 {
        self.items.iter().fold(0, |sum, item| sum.saturating_add(item.bytes))
    }

    /// All lines as text, the largest first.
    pub fn arithmetic(&self) -> String {
        let mut items: Vec<&MemoryItem> = self.items.iter().collect();
        items.sort_by_key(|item| std::cmp::Reverse(item.bytes));
        let lines = items.iter().map(|item| format!("{} {} = {}", item.name, show_size(item.bytes), item.arithmetic));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Works out what a pipeline's live state may take.
pub fn memory(pipeline: &Pipeline) -> MemoryPlan {
    let groups = pipeline.groups.iter().map(group_item);
    let sources = (0..pipeline.sources.len()).filter_map(|source| source_item(pipeline, source));
    MemoryPlan { items: groups.chain(sources).collect() }
}

fn group_item(group: &Group) -> MemoryItem {
    let (windowed, whole): (Vec<&Feature>, Vec<&Feature>) =
        group.features.iter().partition(|feature| !feature.windows.is_empty());
    let tiles = if windowed.is_empty() { 0 } else { (group.widest().0 / group.hop.0).unsigned_abs() + 1 };
    let (words, whole_words) = (words(&windowed), words(&whole));
    let tile_bytes = TILE_BYTES + WORD_BYTES * words;
    let whole_bytes = WORD_BYTES * whole_words;
    let each = (ENTITY_BYTES + KEY_BYTES + whole_bytes).saturating_add(tiles.saturating_mul(tile_bytes));
    let entities = group.entities_max;
    let arithmetic =
        format!("{entities} entities × ({ENTITY_BYTES} + {KEY_BYTES} + {whole_bytes} + {tiles} tiles × {tile_bytes} B)");
    MemoryItem { name: format!("group.{}", group.name), bytes: entities.saturating_mul(each), arithmetic }
}

fn source_item(pipeline: &Pipeline, place: usize) -> Option<MemoryItem> {
    let source = &pipeline.sources[place];
    let (bytes, arithmetic) = match &source.kind {
        SourceKind::Stream(stream) => {
            let seconds = stream.dedup.0.unsigned_abs().div_ceil(1_000);
            let identities = DEDUP_SLICES.saturating_mul(stream.peak_per_second).saturating_mul(seconds);
            let arithmetic = format!("{DEDUP_SLICES} slices × {}/s × {seconds} s × {IDENTITY_BYTES} B", stream.peak_per_second);
            (identities.saturating_mul(IDENTITY_BYTES), arithmetic)
        }
        SourceKind::Absence(absence) => absence::absence(pipeline, absence),
        SourceKind::Pair(_) | SourceKind::Table(_) | SourceKind::File { .. } => {
            let groups = pipeline.groups.iter().filter(|group| group.source == place);
            let rows = groups.map(|group| group.entities_max).max()?;
            (rows.saturating_mul(ROW_BYTES), format!("{rows} rows × {ROW_BYTES} B"))
        }
    };
    Some(MemoryItem { name: format!("source.{}", source.name), bytes, arithmetic })
}

/// The words of a tile: features with the same input and condition share their partials.
fn words(features: &[&Feature]) -> u64 {
    let partials: BTreeSet<(String, &str, u64)> = features
        .iter()
        .flat_map(|feature| {
            let over = format!("{:?} {:?}", feature.inputs, feature.condition);
            partials(feature).into_iter().map(move |(partial, words)| (over.clone(), partial, words))
        })
        .collect();
    partials.iter().map(|(_, _, words)| words).sum()
}

/// The partials that a feature is computed from, with their words.
fn partials(feature: &Feature) -> Vec<(&'static str, u64)> {
    let units_max = feature.inputs.first().map_or(0, |input| input.units_max);
    let boolean = feature.inputs.first().is_some_and(|input| input.kind == InputKind::Boolean);
    let sum = ("sum", if units_max > ONE_WORD_SUM_UNITS_MAX && !boolean { 2 } else { 1 });
    let squares = ("squares", if units_max > ONE_WORD_SQUARE_UNITS_MAX { 2 } else { 1 });
    match feature.aggregator {
        Aggregator::Count | Aggregator::Rate { .. } => vec![("count", 1)],
        Aggregator::Sum => vec![sum],
        Aggregator::Mean | Aggregator::Ewma { .. } => vec![sum, ("count", 1)],
        Aggregator::Std => vec![sum, ("count", 1), squares],
        Aggregator::Min => vec![("min", 1)],
        Aggregator::Max => vec![("max", 1)],
        Aggregator::First => vec![("first", END_WORDS)],
        Aggregator::Last => vec![("last", END_WORDS)],
        Aggregator::Quantile { .. } => vec![("bins", COLLECTION_WORDS)],
        Aggregator::Distinct => vec![("distinct", COLLECTION_WORDS)],
        Aggregator::Top { .. } => vec![("top", COLLECTION_WORDS)],
        Aggregator::Travel => vec![("positions", COLLECTION_WORDS)],
        // The rows are counted with the table.
        Aggregator::OpenCount => vec![("open", 1)],
    }
}
