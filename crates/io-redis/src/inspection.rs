//! What the servers of a store are like, for a person who looks after them. Never changes anything there.

use std::{sync::Arc, time::Duration};

use futures_util::future::try_join_all;
use redis::{Pipeline, Value};
use tokio::time::Instant;

use crate::{
    Error,
    library::Library,
    map::{Map, Place},
    names::Names,
    node::Node,
    reply, rights,
};

/// From this length of values on a hash takes twice the memory; the default of Redis is 64, and vectors are longer.
const LISTPACK_VALUE_MIN: u64 = 512;
/// Within a zone a question and its answer take a fifth of a millisecond.
const ROUND_TRIP_MAX: Duration = Duration::from_millis(5);

/// Above this share of `maxmemory` it is time to do something: what is written then may be the last that fits.
const MEMORY_PERCENT_MAX: u64 = 90;

/// The servers at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// One, or the masters of a cluster.
    pub nodes: Vec<NodeInspection>,
    /// Slots of a cluster that no node has; none of a single server.
    pub slots_unowned: Option<usize>,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInspection {
    /// Such as `Redis at 10.0.0.1:6379`.
    pub at: String,
    /// Its version.
    pub version: String,
    /// Whether functions may be used; scripts are used otherwise.
    pub functions: bool,
    /// Whether the functions of this version of Headway are loaded already.
    pub library_loaded: bool,
    /// What it does when its memory is full.
    pub eviction: String,
    /// Bytes that it may use; 0 is all there are.
    pub memory_bytes_max: u64,
    /// Bytes that it uses.
    pub memory_bytes: u64,
    /// Up to which length values of a hash are kept close together; none when the server does not tell.
    pub hash_max_listpack_value: Option<u64>,
    /// Replicas that are connected.
    pub replicas: u64,
    /// Of a question that asks nothing.
    pub round_trip: Duration,
    /// Commands that this user would need and may not run.
    pub rights_missing: Vec<String>,
    /// Names the history of its data, as it was when something was written last; none when nothing ever was.
    pub epoch: Option<String>,
}

impl Inspection {
    /// What should be changed, and why.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings: Vec<String> = self.nodes.iter().flat_map(NodeInspection::warnings).collect();
        if let Some(unowned) = self.slots_unowned.filter(|unowned| *unowned > 0) {
            warnings.push(format!("{unowned} slots of the cluster belong to no node: repair it with `redis-cli --cluster fix`"));
        }
        warnings
    }
}

impl NodeInspection {
    fn warnings(&self) -> Vec<String> {
        let (mut warnings, at) = (Vec::new(), &self.at);
        if !self.eviction.is_empty() && self.eviction != "noeviction" {
            warnings.push(format!(
                "{at} has maxmemory-policy {}, which drops vectors and nobody notices: set `noeviction`",
                self.eviction
            ));
        }
        if let Some(bytes) = self.hash_max_listpack_value.filter(|bytes| *bytes < LISTPACK_VALUE_MIN) {
            warnings.push(format!(
                "{at} has hash-max-listpack-value {bytes}, shorter than vectors are: set it to {LISTPACK_VALUE_MIN} to halve what an \
                 entity costs beyond its vectors"
            ));
        }
        if self.memory_bytes_max > 0 && self.memory_bytes / MEMORY_PERCENT_MAX >= self.memory_bytes_max / 100 {
            warnings.push(format!(
                "{at} uses {} of {} bytes, and takes no vectors when they are full: raise `maxmemory`, or keep fewer for a shorter time",
                self.memory_bytes, self.memory_bytes_max
            ));
        }
        if !self.functions {
            warnings.push(format!(
                "{at} has no functions for this user: scripts are used, which is as good but loaded again after each restart"
            ));
        }
        if self.round_trip > ROUND_TRIP_MAX {
            warnings.push(format!("{at} takes {:?} for a round trip: run Headway in the zone of its Redis", self.round_trip));
        }
        warnings
    }
}

pub(crate) async fn inspect(map: Arc<Map>, library: &Library, names: &Names) -> Result<Inspection, Error> {
    let nodes = try_join_all(map.places.iter().map(|place| one(place, library, names))).await?;
    Ok(Inspection { nodes, slots_unowned: map.is_cluster().then(|| map.unowned()) })
}

async fn one(place: &Place, library: &Library, names: &Names) -> Result<NodeInspection, Error> {
    let node = &place.node;
    let info = reply::text(node.at(), ask(node, &["INFO"]).await?)?;
    let told = |name: &str| {
        let mut lines = info.lines().filter_map(|line| line.split_once(':'));
        lines.find(|(found, _)| *found == name).map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let number = |name: &str| told(name).parse().unwrap_or(0);
    let (functions, library_loaded) = if node.uses_scripts() { (false, false) } else { functions(node, library).await? };
    let start = Instant::now();
    ask(node, &["TIME"]).await?;
    Ok(NodeInspection {
        at: node.at().to_owned(),
        version: told("redis_version"),
        functions,
        library_loaded,
        eviction: told("maxmemory_policy"),
        memory_bytes_max: number("maxmemory"),
        memory_bytes: number("used_memory"),
        hash_max_listpack_value: listpack_value(node).await?,
        replicas: number("connected_slaves"),
        round_trip: start.elapsed(),
        rights_missing: rights::missing(node, names).await?,
        epoch: epoch(place).await?,
    })
}

/// Under which marks are made; a user that may not read it is told so by its rights.
async fn epoch(place: &Place) -> Result<Option<String>, Error> {
    match ask(&place.node, &["HGET", &place.marks, "epoch"]).await {
        Ok(Value::Nil) | Err(Error::Denied { .. }) => Ok(None),
        Ok(answer) => Ok(Some(reply::text(place.node.at(), answer)?)),
        Err(error) => Err(error),
    }
}

/// Whether there are functions, and ours among them.
async fn functions(node: &Node, library: &Library) -> Result<(bool, bool), Error> {
    match ask(node, &["FUNCTION", "LIST", "LIBRARYNAME", library.name()]).await {
        Ok(Value::Array(found)) => Ok((true, !found.is_empty())),
        Ok(_) => Ok((true, false)),
        Err(error @ (Error::Unreachable { .. } | Error::Slow { .. })) => Err(error),
        Err(_) => Ok((false, false)),
    }
}

/// Servers that are run by others often do not tell their configuration.
async fn listpack_value(node: &Node) -> Result<Option<u64>, Error> {
    match ask(node, &["CONFIG", "GET", "hash-max-listpack-value"]).await {
        Ok(answer) => Ok(reply::pairs(node.at(), answer)?.first().and_then(|(_, value)| value.parse().ok())),
        Err(error @ (Error::Unreachable { .. } | Error::Slow { .. })) => Err(error),
        Err(_) => Ok(None),
    }
}

async fn ask(node: &Node, words: &[&str]) -> Result<Value, Error> {
    let mut pipeline = Pipeline::new();
    pipeline.cmd(words[0]);
    for word in &words[1..] {
        pipeline.arg(*word);
    }
    Ok(node.read(&pipeline).await?.pop().unwrap_or(Value::Nil))
}
