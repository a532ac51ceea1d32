//! The script of a sample: pools of things that exist, and lives that make events of them. Written by hand in TOML.

use std::{collections::BTreeMap, fs, path::Path};

use pipeline::{Pipeline, SourceKind};
use serde::Deserialize;

use crate::Error;

/// One day's rules.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    /// The middle of everything.
    pub(super) middle: Middle,
    /// By name.
    #[serde(default)]
    pub(super) pool: BTreeMap<String, Pool>,
    /// By name.
    pub(super) life: BTreeMap<String, Life>,
}

/// Where things are.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Middle {
    pub(super) lat: f64,
    pub(super) lon: f64,
    /// How far from the middle things are, in metres.
    pub(super) within: f64,
}

/// Things of one kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pool {
    pub(super) size: usize,
    /// With `{}` for the number of the thing.
    pub(super) name: String,
    /// The number of the first.
    #[serde(default)]
    pub(super) first: usize,
    /// How much the things differ in their pace: 0.3 makes a slow one take twice the time of a fast one.
    #[serde(default)]
    pub(super) pace: f64,
    /// Whether one of them does one thing at a time.
    #[serde(default)]
    pub(super) busy: bool,
}

/// What happens again and again.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Life {
    /// How often it begins, somewhere.
    #[serde(default)]
    pub(super) per_hour: f64,
    /// Begins once for each thing of this pool instead.
    pub(super) each: Option<String>,
    /// And again after so many seconds.
    pub(super) every: Option<f64>,
    /// Pools of which it has one thing each; `each` is one of them already.
    #[serde(default)]
    pub(super) pick: Vec<String>,
    /// Names made for this life alone, with `{}` for its number.
    #[serde(default)]
    pub(super) own: BTreeMap<String, String>,
    /// Places of this life alone.
    #[serde(default)]
    pub(super) place: BTreeMap<String, Place>,
    /// Members of every event, by source.
    #[serde(default)]
    pub(super) always: BTreeMap<String, BTreeMap<String, Draw>>,
    /// In order.
    pub(super) step: Vec<Step>,
}

/// A place near another one.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place {
    pub(super) near: String,
    /// Metres.
    pub(super) within: f64,
}

/// One event, or a way with an event every so often.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Step {
    /// For `since` of later steps.
    pub(super) name: Option<String>,
    pub(super) source: String,
    /// Seconds after the step before, or after the latest of `since`: at least and at most.
    #[serde(default)]
    pub(super) after: [f64; 2],
    #[serde(default)]
    pub(super) since: Vec<String>,
    /// A pool whose thing sets the pace.
    pub(super) pace: Option<String>,
    /// With which probability it happens; always when left out.
    pub(super) chance: Option<f64>,
    /// Whether the life ends with it.
    #[serde(default)]
    pub(super) ends: bool,
    /// Whose place is written as `lat` and `lon`.
    pub(super) at: Option<String>,
    /// A way: who moves, and where to.
    pub(super) go: Option<Way>,
    /// Members of the event.
    #[serde(default)]
    pub(super) set: BTreeMap<String, Draw>,
}

/// A way from where somebody is to a place.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Way {
    pub(super) who: String,
    pub(super) to: String,
    /// Metres in a second.
    pub(super) speed: f64,
    /// Seconds between two events.
    pub(super) every: f64,
}

/// A value, or how it is drawn.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Draw {
    /// With `{name}` for names of things, own names included.
    Text(String),
    Integer(i64),
    Float(f64),
    Truth(bool),
    /// Evenly from a range, in steps of so many digits.
    Range {
        between: [f64; 2],
        #[serde(default)]
        digits: u8,
    },
    /// One of several, evenly.
    Choice {
        one_of: Vec<Draw>,
    },
}

impl Script {
    pub(super) fn read(path: &Path, pipeline: &Pipeline) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(Error::reading(path))?;
        let help = "compare it with pipelines/delivery-eta/sample.toml";
        let script: Self = toml::from_str(&text).map_err(|error| Error::content(path, 0, error.to_string(), help))?;
        match script.fault(pipeline) {
            Some(fault) => Err(Error::content(path, 0, fault, "correct the name")),
            None => Ok(script),
        }
    }

    /// The first name that leads nowhere.
    fn fault(&self, pipeline: &Pipeline) -> Option<String> {
        let is_stream = |name: &str| {
            pipeline.sources.iter().any(|source| source.name == name && matches!(source.kind, SourceKind::Stream(_)))
        };
        for (name, life) in &self.life {
            let picks = || life.pick.iter().chain(&life.each);
            if let Some(unknown) = picks().find(|pool| !self.pool.contains_key(*pool)) {
                return Some(format!("life.{name}: there is no pool `{unknown}`"));
            }
            if life.each.is_none() && life.per_hour <= 0.0 {
                return Some(format!("life.{name}: nothing says when it begins (`per_hour` or `each`)"));
            }
            let is_place = |place: &String| life.place.contains_key(place) || picks().any(|pool| pool == place);
            let places = life.place.values().map(|place| &place.near);
            let places = places.chain(
                life.step.iter().flat_map(|step| step.at.iter().chain(step.go.iter().flat_map(|way| [&way.who, &way.to]))),
            );
            if let Some(unknown) = { places }.find(|place| !is_place(place)) {
                return Some(format!("life.{name}: there is no place `{unknown}`"));
            }
            let sources = life.step.iter().map(|step| &step.source).chain(life.always.keys());
            if let Some(unknown) = { sources }.find(|source| !is_stream(source)) {
                return Some(format!("life.{name}: the pipeline has no stream `{unknown}`"));
            }
        }
        None
    }
}
