//! A catalog in a map and a list. Durable: every clone sees the same, and a crash is a clone.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use ports::{AuditEntry, Catalog, Deployment, Error, ErrorKind, Models};

use super::Hook;

/// A catalog that lives as long as one of its clones.
#[derive(Clone, Debug, Default)]
pub struct MemoryCatalog {
    hook: Hook,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    in_force: BTreeMap<String, Deployment>,
    models: BTreeMap<String, Models>,
    trail: Vec<AuditEntry>,
}

impl MemoryCatalog {
    /// Empty; faults as the hook decides.
    pub fn new(hook: Hook) -> Self {
        Self { hook, state: Arc::default() }
    }

    async fn run<T>(&self, operation: &'static str, happen: impl FnOnce(&mut State) -> Result<T, Error>) -> Result<T, Error> {
        self.hook.run(operation, |_| happen(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))).await
    }
}

impl Catalog for MemoryCatalog {
    async fn pipelines(&self) -> Result<Vec<String>, Error> {
        self.run("catalog.pipelines", |state| Ok(state.in_force.keys().cloned().collect())).await
    }

    async fn deployment(&self, pipeline: &str) -> Result<Option<Deployment>, Error> {
        self.run("catalog.deployment", |state| Ok(state.in_force.get(pipeline).cloned())).await
    }

    async fn deploy(&self, deployment: &Deployment, audit: &AuditEntry) -> Result<(), Error> {
        self.run("catalog.deploy", |state| {
            let in_force = state.in_force.get(&deployment.pipeline).map_or(0, |deployment| deployment.revision);
            follows(deployment.revision, in_force)?;
            state.in_force.insert(deployment.pipeline.clone(), deployment.clone());
            state.trail.push(audit.clone());
            Ok(())
        })
        .await
    }

    async fn models(&self, pipeline: &str) -> Result<Option<Models>, Error> {
        self.run("catalog.models", |state| Ok(state.models.get(pipeline).cloned())).await
    }

    async fn choose(&self, models: &Models, audit: &AuditEntry) -> Result<(), Error> {
        self.run("catalog.choose", |state| {
            follows(models.revision, state.models.get(&models.pipeline).map_or(0, |models| models.revision))?;
            state.models.insert(models.pipeline.clone(), models.clone());
            state.trail.push(audit.clone());
            Ok(())
        })
        .await
    }

    async fn record(&self, entry: &AuditEntry) -> Result<(), Error> {
        self.run("catalog.record", |state| {
            state.trail.push(entry.clone());
            Ok(())
        })
        .await
    }

    async fn audit(&self, entries_max: usize) -> Result<Vec<AuditEntry>, Error> {
        self.run("catalog.audit", |state| Ok(state.trail.iter().rev().take(entries_max).cloned().collect())).await
    }
}

fn follows(revision: u64, in_force: u64) -> Result<(), Error> {
    if in_force.checked_add(1) == Some(revision) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Fenced, format!("revision {in_force} is in force: read it again and decide anew")))
}
