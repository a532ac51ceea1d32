//! What an edited spec would change, before it is made. Reads the log beside the workers and changes nothing.

use std::{path::Path, sync::Arc};

use dataplane::{Topics, deploy, features::Plan};
use pipeline::{Pipeline, SourceKind};

use super::{
    Host,
    generations::{kept_files, named_schemas, words},
};
use crate::failure::Failure;

/// What a spec would change, for people and programs.
pub(crate) async fn preview(host: &Host, folder: &Path, hours: u32) -> Result<(serde_json::Value, String), Failure> {
    let after = pipeline::load(folder)?;
    let hosted = host.one(Some(&after.id))?;
    let deployment = hosted.deployment();
    let before = pipeline::parse(&after.id, &deployment.spec)?;
    let changes = deploy::changes(Some(&deployment), &named_schemas(&before), &named_schemas(&after));
    let mut files = Vec::new();
    for (place, source) in after.sources.iter().enumerate() {
        if let SourceKind::File { path, .. } = &source.kind {
            let file = folder.join(path);
            let text = std::fs::read_to_string(&file).map_err(|error| Failure::reading(&file, &error))?;
            files.push((place, text.into()));
        }
    }
    let kept = kept_files(host, &before).await?;
    let (before, after) = (whole(host, before, kept), whole(host, after, files));
    let at = host.clock().now();
    let movement = workbench::compare(&host.parts.log, &before, &after, at, hours, &workbench::Unseen).await?;
    let said = words(&changes);
    let said = if said.is_empty() { "nothing changes".to_owned() } else { said };
    let object = serde_json::json!({ "changes": said, "movement": movement });
    Ok((object, format!("{}: {said}\n\n{movement}", hosted.id)))
}

/// All groups of a spec, as if they were one generation.
fn whole(host: &Host, pipeline: Pipeline, files: Vec<(usize, Arc<str>)>) -> Plan {
    let topics = Topics::new(&pipeline);
    Plan { pipeline: Arc::new(pipeline), generation: 0, partitions: host.partitions, topics, files }
}
