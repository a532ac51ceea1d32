//! Redis: whether it answers, whether its user may do what is needed, and whether it keeps what it is given.

use io_redis::{Inspection, NodeInspection, RedisOnline};
use ports::Deployment;

use super::{Finding, Level, servers::split};
use crate::{settings::Servers, table::bytes};

pub(super) const SUBJECT: &str = "redis";
/// Rights are looked at by the names of keys, which begin with a pipeline's id.
const NO_PIPELINE: &str = "headway";

pub(super) async fn findings(servers: &Servers, deployments: &[Deployment]) -> Vec<Finding> {
    let mut ids: Vec<&str> = deployments.iter().map(|deployment| deployment.pipeline.as_str()).collect();
    if ids.is_empty() {
        ids.push(NO_PIPELINE);
    }
    let mut findings = Vec::new();
    for id in ids {
        match inspect(servers, id).await {
            Ok(None) => return Vec::new(),
            Ok(Some(seen)) => findings.extend(of(id, &seen)),
            Err(error) => findings.push(failed(&error)),
        }
    }
    // What is true of a server is found for each of its pipelines.
    findings.dedup();
    findings
}

async fn inspect(servers: &Servers, pipeline: &str) -> Result<Option<Inspection>, ports::Error> {
    match servers.redis(pipeline)? {
        Some(settings) => Ok(Some(RedisOnline::new(&settings)?.inspect().await?)),
        None => Ok(None),
    }
}

/// What to do stands behind the last semicolon or colon.
fn failed(error: &ports::Error) -> Finding {
    split(SUBJECT, Level::Fault, &error.to_string().replace(". It is tried again; ", ": "))
}

fn of(pipeline: &str, seen: &Inspection) -> Vec<Finding> {
    let mut findings: Vec<Finding> = seen.nodes.iter().flat_map(|node| of_node(pipeline, node)).collect();
    findings.extend(seen.warnings().iter().map(|warning| split(SUBJECT, Level::Warning, warning)));
    findings
}

fn of_node(pipeline: &str, node: &NodeInspection) -> Vec<Finding> {
    let NodeInspection { at, version, memory_bytes, memory_bytes_max, replicas, .. } = node;
    let most = if *memory_bytes_max == 0 { "all the memory there is".to_owned() } else { bytes(*memory_bytes_max) };
    let mut lines = vec![
        format!("memory: {} of {most}, maxmemory-policy {}", bytes(*memory_bytes), told(&node.eviction)),
        format!(
            "hash-max-listpack-value {}",
            node.hash_max_listpack_value.map_or("is not told".to_owned(), |most| most.to_string())
        ),
        match (node.functions, node.library_loaded) {
            (true, true) => "functions: loaded".to_owned(),
            (true, false) => "functions: this version's are loaded when they are needed".to_owned(),
            (false, _) => "functions: none, scripts are used".to_owned(),
        },
    ];
    lines.push(match &node.epoch {
        Some(epoch) => format!("{pipeline}: written to since it had the epoch {epoch}"),
        None => format!("{pipeline}: never written to"),
    });
    let says = format!("{at} answers: version {version}, {replicas} replicas");
    let mut findings = vec![Finding { lines, ..Finding::ok(SUBJECT, says) }];
    if !node.rights_missing.is_empty() {
        let rights = node.rights_missing.join(", ");
        findings.push(
            Finding::fault(SUBJECT, format!("{at} does not let this user run {rights} on keys that begin with {pipeline}:"))
                .with("Give it the rights that docs/reference/packed-vector.md lists."),
        );
    }
    findings
}

fn told(text: &str) -> &str {
    if text.is_empty() { "is not told" } else { text }
}
