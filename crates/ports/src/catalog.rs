//! The catalog: what was decided, by whom and when. Small, durable, and changed under optimistic locking.

use std::future::Future;

use domain::Timestamp;

use crate::{Error, Models};

/// Which definition of a pipeline is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The pipeline's id.
    pub pipeline: String,
    /// Counts the changes of this pipeline, from 1.
    pub revision: u64,
    /// The spec as it was read, so that it can be compared and explained later.
    pub spec: String,
    /// Its groups.
    pub groups: Vec<Deployed>,
    /// The specs with which generations were built that are still needed, this one's included.
    pub generations: Vec<Built>,
    /// When it came into force.
    pub at: Timestamp,
}

/// A group of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// Name of the group.
    pub group: String,
    /// The generation that vectors carry.
    pub generation: u32,
    /// While it is being built: the generation that is read until then, 0 for none.
    pub replaces: Option<u32>,
    /// Changes whenever values could: the id of the vectors' schema.
    pub definition: u32,
}

/// A generation of groups that were built together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Its number.
    pub generation: u32,
    /// The spec that it was built with.
    pub spec: String,
    /// When it was asked for.
    pub at: Timestamp,
}

/// Something that somebody did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who: a role or a person.
    pub actor: String,
    /// What: a verb and its object, such as `deploy delivery-eta`.
    pub action: String,
    /// Whatever explains it.
    pub detail: String,
}

/// A catalog.
pub trait Catalog: Clone + Send + Sync + 'static {
    /// The ids of all pipelines that were ever deployed, in order.
    fn pipelines(&self) -> impl Future<Output = Result<Vec<String>, Error>> + Send;

    /// The deployment in force.
    fn deployment(&self, pipeline: &str) -> impl Future<Output = Result<Option<Deployment>, Error>> + Send;

    /// Puts a deployment in force and writes the audit entry with it. `Fenced` unless its revision is one more than that of the
    /// one in force.
    fn deploy(&self, deployment: &Deployment, audit: &AuditEntry) -> impl Future<Output = Result<(), Error>> + Send;

    /// The models of a pipeline; none when nobody ever decided anything about them.
    fn models(&self, pipeline: &str) -> impl Future<Output = Result<Option<Models>, Error>> + Send;

    /// Puts a decision about models in force and writes the audit entry with it. `Fenced` unless its revision is one more than
    /// that of the one in force. Whether the pipeline is deployed does not matter.
    fn choose(&self, models: &Models, audit: &AuditEntry) -> impl Future<Output = Result<(), Error>> + Send;

    /// Appends to the audit trail.
    fn record(&self, entry: &AuditEntry) -> impl Future<Output = Result<(), Error>> + Send;

    /// The latest entries of the audit trail, newest first.
    fn audit(&self, entries_max: usize) -> impl Future<Output = Result<Vec<AuditEntry>, Error>> + Send;
}
