//! Pieces of snapshots into the artifacts, and out of them when nobody will begin with them. Decides neither what is in a piece nor
//! when it may go.

use ports::Artifacts;
use tracing::{Instrument, warn};

use super::{
    Plan,
    snapshots::{Part, Snapshots},
    spans,
};

/// Whether a piece is stored. One that is not costs time after the next crash, and nothing else.
pub(super) async fn store<A: Artifacts>(artifacts: &A, plan: &Plan, partition: u32, part: Part) -> bool {
    let span = spans::snapshot(plan, partition, part.bytes.len());
    let stored = artifacts.put(&part.name, part.bytes).instrument(span).await;
    if let Err(error) = &stored {
        warn!(pipeline = %plan.pipeline.id, partition, %error, "a snapshot cannot be stored");
    }
    stored.is_ok()
}

/// Old pieces take room and nothing else: what cannot be removed now is removed with the next ones.
pub(super) async fn remove_below<A: Artifacts>(artifacts: &A, plan: &Plan, partition: u32, number: u64) {
    let prefix = Snapshots::prefix(plan, partition);
    let names = artifacts.list(&format!("{prefix}/")).await.unwrap_or_default();
    for name in names.iter().filter(|name| Snapshots::number(&prefix, name).is_some_and(|found| found < number)) {
        let _ = artifacts.remove(name).await;
    }
}
