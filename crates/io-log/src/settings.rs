//! What an operator may choose about an embedded log. Data only.

use std::{path::PathBuf, time::Duration};

/// When what was acknowledged is forced to the disk. A killed process loses nothing either way: what it wrote is with the
/// operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// Before it is acknowledged: a power cut loses nothing, and every commit waits for the disk.
    Always,
    /// In the background, this often: a power cut loses at most this much, and always a whole tail: never a position without
    /// the outputs that were committed with it.
    Every(Duration),
}

/// Where a log lies and how much it may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The folder; made when it is not there.
    pub path: PathBuf,
    /// When data is forced to the disk.
    pub sync: Sync,
    /// Keys, values and headers of one append or of one commit's outputs hold at most this many bytes.
    pub append_bytes_max: usize,
    /// What may wait for the writer; whoever brings more waits for room.
    pub queue_bytes_max: usize,
    /// A segment is closed when it has grown to this size. Disk space comes back by whole segments.
    pub segment_bytes: u64,
    /// How much of the newest records is kept in memory, so that readers who keep up never touch the disk.
    pub tail_bytes_max: usize,
    /// How often retention looks for what may go.
    pub retention_every: Duration,
}

impl Settings {
    /// A forced write took 4 ms at the median and 8 ms at the worst percentile where this was measured, so 50 ms keep a disk
    /// less than a tenth busy; and 50 ms is how long a micro-batch waits anyway.
    const SYNC_EVERY: Duration = Duration::from_millis(50);
    /// Some twenty micro-batches of 10,000 records; what is larger than this is no stream.
    const APPEND_BYTES_MAX: usize = 32 << 20;
    /// Two of the largest appends: one is written while the next waits.
    const QUEUE_BYTES_MAX: usize = 64 << 20;
    /// Read again in a quarter of a second after a crash on a disk of 250 MB/s; a second of the highest load.
    const SEGMENT_BYTES: u64 = 64 << 20;
    /// Half a second of the highest load, for readers that are that far behind at most.
    const TAIL_BYTES_MAX: usize = 32 << 20;
    /// Retention is told in hours and days; a minute more does not matter.
    const RETENTION_EVERY: Duration = Duration::from_secs(60);

    /// The defaults, for a log in this folder.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            sync: Sync::Every(Self::SYNC_EVERY),
            append_bytes_max: Self::APPEND_BYTES_MAX,
            queue_bytes_max: Self::QUEUE_BYTES_MAX,
            segment_bytes: Self::SEGMENT_BYTES,
            tail_bytes_max: Self::TAIL_BYTES_MAX,
            retention_every: Self::RETENTION_EVERY,
        }
    }
}
