//! Artifacts in a map. Durable: every clone sees the same, and a crash is a clone.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use ports::{Artifacts, Error, ErrorKind, artifact_name_fault};

use super::Hook;

/// A place for artifacts that lives as long as one of its clones.
#[derive(Clone, Debug, Default)]
pub struct MemoryArtifacts {
    hook: Hook,
    artifacts: Arc<Mutex<BTreeMap<String, Bytes>>>,
}

impl MemoryArtifacts {
    /// Empty; faults as the hook decides.
    pub fn new(hook: Hook) -> Self {
        Self { hook, artifacts: Arc::default() }
    }

    async fn run<T>(
        &self,
        operation: &'static str,
        happen: impl FnOnce(&mut BTreeMap<String, Bytes>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.hook.run(operation, |_| happen(&mut self.artifacts.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

impl Artifacts for MemoryArtifacts {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Error> {
        check(name)?;
        self.run("artifacts.put", |artifacts| {
            artifacts.insert(name.to_owned(), bytes);
            Ok(())
        })
        .await
    }

    async fn get(&self, name: &str) -> Result<Option<Bytes>, Error> {
        check(name)?;
        self.run("artifacts.get", |artifacts| Ok(artifacts.get(name).cloned())).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        self.run("artifacts.list", |artifacts| Ok(artifacts.keys().filter(|name| name.starts_with(prefix)).cloned().collect()))
            .await
    }

    async fn remove(&self, name: &str) -> Result<(), Error> {
        check(name)?;
        self.run("artifacts.remove", |artifacts| {
            artifacts.remove(name);
            Ok(())
        })
        .await
    }
}

fn check(name: &str) -> Result<(), Error> {
    artifact_name_fault(name).map_or(Ok(()), |why| {
        Err(Error::new(ErrorKind::Invalid, format!("`{}` is no name for an artifact: {why}", name.escape_debug())))
    })
}
