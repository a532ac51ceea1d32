//! Vectors into the online store: bounded round trips, tried again until they succeed.
//!
//! While the store is away the partition waits, and its records wait in the log. Readers see how old their vectors are.

use domain::unpack_header;
use features::Vectors;
use ports::{Error, ErrorKind, OnlineStore, Share, VectorKey, VectorWrite, Written};

use super::Plan;
use crate::Backoff;

/// Writes all vectors, and says whether the store knows the partition.
pub(super) async fn publish<O: OnlineStore>(
    online: &O,
    plan: &Plan,
    partition: u32,
    vectors: &Vectors,
    vectors_max: usize,
) -> Result<Written, Error> {
    let writes: Vec<VectorWrite<'_>> = vectors.iter().map(|vector| write(plan, &vector)).collect();
    let share = plan.share(partition);
    let mut written = Written { refused: 0, marked: true };
    // An empty batch asks whether the store still knows the partition.
    let chunks = writes.chunks(vectors_max.max(1)).chain(writes.is_empty().then_some(&[][..]));
    for chunk in chunks {
        let one = insist(online, share, chunk).await?;
        written.refused += one.refused;
        written.marked &= one.marked;
    }
    Ok(written)
}

async fn insist<O: OnlineStore>(online: &O, share: Share, chunk: &[VectorWrite<'_>]) -> Result<Written, Error> {
    let mut backoff = Backoff::default();
    loop {
        match online.write(share, chunk).await {
            Err(error) if error.kind() == ErrorKind::Transient => backoff.wait().await,
            other => return other,
        }
    }
}

fn write<'a>(plan: &'a Plan, vector: &features::VectorRef<'a>) -> VectorWrite<'a> {
    let group = &plan.pipeline.groups[vector.group];
    let at = VectorKey { entity: &group.entity, key: vector.key, group: &group.name, generation: plan.generation };
    let (header, _) =
        unpack_header(vector.packed).unwrap_or_else(|error| panic!("the engine packed a vector that is none: {error}"));
    VectorWrite { at, packed: vector.packed, expires_at: header.as_of.plus(group.keep) }
}
