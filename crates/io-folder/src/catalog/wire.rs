//! How deployments and audit entries are written. Never read by anybody but the catalog.

use domain::Timestamp;
use ports::{AuditEntry, Built, Deployed, Deployment};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DeploymentFile {
    pipeline: String,
    revision: u64,
    at_ms: i64,
    groups: Vec<Group>,
    generations: Vec<Generation>,
    audit: Entry,
    spec: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Group {
    group: String,
    generation: u32,
    replaces: Option<u32>,
    definition: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct Generation {
    generation: u32,
    spec: String,
    at_ms: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    at_ms: i64,
    actor: String,
    action: String,
    detail: String,
}

/// One line of the trail.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Line {
    #[serde(flatten)]
    entry: Entry,
    /// Pipeline and revision, if this is the entry of a deployment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) deployed: Option<(String, u64)>,
}

impl DeploymentFile {
    pub(super) fn new(deployment: &Deployment, audit: &AuditEntry) -> Self {
        let group = |group: &Deployed| {
            let Deployed { group, generation, replaces, definition } = group.clone();
            Group { group, generation, replaces, definition }
        };
        let generation = |built: &Built| Generation { generation: built.generation, spec: built.spec.clone(), at_ms: built.at.0 };
        Self {
            pipeline: deployment.pipeline.clone(),
            revision: deployment.revision,
            at_ms: deployment.at.0,
            groups: deployment.groups.iter().map(group).collect(),
            generations: deployment.generations.iter().map(generation).collect(),
            audit: Entry::of(audit),
            spec: deployment.spec.clone(),
        }
    }

    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn line(&self) -> Line {
        Line { entry: self.audit.clone(), deployed: Some((self.pipeline.clone(), self.revision)) }
    }

    pub(super) fn into_deployment(self) -> Deployment {
        let group = |Group { group, generation, replaces, definition }| Deployed { group, generation, replaces, definition };
        let built = |Generation { generation, spec, at_ms }| Built { generation, spec, at: Timestamp(at_ms) };
        Deployment {
            pipeline: self.pipeline,
            revision: self.revision,
            spec: self.spec,
            groups: self.groups.into_iter().map(group).collect(),
            generations: self.generations.into_iter().map(built).collect(),
            at: Timestamp(self.at_ms),
        }
    }
}

impl Entry {
    fn of(entry: &AuditEntry) -> Self {
        let AuditEntry { at, actor, action, detail } = entry.clone();
        Self { at_ms: at.0, actor, action, detail }
    }
}

impl Line {
    pub(super) fn of(entry: &AuditEntry) -> Self {
        Self { entry: Entry::of(entry), deployed: None }
    }

    pub(super) fn into_entry(self) -> AuditEntry {
        let Entry { at_ms, actor, action, detail } = self.entry;
        AuditEntry { at: Timestamp(at_ms), actor, action, detail }
    }
}
