//! What an edited spec would change, before it is made. Reads the log beside the workers and changes nothing.

use std::{path::Path, sync::Arc};

use dataplane::{Topics, deploy, features::Plan};
use pipeline::Pipeline;

use super::{
    Host,
    edit::{named_schemas, words},
    files::{kept_files, read_files},
};
use crate::failure::Failure;

/// What a spec would change, for people and programs.
pub(crate) async fn preview(host: &Host, folder: &Path, hours: u32) -> Result<(serde_json::Value, String), Failure> {
    let after = pipeline::load(folder)?;
    let hosted = host.one(Some(&after.id))?;
    let deployment = hosted.deployment();
    let before = pipeline::parse(&after.id, &deployment.spec)?;
    let changes = deploy::changes(Some(&deployment), &named_schemas(&before), &named_schemas(&after));
    let predicts_otherwise = before.case != after.case;
    let (kept, files) = (kept_files(host, &before).await?, read_files(folder, &after)?);
    let (before, after) = (whole(host, before, kept), whole(host, after, files));
    let at = host.clock().now();
    let movement = workbench::compare(&host.parts.log, &before, &after, at, hours, Host::retention(), &workbench::Unseen).await?;
    let said = words(&changes, predicts_otherwise);
    let said = if said.is_empty() { "nothing changes".to_owned() } else { said };
    let generations = deploy::generations(&deployment);
    let running: Vec<_> = generations.iter().map(|generation| (generation.number, &generation.groups)).collect();
    let object = serde_json::json!({ "changes": said, "movement": movement, "generations": running });
    Ok((object, format!("{}: {said}\n{}\n\n{movement}", hosted.id, said_of(&generations))))
}

/// Which generations run: each reads the topics for itself.
fn said_of(generations: &[deploy::Generation]) -> String {
    let one = |generation: &deploy::Generation| {
        let groups: Vec<&str> = generation.groups.iter().map(String::as_str).collect();
        let builds = if generation.builds { ", being built" } else { "" };
        format!("generation {} ({}{builds})", generation.number, groups.join(", "))
    };
    let each: Vec<String> = generations.iter().map(one).collect();
    format!("running now: {}", each.join("; "))
}

/// All groups of a spec, as if they were one generation.
fn whole(host: &Host, pipeline: Pipeline, files: Vec<(usize, Arc<str>)>) -> Plan {
    let topics = Topics::new(&pipeline);
    Plan { pipeline: Arc::new(pipeline), generation: 0, partitions: host.partitions, topics, files, quiet_until: None }
}
