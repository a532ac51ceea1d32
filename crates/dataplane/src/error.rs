//! What ends a role.

/// Why a role stopped before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A port that cannot go on without a change from outside.
    #[error(transparent)]
    Port(#[from] ports::Error),
    /// The engine refused its own state.
    #[error(
        "partition {partition} cannot go on from its state: {source}. Remove its snapshots to have it made again from the log."
    )]
    State {
        /// Whose state.
        partition: u32,
        /// Why.
        source: features::Error,
    },
    /// A note that another version wrote, or nobody.
    #[error(
        "the note of partition {partition} cannot be read ({fault}): it was written by another version of Headway, or damaged"
    )]
    Note {
        /// Whose note.
        partition: u32,
        /// Where it stops making sense.
        fault: &'static str,
    },
}
