//! The online store in memory: many readers, short locks, about one allocation for each vector.
//!
//! It is volatile on purpose. A vector is a function of state that the feature role keeps in its own snapshots; a second copy
//! on disk would have to be checked against those before anybody could trust it, which costs as much as writing it anew. So a
//! restart begins empty and without marks, as a Redis does that lost its memory, and the role refills it.
//!
//! Never reads a clock of its own and never starts a thread: what has expired is swept by those who write.

mod names;
mod shard;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use domain::unpack_header;
use hashbrown::DefaultHashBuilder;
use ports::{Clock, OnlineStore, Serving, Share, VectorKey, VectorWrite, Written};

use crate::Error;
use names::Names;
use shard::{Place, Shard};

/// So many that two writers and many readers seldom meet, and that a walk over one of them (`forget`, growing) keeps it for
/// under two milliseconds when there are a million vectors.
const SHARDS: usize = 128;
/// Vectors of whatever group that one `sample` looks at: about 25 ms of a thread at a quarter of a microsecond each, which a person
/// who looks every few seconds may cost a process that has work to do.
const LOOKED_AT_MAX: usize = 100_000;

/// An online store that lives as long as the process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct MemoryOnline {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    hasher: DefaultHashBuilder,
    names: RwLock<Names>,
    shards: [RwLock<Shard>; SHARDS],
    marked: RwLock<BTreeSet<Share>>,
    serving: RwLock<BTreeMap<String, u32>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Shared").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl MemoryOnline {
    /// An empty store. The clock says which vectors have expired.
    pub fn new(clock: Clock) -> Self {
        let shards = std::array::from_fn(|_| RwLock::default());
        let shared = Shared {
            clock,
            hasher: DefaultHashBuilder::default(),
            names: RwLock::default(),
            shards,
            marked: RwLock::default(),
            serving: RwLock::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// How many vectors are kept, those included that have expired and were not swept yet.
    pub fn vectors(&self) -> usize {
        self.shared.shards.iter().map(|shard| read(shard).len()).sum()
    }

    /// Keys and packed vectors of a generation of a group, at most `most` of them and in no order: for a person to look at, never to
    /// compute with. Where there are more, it is the same ones every time as long as nothing grows, and none is likelier to be
    /// among them than another. In a store of very many vectors fewer may be found than there are.
    pub fn sample(&self, entity: &str, serving: &Serving, most: usize) -> Vec<(String, Vec<u8>)> {
        let mut found = Vec::new();
        let Some(name) = read(&self.shared.names).get(entity, &serving.group) else { return found };
        let now = self.shared.clock.now();
        let mut looked_at = 0;
        for shard in &self.shared.shards {
            if found.len() >= most || looked_at >= LOOKED_AT_MAX {
                break;
            }
            let shard = read(shard);
            looked_at += shard.len();
            let of_group = shard.living(name, serving.generation, now).take(most - found.len());
            found.extend(of_group.map(|(key, packed)| (String::from_utf8_lossy(key).into_owned(), packed.to_vec())));
        }
        found
    }

    fn shard(&self, place: &Place<'_>) -> &RwLock<Shard> {
        // The table within takes its buckets from the lower bits and its tags from the uppermost seven.
        &self.shared.shards[(place.hash >> 40) as usize % SHARDS]
    }
}

impl OnlineStore for MemoryOnline {
    async fn write(&self, share: Share, batch: &[VectorWrite<'_>]) -> Result<Written, ports::Error> {
        let mut headers = Vec::with_capacity(batch.len());
        for write in batch {
            let header = unpack_header(write.packed).map_err(|error| {
                let VectorKey { entity, key, group, .. } = write.at;
                Error::Broken(format!("the vector of {entity}:{key} and group {group} is not packed ({error}): this is a bug"))
            })?;
            headers.push(header.0);
        }
        let now = self.shared.clock.now();
        let mut refused = 0;
        for (write, header) in batch.iter().zip(&headers) {
            let name = self.name_or_new(&write.at);
            let place = Place::new(&self.shared.hasher, name, write.at.generation, write.at.key);
            let mut shard = write_lock(self.shard(&place));
            shard.sweep(now);
            refused += usize::from(!shard.write(&self.shared.hasher, &place, header, write, now));
        }
        Ok(Written { refused, marked: read(&self.shared.marked).contains(&share) })
    }

    async fn read(&self, keys: &[VectorKey<'_>]) -> Result<Vec<Option<Vec<u8>>>, ports::Error> {
        let now = self.shared.clock.now();
        let one = |key: &VectorKey<'_>| {
            let name = read(&self.shared.names).get(key.entity, key.group)?;
            let place = Place::new(&self.shared.hasher, name, key.generation, key.key);
            read(self.shard(&place)).read(&place, now).map(<[u8]>::to_vec)
        };
        Ok(keys.iter().map(one).collect())
    }

    async fn mark(&self, share: Share) -> Result<(), ports::Error> {
        write_lock(&self.shared.marked).insert(share);
        Ok(())
    }

    async fn serving(&self) -> Result<Vec<Serving>, ports::Error> {
        let serving = read(&self.shared.serving);
        Ok(serving.iter().map(|(group, generation)| Serving { group: group.clone(), generation: *generation }).collect())
    }

    async fn serve(&self, serving: &[Serving]) -> Result<(), ports::Error> {
        let mut all = write_lock(&self.shared.serving);
        all.extend(serving.iter().map(|serving| (serving.group.clone(), serving.generation)));
        Ok(())
    }

    async fn forget(&self, serving: &Serving) -> Result<(), ports::Error> {
        let names = read(&self.shared.names).of_group(&serving.group);
        for shard in &self.shared.shards {
            write_lock(shard).forget(&names, serving.generation);
            // All of them together take long enough for a quote to miss its deadline.
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

impl MemoryOnline {
    fn name_or_new(&self, key: &VectorKey<'_>) -> u32 {
        // The guard of the first look must be gone before the second one locks.
        let known = read(&self.shared.names).get(key.entity, key.group);
        known.unwrap_or_else(|| write_lock(&self.shared.names).get_or_new(key.entity, key.group))
    }
}

/// A thread that died cannot have left a vector half written: each is put in place after everything that can fail.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write_lock<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
