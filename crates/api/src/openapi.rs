//! The description of all this for programs: OpenAPI 3.1, made of what the pipelines declare and of the types that are answered.

use scoring::LEVELS;
use serde_json::{Map, Value as Json, json};

use crate::{
    predicted::Predicted,
    quotes::{CANDIDATES_MAX, Quote, Said},
};

/// The description for these pipelines.
pub(crate) fn document<O>(all: &[Predicted<O>]) -> Json {
    let mut paths = Map::new();
    for (path, says) in [
        ("/livez", "Whether the process is alive"),
        ("/readyz", "Whether it should be asked"),
        ("/metrics", "Metrics in Prometheus's text format"),
    ] {
        let answers =
            json!({ "200": { "description": "Yes, in words", "content": { "text/plain": { "schema": { "type": "string" } } } } });
        paths.insert(path.into(), json!({ "get": { "summary": says, "responses": with_problems(answers, &[503]) } }));
    }
    if !all.is_empty() {
        paths.insert("/v1/quotes".into(), quotes(all));
    }
    for predicted in all.iter().filter(|predicted| predicted.latest.is_some()) {
        paths.insert(format!("/v1/{}/{{key}}/eta", predicted.noun), eta(all, predicted));
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Headway", "version": env!("CARGO_PKG_VERSION"), "description": "Arrival times of what these pipelines predict." },
        "paths": paths,
        "components": { "schemas": { "Problem": problem() } },
    })
}

fn quotes<O>(all: &[Predicted<O>]) -> Json {
    let request = |predicted: &Predicted<O>| {
        let attributes = predicted.attributes.schema();
        json!({
            "title": &*predicted.id,
            "type": "object",
            "additionalProperties": false,
            "required": ["candidates"],
            "properties": {
                "draft": attributes,
                "candidates": { "type": "array", "minItems": 1, "maxItems": CANDIDATES_MAX, "items": attributes },
            },
        })
    };
    let answers = all.iter().map(|predicted| Quote::schema(Said::schema(predicted.attributes.schema())));
    let answer = json!({ "200": { "description": "What is said of each candidate, in their order", "content": content(one_of(answers)) } });
    json!({
        "post": {
            "summary": "What would be predicted of a case that begins now, for each of several candidates",
            "parameters": [which(all)],
            "requestBody": { "required": true, "content": content(one_of(all.iter().map(request))) },
            "responses": with_problems(answer, &[400, 411, 413, 415, 422, 503]),
        },
    })
}

fn eta<O>(all: &[Predicted<O>], predicted: &Predicted<O>) -> Json {
    let entity = &predicted.entity;
    let text = json!({ "type": "string" });
    let name = json!({ "type": ["string", "null"] });
    let instant = json!({ "type": "string", "format": "date-time" });
    let mut properties = Map::new();
    for (names, schema) in [
        (&["id", "trigger"][..], &text),
        (&["stage", "model", "version", "digest", "degraded", "features_as_of"], &name),
        (&["at", "arrives_at", "promise_at"], &instant),
    ] {
        properties.extend(names.iter().map(|name| ((*name).to_owned(), schema.clone())));
    }
    properties.insert(entity.clone(), text);
    properties.extend(LEVELS.iter().map(|level| (format!("p{:.0}", level * 100.0), json!({ "type": "number", "minimum": 0 }))));
    properties.insert("oldest_feature_seconds".into(), json!({ "type": ["number", "null"], "minimum": 0 }));
    let schema = json!({ "type": "object", "required": properties.keys().collect::<Vec<_>>(), "properties": properties });
    let answer =
        json!({ "200": { "description": "The record of the prediction as it was written", "content": content(schema) } });
    let key = json!({ "name": "key", "in": "path", "required": true, "schema": { "type": "string" } });
    json!({
        "get": {
            "summary": format!("What was predicted last of the {entity} with this key"),
            "parameters": [key, which(all)],
            "responses": with_problems(answer, &[400, 404, 410]),
        },
    })
}

/// Which pipeline is meant, where it is not clear.
fn which<O>(all: &[Predicted<O>]) -> Json {
    let ids: Vec<&str> = all.iter().map(|predicted| &*predicted.id).collect();
    json!({
        "name": "pipeline", "in": "query", "required": false, "schema": { "enum": ids },
        "description": "Needed where several pipelines could be meant.",
    })
}

fn one_of(schemas: impl Iterator<Item = Json>) -> Json {
    let mut schemas: Vec<Json> = schemas.collect();
    if schemas.len() == 1 { schemas.remove(0) } else { json!({ "oneOf": schemas }) }
}

fn content(schema: Json) -> Json {
    json!({ "application/json": { "schema": schema } })
}

fn with_problems(mut responses: Json, statuses: &[u16]) -> Json {
    for status in statuses {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        responses[status.to_string()] =
            json!({ "description": "A problem (RFC 9457)", "content": { "application/problem+json": { "schema": schema } } });
    }
    responses
}

fn problem() -> Json {
    let text = json!({ "type": "string" });
    let fault = json!({ "type": "object", "required": ["pointer", "detail"], "properties": { "pointer": text, "detail": text } });
    json!({
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": text, "title": text, "status": { "type": "integer" }, "detail": text, "instance": text,
            "errors": { "type": "array", "items": fault },
        },
    })
}
