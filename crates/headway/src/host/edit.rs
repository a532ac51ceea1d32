//! A spec on its way into force: read, compared with the one before, refused when it can never work, deployed.
//!
//! Until [`Edit::put_in_force`] nothing has changed anywhere.

use std::{path::Path, sync::Arc};

use dataplane::{
    deploy::{self, Change, Fate},
    past::{self, Impossible},
};
use domain::{Schema, Span};
use pipeline::Pipeline;
use ports::{AuditEntry, Catalog, Deployment};

use super::{
    Host, Hosted,
    files::{keep_files, read_files},
};
use crate::failure::Failure;

/// A spec that may be put in force.
pub(super) struct Edit {
    pipeline: Pipeline,
    spec: String,
    files: Vec<(usize, Arc<str>)>,
    current: Option<Deployment>,
    changes: Vec<Change>,
    /// Whether what is predicted is declared anew.
    predicts_otherwise: bool,
}

impl Edit {
    /// Reads the pipeline of a folder.
    pub(super) async fn read(host: &Host, folder: &Path) -> Result<Self, Failure> {
        let pipeline = pipeline::load(folder)?;
        let spec_file = folder.join("pipeline.toml");
        let spec = std::fs::read_to_string(&spec_file).map_err(|error| Failure::reading(&spec_file, &error))?;
        let files = read_files(folder, &pipeline)?;
        let current = host.catalog.deployment(&pipeline.id).await?;
        let before = current.as_ref().map(|current| pipeline::parse(&pipeline.id, &current.spec)).transpose()?;
        let schemas = before.as_ref().map_or(Vec::new(), named_schemas);
        let changes = deploy::changes(current.as_ref(), &schemas, &named_schemas(&pipeline));
        let predicts_otherwise = before.is_some_and(|before| before.case != pipeline.case);
        let builds = |name: &str| {
            let built = |change: &Change| matches!(change.fate, Fate::Added | Fate::Rebuilt) && change.group == name;
            changes.iter().any(built)
        };
        let impossible = past::impossible(&pipeline, builds, Host::retention());
        if !impossible.is_empty() {
            return Err(Failure::configuration(refusal(&spec_file, &impossible, Host::retention())));
        }
        Ok(Self { pipeline, spec, files, current, changes, predicts_otherwise })
    }

    /// What the spec says.
    pub(super) fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// Deploys the spec if it is new or has changed.
    pub(super) async fn put_in_force(self, host: &Host) -> Result<Arc<Hosted>, Failure> {
        let Self { pipeline, spec, files, current, changes, predicts_otherwise } = self;
        keep_files(host, &pipeline, &files).await?;
        let at = host.clock().now();
        let next =
            deploy::next(current.as_ref(), &pipeline.id, &spec, &named_schemas(&pipeline), &changes, predicts_otherwise, at);
        let deployment = match (next, current) {
            (None, Some(current)) => return Hosted::resumed(host, pipeline, current),
            (Some(next), current) => {
                let action = format!("deploy {}", pipeline.id);
                let detail = words(&changes, predicts_otherwise);
                host.catalog.deploy(&next, &AuditEntry { at, actor: "run".into(), action, detail: detail.clone() }).await?;
                let how = if current.is_some() {
                    format!("revision {}: {detail}", next.revision)
                } else {
                    format!("fresh, {} groups", next.groups.len())
                };
                host.announce(format!("{}: {how}.", pipeline.id));
                next
            }
            (None, None) => return Err(Failure::failed(format!("{} has no groups: there is nothing to run.", pipeline.id))),
        };
        Hosted::new(host, pipeline, deployment)
    }
}

fn refusal(spec: &Path, impossible: &[Impossible], retention: Span) -> String {
    let group = |Impossible { group, back, words }: &Impossible| {
        format!(
            "{}: group {group} can never be built from the log: {words} = {back}, and topics keep records for {retention}",
            spec.display()
        )
    };
    let groups: Vec<String> = impossible.iter().map(group).collect();
    format!("{}. Declare narrower windows; nothing was changed or started.", groups.join("\n"))
}

/// Groups with what readers need to know of them.
pub(crate) fn named_schemas(pipeline: &Pipeline) -> Vec<(String, Schema)> {
    pipeline.groups.iter().map(|group| group.name.clone()).zip(features::schemas(pipeline)).collect()
}

/// Changes in a few words; none when nothing changes.
pub(super) fn words(changes: &[Change], predicts_otherwise: bool) -> String {
    let of = |fate: Fate, word: &str| {
        let names: Vec<&str> = changes.iter().filter(|change| change.fate == fate).map(|change| &*change.group).collect();
        (!names.is_empty()).then(|| format!("{word} {}", names.join(", ")))
    };
    let parts = [of(Fate::Added, "adds"), of(Fate::Rebuilt, "rebuilds"), of(Fate::Removed, "removes")];
    let case = predicts_otherwise.then(|| "declares its case anew".to_owned());
    parts.into_iter().flatten().chain(case).collect::<Vec<String>>().join("; ")
}
