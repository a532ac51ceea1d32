//! How deployments, decisions about models and audit entries are written. Never read by anybody but the catalog.

use domain::Timestamp;
use ports::{AuditEntry, Built, Deployed, Deployment, KnownModel, Models};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

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
    /// The same, if it is the entry of a decision about models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) chosen: Option<(String, u64)>,
}

/// A file that has one revision after the other, each with the entry of whoever asked for it.
pub(super) trait Revised: Serialize + DeserializeOwned {
    /// What the file says that it is.
    const KIND: &'static str;
    /// What to do when it is damaged.
    const ADVICE: &'static str;

    fn pipeline(&self) -> &str;

    fn revision(&self) -> u64;

    fn line(&self) -> Line;
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ModelsFile {
    pipeline: String,
    revision: u64,
    at_ms: i64,
    champion: Option<String>,
    /// A file of a version that knew none has none.
    #[serde(default)]
    challengers: Vec<String>,
    before: Vec<Option<String>>,
    known: Vec<Known>,
    audit: Entry,
}

#[derive(Debug, Serialize, Deserialize)]
struct Known {
    digest: String,
    name: String,
    version: String,
    key: String,
    added_at_ms: i64,
    added_by: String,
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

impl Revised for DeploymentFile {
    const KIND: &'static str = "deployment";
    const ADVICE: &'static str =
        "Bring it back from a copy, or move it away and deploy the pipeline again; the others are not touched by this";

    fn pipeline(&self) -> &str {
        &self.pipeline
    }

    fn revision(&self) -> u64 {
        self.revision
    }

    fn line(&self) -> Line {
        Line { entry: self.audit.clone(), deployed: Some((self.pipeline.clone(), self.revision)), chosen: None }
    }
}

impl ModelsFile {
    pub(super) fn new(models: &Models, audit: &AuditEntry) -> Self {
        let known = |known: &KnownModel| {
            let KnownModel { digest, name, version, key, added_at, added_by } = known.clone();
            Known { digest, name, version, key, added_at_ms: added_at.0, added_by }
        };
        Self {
            pipeline: models.pipeline.clone(),
            revision: models.revision,
            at_ms: models.at.0,
            champion: models.champion.clone(),
            challengers: models.challengers.clone(),
            before: models.before.clone(),
            known: models.known.iter().map(known).collect(),
            audit: Entry::of(audit),
        }
    }

    pub(super) fn into_models(self) -> Models {
        let Self { pipeline, revision, at_ms, champion, challengers, before, known, audit: _ } = self;
        let model = |Known { digest, name, version, key, added_at_ms, added_by }| {
            let added_at = Timestamp(added_at_ms);
            KnownModel { digest, name, version, key, added_at, added_by }
        };
        let (known, at) = (known.into_iter().map(model).collect(), Timestamp(at_ms));
        Models { pipeline, revision, known, champion, challengers, before, at }
    }
}

impl Revised for ModelsFile {
    const KIND: &'static str = "models";
    const ADVICE: &'static str = "Bring it back from a copy, or move it away and say again by `headway models use` which model speaks; \
                                  no model and no other pipeline is lost by this";

    fn pipeline(&self) -> &str {
        &self.pipeline
    }

    fn revision(&self) -> u64 {
        self.revision
    }

    fn line(&self) -> Line {
        Line { entry: self.audit.clone(), deployed: None, chosen: Some((self.pipeline.clone(), self.revision)) }
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
        Self { entry: Entry::of(entry), deployed: None, chosen: None }
    }

    pub(super) fn into_entry(self) -> AuditEntry {
        let Entry { at_ms, actor, action, detail } = self.entry;
        AuditEntry { at: Timestamp(at_ms), actor, action, detail }
    }
}
