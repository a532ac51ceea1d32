//! Which path is answered by whom. Everything that is refused is a problem with its path, and everything is counted.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{
        DefaultBodyLimit, MatchedPath, Path, Request, State,
        rejection::{BytesRejection, PathRejection},
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, Method, StatusCode, Uri, header};
use ports::OnlineStore;
use tokio::{sync::Semaphore, time::Instant};

use crate::{
    counts::{Counting, Counts},
    eta,
    latest::Latest,
    openapi,
    predicted::Predicted,
    problem::Problem,
    quotes,
};

/// More than ten thousand candidates fit, so that whoever sends too many is told so and not that the body is large.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 20;
/// Quotes that are made at once. Each holds a body and waits for the store; at two milliseconds each these are 30,000 a second, far
/// beyond what the processors can do, so whoever is refused meets a fault and should ask somebody else.
const QUOTES_AT_ONCE_MAX: usize = 64;

/// What the process says of itself.
pub trait Probes: Send + Sync + 'static {
    /// Metrics in Prometheus's text format.
    fn metrics(&self) -> impl Future<Output = String> + Send;

    /// A word, or why the process cannot go on.
    fn live(&self) -> Result<String, String>;

    /// A word, or why nobody should be sent here yet.
    fn ready(&self) -> Result<String, String>;
}

/// Everything that is answered.
pub struct Api<O, P> {
    all: Vec<Predicted<O>>,
    probes: P,
    counting: Counting,
    quotes: Semaphore,
}

impl<O: OnlineStore, P: Probes> Api<O, P> {
    /// For these pipelines.
    pub fn new(all: Vec<Predicted<O>>, probes: P) -> Arc<Self> {
        Arc::new(Self { all, probes, counting: Counting::default(), quotes: Semaphore::new(QUOTES_AT_ONCE_MAX) })
    }

    /// What was counted since the start.
    pub fn counts(&self) -> Counts {
        self.counting.get()
    }

    /// The routes.
    pub fn router(self: Arc<Self>) -> Router {
        let mut router = Router::new()
            .route("/livez", get(live))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .route("/v1/openapi.json", get(description))
            .route("/v1/quotes", post(quote));
        let mut nouns: Vec<&str> = self.followed().map(|(predicted, _)| &*predicted.noun).collect();
        nouns.sort_unstable();
        nouns.dedup();
        for noun in nouns {
            router = router.route(&format!("/v1/{noun}/{{key}}/eta"), get(case_eta));
        }
        router
            .fallback(unknown)
            .method_not_allowed_fallback(other_method)
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .layer(from_fn_with_state(self.clone(), observe))
            .with_state(self)
    }

    /// The pipelines whose predictions somebody follows.
    fn followed(&self) -> impl Iterator<Item = (&Predicted<O>, &Latest)> {
        self.all.iter().filter_map(|predicted| Some((predicted, &**predicted.latest.as_ref()?)))
    }

    /// The pipeline that is meant, among those for which `fits` holds.
    fn predicted(&self, uri: &Uri, fits: impl Fn(&Predicted<O>) -> bool) -> Result<&Predicted<O>, Problem> {
        let named = uri.query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("pipeline="));
        let meant = |predicted: &&Predicted<O>| fits(predicted) && named.is_none_or(|named| *predicted.id == *named);
        let mut fitting = self.all.iter().filter(meant);
        match (fitting.next(), fitting.next()) {
            (Some(one), None) => Ok(one),
            (Some(_), Some(_)) => {
                let ids: Vec<&str> = self.all.iter().filter(|one| fits(one)).map(|one| &*one.id).collect();
                let detail = format!("Several pipelines could be meant: say ?pipeline= with one of {}.", ids.join(", "));
                Err(Problem::new(StatusCode::BAD_REQUEST, detail))
            }
            (None, _) => Err(Problem::new(StatusCode::NOT_FOUND, "No such pipeline predicts anything here.")),
        }
    }
}

type Shared<O, P> = State<Arc<Api<O, P>>>;

async fn live<O: OnlineStore, P: Probes>(State(api): Shared<O, P>) -> Response {
    said(api.probes.live())
}

async fn ready<O: OnlineStore, P: Probes>(State(api): Shared<O, P>) -> Response {
    let reading = api.followed().find_map(|(predicted, latest)| match latest.behind() {
        Some(0) => None,
        Some(partitions) => {
            Some(format!("the latest predictions of {} are read, of {partitions} partitions still", predicted.id))
        }
        None => Some(format!("nobody has begun to read the latest predictions of {}", predicted.id)),
    });
    said(api.probes.ready().and_then(|words| reading.map_or(Ok(words), Err)))
}

fn said(words: Result<String, String>) -> Response {
    match words {
        Ok(words) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{words}\n")).into_response(),
        Err(why) => Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("{why}.")).into_response(),
    }
}

async fn metrics<O: OnlineStore, P: Probes>(State(api): Shared<O, P>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], api.probes.metrics().await).into_response()
}

async fn description<O: OnlineStore, P: Probes>(State(api): Shared<O, P>) -> Response {
    json(&openapi::document(&api.all))
}

async fn quote<O: OnlineStore, P: Probes>(
    State(api): Shared<O, P>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let predicted = api.predicted(&uri, |_| true)?;
    let Ok(_permit) = api.quotes.try_acquire() else {
        let busy =
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, format!("{QUOTES_AT_ONCE_MAX} quotes are made already: ask again."));
        return Err(busy.with_header(header::RETRY_AFTER, "1"));
    };
    if !is_json(&headers) {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "A body of application/json is expected."));
    }
    let body = body.map_err(|_| too_large())?;
    let none = scoring::Facts::none(predicted.predictor().case());
    let drafts = quotes::read(&body, &predicted.attributes, &none)?;
    Ok(json(&quotes::quote(predicted, drafts, &api.counting).await))
}

async fn case_eta<O: OnlineStore, P: Probes>(
    State(api): Shared<O, P>,
    uri: Uri,
    key: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let noun = uri.path().split('/').nth(2).unwrap_or_default();
    let predicted = api.predicted(&uri, |predicted| predicted.noun == noun && predicted.latest.is_some())?;
    let Path(key) = key.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "The key in the path is no text in UTF-8."))?;
    match &predicted.latest {
        Some(latest) => Ok(eta::eta(predicted, latest, &key)),
        None => Err(unknown().await),
    }
}

async fn unknown() -> Problem {
    let there = "There are /v1/quotes, /v1/openapi.json, which describes the rest, /metrics, /livez and /readyz.";
    Problem::new(StatusCode::NOT_FOUND, there)
}

async fn other_method(method: Method) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("This is not to be asked with {method}; `allow` says how it is."))
}

/// Counts an answer, and says of a problem where it was met.
async fn observe<O: OnlineStore, P: Probes>(State(api): Shared<O, P>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or_else(|| Arc::from("other"), |path| Arc::from(path.as_str()));
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let (mut head, _) = response.into_parts();
        head.headers.remove(header::CONTENT_LENGTH);
        response = Response::from_parts(head, problem.at(Some(&path)).into_body());
    }
    api.counting.answered(&route, response.status().as_u16(), begun.elapsed());
    response
}

fn json(object: &impl serde::Serialize) -> Response {
    match serde_json::to_string(object) {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, format!("The answer cannot be written: {error}.")).into_response()
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let named = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = named.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// A body that nobody sends by mistake.
pub(crate) fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The body is larger than {} KiB.", BODY_BYTES_MAX >> 10))
}
