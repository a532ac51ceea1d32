//! One pipeline that predicts, with an online store that can be told to fail, and somebody who asks.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use api::{Api, Latest, Predicted, Probes};
use axum::{Router, body::Body};
use domain::{Header, Span, Timestamp, pack};
use http::Request;
use http_body_util::BodyExt;
use pipeline::Pipeline;
use ports::{Clock, OnlineStore, Serving, Share, VectorKey, VectorWrite, clock_fn};
use scoring::Predictor;
use serde_json::Value as Json;
use testkit::{
    fake::{Fault, Hook, MemoryOnlineStore},
    pipelines::schemas,
};
use tokio::sync::watch;
use tower_service::Service;

pub(crate) const NOW: Timestamp = Timestamp(1_795_348_800_000);

/// Lots, and cars that wait for a place in one: nothing that anybody delivers.
pub(crate) const SPEC: &str = r#"
[source.cars]
topic = "cars"
key = "ticket"
time = "at"
skew = "30s"
lateness = "10m"

[source.cars.fields]
type = "string"
lot = "string"
zone = "string"
length = { decimal = "0.01", min = 0, max = 20 }
seats = { type = "integer", min = 1, max = 9 }
fuel = { category = ["petrol", "electric"] }

[group.lots]
entity = "lot"
key = "lot"
source = "cars"
hop = "1m"
tolerance = "1m"
features.queue = { count = "*", windows = ["5m"] }

[group.zones]
entity = "zone"
key = "zone"
source = "cars"
hop = "1m"
tolerance = "1m"
features.traffic = { count = "*", windows = ["5m"] }

[case]
entity = "parking"
longest = "2h"
label = ["1m", "1h"]
entities = { lot = "lot", zone = "zone" }

[case.stages]
asked = { source = "cars", where = "type = 'asked'" }
parked = { source = "cars", where = "type = 'parked'" }

[case.attributes]
lot = "lot"
zone = "zone"
length = "length"
seats = "seats"
fuel = "fuel"

[case.triggers]
stages = ["asked"]

[case.inputs]
wait = "queue_5m * 60 + seats + since_asked"

[[case.fallback]]
name = "lot"
seconds = "wait"
spread = [0.5, 1.0, 1.5, 2.0]

[[case.fallback]]
name = "zone"
seconds = "traffic_5m * 10"
spread = [0.5, 1.0, 1.5, 2.0]

[[case.fallback]]
name = "anywhere"
seconds = "1800"
spread = [0.6, 1.0, 1.4, 1.8]
"#;

/// Everything around the routes.
pub(crate) struct Scene {
    router: Router,
    pub(crate) api: Arc<Api<MemoryOnlineStore, Alive>>,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) latest: Arc<Latest>,
    online: MemoryOnlineStore,
    pub(crate) clock: Clock,
    passed: Arc<AtomicI64>,
    _predictor: watch::Sender<Arc<Predictor>>,
}

/// A process that is well.
pub(crate) struct Alive;

impl Probes for Alive {
    async fn metrics(&self) -> String {
        "a_metric 1\n".into()
    }

    fn live(&self) -> Result<String, String> {
        Ok("alive".into())
    }

    fn ready(&self) -> Result<String, String> {
        Ok("ready".into())
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Json,
}

impl Answered {
    /// The body of a problem, whose form is the same everywhere.
    pub(crate) fn problem(&self, status: u16) -> &Json {
        assert_eq!((self.status, &self.body["status"]), (status, &status.into()), "{self:?}");
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert!(self.body["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{self:?}");
        assert!(self.body["instance"].is_string(), "{self:?}");
        &self.body
    }
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with_faults(Hook::default())
    }

    /// Each operation of the store meets what the hook says.
    pub(crate) fn with_faults(hook: Hook) -> Self {
        let pipeline = Arc::new(pipeline::parse("parking", SPEC).unwrap_or_else(|faults| panic!("{faults}")));
        let predictor = Predictor::new(&pipeline, schemas(&pipeline), None).expect("no model").expect("a case");
        let (tell, predictor) = watch::channel(Arc::new(predictor));
        let passed = Arc::new(AtomicI64::new(0));
        let own = passed.clone();
        let clock = clock_fn(1.0, move || NOW.plus(Span(own.load(Ordering::Relaxed))));
        let online = MemoryOnlineStore::new(hook);
        let latest = Arc::new(Latest::new(Span(7_200_000)));
        let predicted = Predicted::new(pipeline.clone(), predictor, online.clone(), clock.clone()).following(latest.clone());
        let api = Api::new(vec![predicted], Alive);
        Self { router: api.clone().router(), api, pipeline, latest, online, clock, passed, _predictor: tell }
    }

    /// With two lots of five and nine cars, both in a zone of thirty.
    pub(crate) async fn filled(hook: Hook) -> Self {
        let scene = Self::with_faults(hook);
        let serving = |group: &str| Serving { group: group.into(), generation: 1 };
        scene.online.serve(&[serving("lots"), serving("zones")]).await.expect("told");
        for (group, key, value) in [("lots", "a", 5), ("lots", "b", 9), ("zones", "z", 30)] {
            scene.write(group, key, value).await;
        }
        scene
    }

    pub(crate) async fn write(&self, group: &str, key: &str, value: u64) {
        let place = self.pipeline.groups.iter().position(|known| known.name == group).expect("a group");
        let (as_of, valid_until) = (self.clock.now().minus(Span(4_000)), self.clock.now().plus(Span(60_000)));
        let header = Header {
            schema: place as u32,
            generation: 1,
            position: 1,
            as_of,
            valid_until,
            source_seen_at: None,
            source_silent: false,
        };
        let mut packed = Vec::new();
        pack(&mut packed, &header, &[Some(value)]);
        let at = VectorKey { entity: &self.pipeline.groups[place].entity, key, group, generation: 1 };
        let write = VectorWrite { at, packed: &packed, expires_at: Timestamp(i64::MAX) };
        self.online.write(Share { generation: 1, partition: 0 }, &[write]).await.expect("written");
    }

    /// A vector as the store has it.
    pub(crate) async fn vector(&self, group: &str, key: &str) -> Option<Arc<[u8]>> {
        let entity = &self.pipeline.groups.iter().find(|known| known.name == group).expect("a group").entity;
        let read = self.online.read(&[VectorKey { entity, key, group, generation: 1 }]).await;
        read.expect("read").remove(0).map(Arc::from)
    }

    pub(crate) fn predictor(&self) -> Predictor {
        Predictor::new(&self.pipeline, schemas(&self.pipeline), None).expect("no model").expect("a case")
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.passed.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.ask(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    pub(crate) async fn quote(&self, body: &str) -> Answered {
        let request = Request::post("/v1/quotes").header("content-type", "application/json; charset=utf-8");
        self.ask(request.body(Body::from(body.to_owned())).expect("a request")).await
    }

    pub(crate) async fn ask(&self, request: Request<Body>) -> Answered {
        let Ok(response) = self.router.clone().call(request).await;
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into());
        Answered { status: head.status.as_u16(), headers: head.headers, body }
    }
}

/// A store that fails in this way from the moment on that it is told to.
pub(crate) fn failing(fault: Fault) -> (Hook, Arc<std::sync::atomic::AtomicBool>) {
    let fails = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let told = fails.clone();
    let hook = Hook::new(move |operation| match told.load(Ordering::Relaxed) && operation != "online.write" {
        true => fault,
        false => Fault::None,
    });
    (hook, fails)
}
