//! An online store in a map. Volatile: it can be emptied at any moment, marks and all. Without a clock: nothing expires.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

use domain::unpack_header;
use ports::{Error, ErrorKind, OnlineStore, Serving, Share, VectorKey, VectorWrite, Written, supersedes};

use super::Hook;

/// An online store that lives as long as one of its clones, or until it is emptied.
#[derive(Clone, Debug, Default)]
pub struct MemoryOnlineStore {
    hook: Hook,
    state: Arc<Mutex<State>>,
}

/// Entity type, key, group and generation.
type Key = (String, String, String, u32);

#[derive(Debug, Default)]
struct State {
    vectors: BTreeMap<Key, Vec<u8>>,
    marked: BTreeSet<Share>,
    serving: BTreeMap<String, u32>,
}

impl MemoryOnlineStore {
    /// Empty; faults as the hook decides.
    pub fn new(hook: Hook) -> Self {
        Self { hook, state: Arc::default() }
    }

    /// Forgets everything, as a server does that lost its memory.
    pub fn empty(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    async fn run<T>(&self, operation: &'static str, happen: impl FnOnce(&mut State) -> Result<T, Error>) -> Result<T, Error> {
        self.hook
            .run(operation, |emptied| {
                if emptied {
                    self.empty();
                }
                happen(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
            })
            .await
    }
}

impl OnlineStore for MemoryOnlineStore {
    async fn write(&self, share: Share, batch: &[VectorWrite<'_>]) -> Result<Written, Error> {
        self.run("online.write", |state| {
            let mut headers = Vec::new();
            for write in batch {
                let header = unpack_header(write.packed);
                headers.push(header.map_err(|error| Error::new(ErrorKind::Bug, format!("{:?}: {error}", write.at)))?.0);
            }
            let mut refused = 0;
            for (write, header) in batch.iter().zip(&headers) {
                let there = state.vectors.get(&key(&write.at)).and_then(|there| unpack_header(there).ok());
                if there.is_none_or(|(old, _)| supersedes(header, &old)) {
                    state.vectors.insert(key(&write.at), write.packed.to_vec());
                } else {
                    refused += 1;
                }
            }
            Ok(Written { refused, marked: state.marked.contains(&share) })
        })
        .await
    }

    async fn read(&self, keys: &[VectorKey<'_>]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        self.run("online.read", |state| Ok(keys.iter().map(|at| state.vectors.get(&key(at)).cloned()).collect())).await
    }

    async fn mark(&self, share: Share) -> Result<(), Error> {
        self.run("online.mark", |state| {
            state.marked.insert(share);
            Ok(())
        })
        .await
    }

    async fn serving(&self) -> Result<Vec<Serving>, Error> {
        self.run("online.serving", |state| {
            let all = state.serving.iter();
            Ok(all.map(|(group, generation)| Serving { group: group.clone(), generation: *generation }).collect())
        })
        .await
    }

    async fn serve(&self, serving: &[Serving]) -> Result<(), Error> {
        self.run("online.serve", |state| {
            state.serving.extend(serving.iter().map(|serving| (serving.group.clone(), serving.generation)));
            Ok(())
        })
        .await
    }

    async fn forget(&self, serving: &Serving) -> Result<(), Error> {
        self.run("online.forget", |state| {
            state.vectors.retain(|key, _| key.2 != serving.group || key.3 != serving.generation);
            Ok(())
        })
        .await
    }
}

fn key(at: &VectorKey<'_>) -> Key {
    (at.entity.to_owned(), at.key.to_owned(), at.group.to_owned(), at.generation)
}
