//! A pipeline and the records of one partition, with times counted from a full hour.

use domain::{Timestamp, Value};
use pipeline::{Expr, Feature, FieldKind, Pipeline, Source};
use testkit::pipelines::build::{bare, category, decimal, field, group, pipeline, required, stream};
use testkit::{Decision, Mode, Oracle, OracleVector, Record};

/// A multiple of a day, so that tiles begin where the examples say.
pub(crate) const START: i64 = 20_600 * 86_400_000;

pub(crate) struct Scene {
    pub(crate) pipeline: Pipeline,
    records: Vec<Record>,
    files: Vec<(usize, String)>,
    ids: usize,
}

impl Scene {
    pub(crate) fn new(pipeline: Pipeline) -> Self {
        Self { pipeline, records: Vec::new(), files: Vec::new(), ids: 0 }
    }

    /// A record with this payload.
    pub(crate) fn raw(mut self, append: i64, payload: &[u8]) -> Self {
        self.records.push(Record { source: 0, append_at: Timestamp(START + append), payload: payload.to_vec() });
        self
    }

    /// An event that arrives late: these members beside its identity and time.
    pub(crate) fn arriving(mut self, append: i64, time: i64, members: &str) -> Self {
        self.ids += 1;
        let payload = format!(r#"{{"source":"t","id":"{}","at":{},{members}}}"#, self.ids, START + time);
        self.raw(append, payload.as_bytes())
    }

    /// An event that arrives at its own time.
    pub(crate) fn event(self, time: i64, members: &str) -> Self {
        self.arriving(time, time, members)
    }

    pub(crate) fn file(mut self, source: usize, lines: &str) -> Self {
        self.files.push((source, lines.into()));
        self
    }

    pub(crate) fn decisions(&self) -> Vec<Decision> {
        Oracle::new(&self.pipeline).decide(std::slice::from_ref(&self.records)).remove(0)
    }

    /// The vector of an entity; `group:key` as in `store:42`.
    pub(crate) fn vector(&self, entity: &str, at: i64, mode: Mode) -> Option<OracleVector> {
        let (group, key) = entity.split_once(':').expect("an entity is written group:key");
        let index = self.pipeline.groups.iter().position(|declared| declared.name == group).expect("the group exists");
        let oracle =
            self.files.iter().fold(Oracle::new(&self.pipeline), |oracle, (source, lines)| oracle.with_file_rows(*source, lines));
        oracle.vectors(std::slice::from_ref(&self.records), Timestamp(START + at), mode).remove(&(index, key.to_owned()))
    }

    /// The keys of all entities of all groups.
    pub(crate) fn entities(&self, at: i64) -> Vec<String> {
        let oracle = Oracle::new(&self.pipeline);
        let vectors = oracle.vectors(std::slice::from_ref(&self.records), Timestamp(START + at), Mode::Complete);
        vectors.into_keys().map(|(_, key)| key).collect()
    }

    /// All values of an entity with everything known.
    #[track_caller]
    pub(crate) fn values(&self, entity: &str, at: i64) -> Vec<Option<Value>> {
        self.vector(entity, at, Mode::Complete).expect("the entity has been seen").values
    }

    /// One value of an entity by the name of its column.
    #[track_caller]
    pub(crate) fn value(&self, entity: &str, column: &str, at: i64) -> Option<Value> {
        let group = entity.split(':').next().unwrap_or_default();
        let group = self.pipeline.groups.iter().find(|declared| declared.name == group).expect("the group exists");
        let place = group.columns().iter().position(|declared| declared.name == column).expect("the column exists");
        self.values(entity, at)[place]
    }
}

/// A stream `events` with a field of each kind that aggregators take; the key is `k`.
pub(crate) fn events() -> Source {
    stream(
        "events",
        "k",
        vec![
            required("k", FieldKind::Text),
            field("b", FieldKind::Boolean),
            field("c", category(&["red", "green", "blue"])),
            field("lat", decimal(6, -95_000_000, 95_000_000)),
            field("lon", decimal(6, -185_000_000, 185_000_000)),
            field("n", FieldKind::Integer { min: -1_000_000, max: 1_000_000 }),
            field("t", FieldKind::Text),
            field("x", decimal(2, -1_000_000, 1_000_000)),
        ],
    )
}

/// A pipeline of that stream and one group `g` by `k` with hops of ten seconds.
pub(crate) fn of_features(features: Vec<Feature>) -> Scene {
    let events = events();
    let key: Expr = bare(&events, "k");
    Scene::new(pipeline("scene", vec![events], vec![group("g", 0, key, "10s", features)]))
}

pub(crate) fn float(value: f64) -> Option<Value> {
    Some(Value::Float(value))
}

pub(crate) fn integer(value: i64) -> Option<Value> {
    Some(Value::Integer(value))
}
