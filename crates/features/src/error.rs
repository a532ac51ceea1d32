//! What can go wrong when an engine is built or fed by its operator. Faults of events are not errors, see `Reason`.

/// Why an engine could not be built, fed or restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bits of a row's conditions do not fit a word.
    #[error("group {group} has {conditions} different conditions where 64 are possible: split it into two groups")]
    TooManyConditions {
        /// The group.
        group: String,
        /// How many it has.
        conditions: usize,
    },
    /// The pipeline was not made by the resolver.
    #[error("feature {group}.{feature} takes a value and has none: load the pipeline with `pipeline::load`")]
    Unresolved {
        /// The group.
        group: String,
        /// The feature.
        feature: String,
    },
    /// Bytes of a snapshot or block are damaged.
    #[error(transparent)]
    Broken(#[from] crate::Broken),
    /// A snapshot or block was made under another definition of a group.
    #[error("group {group} was written with schema {found:08x} and is now {expected:08x}: rebuild it from the log")]
    OtherSchema {
        /// The group.
        group: String,
        /// The present schema.
        expected: u32,
        /// The one in the bytes.
        found: u32,
    },
    /// A snapshot is of another shard or of another number of shards.
    #[error("the snapshot is of shard {found_shard} of {found_shards}, this is shard {shard} of {shards}")]
    OtherShard {
        /// This shard.
        shard: u32,
        /// Their number.
        shards: u32,
        /// The snapshot's shard.
        found_shard: u32,
        /// The snapshot's number of shards.
        found_shards: u32,
    },
    /// The configuration names a shard that there is not.
    #[error("shard {shard} of {shards} does not exist: shards are counted from 0")]
    NoSuchShard {
        /// The shard.
        shard: u32,
        /// Their number.
        shards: u32,
    },
    /// Snapshots that do not follow each other.
    #[error("snapshot {number} follows {parent}, and {found} stands before it: begin with a full one and leave none out")]
    BrokenChain {
        /// The snapshot's number.
        number: u64,
        /// The one it follows, 0 for none.
        parent: u64,
        /// The one that was restored before it, 0 for none.
        found: u64,
    },
    /// A snapshot does not have its last frame.
    #[error("the snapshot ends early: use the one before it")]
    Incomplete,
}
