//! The vectors of an entity as readers get them, with names, ages and what to think of them.

use domain::{FeatureVector, Header, NEVER, Schema, Span, Timestamp, Value, is_outdated, unpack, unpack_header};
use pipeline::Pipeline;
use ports::{OnlineStore, VectorKey};
use serde::{Deserialize, Serialize};

use super::{Host, Hosted};
use crate::failure::Failure;

/// Keys that are named to somebody who asks for another one.
const EXAMPLES: usize = 5;

/// Everything that is known of an entity.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Reading {
    pub(crate) pipeline: String,
    pub(crate) entity: String,
    pub(crate) key: String,
    /// The clock of the host.
    pub(crate) now: String,
    pub(crate) groups: Vec<GroupReading>,
}

/// One vector.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct GroupReading {
    pub(crate) group: String,
    pub(crate) generation: u32,
    pub(crate) as_of: String,
    pub(crate) age_seconds: f64,
    /// None when nothing will change by itself.
    pub(crate) valid_until: Option<String>,
    /// Whether it should have been written anew by now.
    pub(crate) outdated: bool,
    pub(crate) source_seen_at: Option<String>,
    pub(crate) source_silent: bool,
    pub(crate) features: Vec<(String, serde_json::Value)>,
}

impl Host {
    /// Reads an entity of the pipeline of this id, or of the only one.
    pub(crate) async fn read(&self, pipeline: Option<&str>, entity: &str, key: &str) -> Result<Reading, Failure> {
        let hosted = self.one(pipeline)?;
        let now = self.clock().now();
        let mut groups = Vec::new();
        for serving in hosted.online.serving().await? {
            let plans = hosted.plans();
            let Some(plan) = plans.iter().find(|plan| plan.generation == serving.generation) else { continue };
            let named = |group: &pipeline::Group| group.name == serving.group && group.entity == entity;
            let Some(place) = plan.pipeline.groups.iter().position(named) else { continue };
            let at = VectorKey { entity, key, group: &serving.group, generation: serving.generation };
            let Some(packed) = hosted.online.read(&[at]).await?.pop().flatten() else { continue };
            groups.push(group_reading(&plan.pipeline, place, &packed, now)?);
        }
        let order = |name: &str| self.order_of(&hosted, name);
        groups.sort_by_key(|group| order(&group.group));
        let (entity, key) = (entity.to_owned(), key.to_owned());
        if groups.is_empty() {
            return Err(Failure::failed(self.unknown(&hosted, &entity, &key).await?));
        }
        Ok(Reading { pipeline: hosted.id.clone(), entity, key, now: now.to_string(), groups })
    }

    /// What to say to somebody who asks for an entity that there is not, with some that there are.
    async fn unknown(&self, hosted: &Hosted, entity: &str, key: &str) -> Result<String, Failure> {
        let all = entities(hosted);
        if all.iter().all(|known| known != entity) {
            return Ok(format!("{} has no groups of entity {entity}; there are: {}.", hosted.id, all.join(", ")));
        }
        let mut keys = Vec::new();
        for serving in hosted.online.serving().await? {
            let sample = hosted.online.sample(entity, &serving, EXAMPLES).await?;
            keys.extend(sample.into_iter().map(|(key, _)| format!("{entity}:{key}")));
        }
        keys.sort();
        keys.dedup();
        keys.truncate(EXAMPLES);
        let known = if keys.is_empty() {
            "nothing is known of any yet".to_owned()
        } else {
            format!("known are, for example, {}", keys.join(", "))
        };
        Ok(format!("nothing is known of {entity}:{key}; {known}."))
    }

    fn order_of(&self, hosted: &Hosted, name: &str) -> usize {
        hosted.deployment().groups.iter().position(|deployed| deployed.group == name).unwrap_or(usize::MAX)
    }

    /// The pipeline of this id, or the only one.
    pub(crate) fn one(&self, pipeline: Option<&str>) -> Result<std::sync::Arc<Hosted>, Failure> {
        let hosted = self.hosted();
        let ids: Vec<String> = hosted.iter().map(|hosted| hosted.id.clone()).collect();
        let found = match pipeline {
            Some(id) => hosted.into_iter().find(|hosted| hosted.id == id),
            None if hosted.len() == 1 => hosted.into_iter().next(),
            None => {
                return Err(Failure::failed(format!(
                    "several pipelines run here: say which with --pipeline: {}",
                    ids.join(", ")
                )));
            }
        };
        found.ok_or_else(|| {
            Failure::failed(format!("pipeline {} does not run here; there are: {}", pipeline.unwrap_or_default(), ids.join(", ")))
        })
    }
}

fn entities(hosted: &Hosted) -> Vec<String> {
    let plans = hosted.plans();
    let mut entities: Vec<String> =
        plans.iter().flat_map(|plan| plan.pipeline.groups.iter().map(|group| group.entity.clone())).collect();
    entities.sort();
    entities.dedup();
    entities
}

fn group_reading(pipeline: &Pipeline, place: usize, packed: &[u8], now: Timestamp) -> Result<GroupReading, Failure> {
    let group = &pipeline.groups[place];
    let schema: &Schema = &features::schemas(pipeline)[place];
    let broken = |error: domain::PackedError| Failure::failed(format!("the vector of {} cannot be read: {error}", group.name));
    let (header, _): (Header, usize) = unpack_header(packed).map_err(broken)?;
    let vector: FeatureVector = unpack(packed, schema).map_err(broken)?;
    let features = schema.columns.iter().zip(&vector.values).map(|((name, _), value)| (name.clone(), json(value.as_ref())));
    Ok(GroupReading {
        group: group.name.clone(),
        generation: header.generation,
        as_of: header.as_of.to_string(),
        age_seconds: Span(now.0.saturating_sub(header.as_of.0)).0 as f64 / 1000.0,
        valid_until: (header.valid_until != NEVER).then(|| header.valid_until.to_string()),
        outdated: is_outdated(header.valid_until, group.tolerance, now) && !header.source_silent,
        source_seen_at: header.source_seen_at.map(|at| at.to_string()),
        source_silent: header.source_silent,
        features: features.collect(),
    })
}

fn json(value: Option<&Value>) -> serde_json::Value {
    match value {
        None => serde_json::Value::Null,
        Some(Value::Integer(value)) => (*value).into(),
        Some(Value::Float(value)) => (*value).into(),
    }
}
