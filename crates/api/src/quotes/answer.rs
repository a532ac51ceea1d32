//! What is answered to a request for quotes.

use domain::{Span, Timestamp};
use scoring::{Answer, Predictor};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

/// All candidates, in the order of the request.
#[derive(Debug, Serialize)]
pub(crate) struct Quote {
    /// The pipeline that answers.
    pipeline: String,
    /// When it was asked.
    at: String,
    model: Option<String>,
    version: Option<String>,
    digest: Option<String>,
    candidates: Vec<Said>,
}

/// What is said of one candidate: what a prediction would say, by the same names.
#[derive(Debug, Serialize)]
pub(crate) struct Said {
    /// What it said of itself.
    candidate: Map<String, Json>,
    p10: f64,
    p50: f64,
    p80: f64,
    p90: f64,
    arrives_at: String,
    promise_at: String,
    degraded: Option<String>,
    /// Entities that it names and of which nothing is known.
    unknown: Vec<String>,
    features_as_of: Option<String>,
    oldest_feature_seconds: Option<f64>,
}

impl Quote {
    pub(super) fn new(pipeline: &str, predictor: &Predictor, at: Timestamp, candidates: Vec<Said>) -> Self {
        let manifest = predictor.model().map(|package| package.manifest());
        Self {
            pipeline: pipeline.to_owned(),
            at: at.to_string(),
            model: manifest.map(|manifest| manifest.name.clone()),
            version: manifest.map(|manifest| manifest.version.clone()),
            digest: predictor.model().map(|package| package.digest().to_string()),
            candidates,
        }
    }
}

impl Said {
    pub(super) fn new(
        predictor: &Predictor,
        candidate: Map<String, Json>,
        at: Timestamp,
        answer: &Answer,
        unknown: Vec<String>,
    ) -> Self {
        let seconds = answer.left.seconds();
        let [p10, p50, p80, p90] = seconds.map(|seconds| rounded(seconds, 10.0));
        Self {
            candidate,
            p10,
            p50,
            p80,
            p90,
            arrives_at: at.plus(Span((seconds[1] * 1000.0).round() as i64)).to_string(),
            promise_at: predictor.promise(&answer.left, at, None).to_string(),
            degraded: answer.degraded.clone(),
            unknown,
            features_as_of: answer.read.as_of.map(|at| at.to_string()),
            oldest_feature_seconds: answer.read.oldest.map(|age| rounded(age.0 as f64 / 1000.0, 1000.0)),
        }
    }

    /// The schema of it; a test holds it to what is really answered.
    pub(crate) fn schema(attributes: Json) -> Json {
        let seconds = json!({ "type": "number", "minimum": 0 });
        let instant = json!({ "type": "string", "format": "date-time" });
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": [
                "candidate", "p10", "p50", "p80", "p90", "arrives_at", "promise_at", "degraded", "unknown", "features_as_of",
                "oldest_feature_seconds",
            ],
            "properties": {
                "candidate": attributes,
                "p10": seconds, "p50": seconds, "p80": seconds, "p90": seconds,
                "arrives_at": instant, "promise_at": instant,
                "degraded": {
                    "type": ["string", "null"],
                    "description": "Why it is not what the model says of what is so now: a fallback by its name, `remembered`, `unreadable`, \
                                    `silent` or `outdated`.",
                },
                "unknown": {
                    "type": "array", "items": { "type": "string" },
                    "description": "Entities that the candidate names and of which nothing is known: they are new, or their key is wrong.",
                },
                "features_as_of": { "type": ["string", "null"], "format": "date-time" },
                "oldest_feature_seconds": { "type": ["number", "null"], "minimum": 0 },
            },
        })
    }
}

impl Quote {
    /// The schema of it.
    pub(crate) fn schema(said: Json) -> Json {
        let name = json!({ "type": ["string", "null"] });
        json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["pipeline", "at", "model", "version", "digest", "candidates"],
            "properties": {
                "pipeline": { "type": "string" },
                "at": { "type": "string", "format": "date-time" },
                "model": name, "version": name, "digest": name,
                "candidates": { "type": "array", "items": said },
            },
        })
    }
}

/// As finely as predictions are told.
fn rounded(number: f64, steps: f64) -> f64 {
    (number * steps).round() / steps
}
