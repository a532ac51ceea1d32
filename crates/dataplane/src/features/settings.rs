//! How the feature role works, beside what the pipeline says.

use std::time::Duration;

use domain::Span;

/// Bounds and intervals of the feature role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Records that one step takes at most. A step costs about 0.65 ms whatever its size and 0.7 µs a record.
    pub batch_max: usize,
    /// Bytes of records that are fetched before they are taken: sixteen times what a log delivers at once, and bounded when records are
    /// large.
    pub fetch_bytes_max: usize,
    /// Records after which a snapshot of a partition is begun: what is replayed after a crash, about half a second of work.
    pub snapshot_records: u64,
    /// Time after which a snapshot is begun even if fewer records came.
    pub snapshot_every: Duration,
    /// Bytes of a snapshot that one step writes: less than 5 ms of work.
    pub frame_bytes: usize,
    /// Bytes of a stored piece of a snapshot.
    pub part_bytes: usize,
    /// Snapshots of changes that follow a full one: each is read at a restart.
    pub changes_max: usize,
    /// Vectors in one round trip to the online store.
    pub publish_max: usize,
    /// How often a quiet partition looks whether the online store still knows it.
    pub probe_every: Duration,
    /// How long after news the other partitions hear what this one knows of time. Well below any `silent_after`.
    pub sign_every: Span,
    /// The longest that a step waits for records, so that time passes everywhere.
    pub idle: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            batch_max: 16_384,
            fetch_bytes_max: 16 << 20,
            snapshot_records: 500_000,
            snapshot_every: Duration::from_secs(30),
            frame_bytes: 1 << 20,
            part_bytes: 8 << 20,
            changes_max: 8,
            publish_max: 4096,
            probe_every: Duration::from_secs(5),
            sign_every: Span(5_000),
            idle: Duration::from_millis(500),
        }
    }
}
