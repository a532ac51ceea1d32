//! The description for programs holds for what is really answered: every answer here is checked against the schema of its status.

use serde_json::{Value as Json, json};
use testkit::fake::Hook;

use crate::scene::Scene;

/// Everything in which a value differs from a schema, of the parts of JSON Schema that the description uses.
fn faults(value: &Json, schema: &Json, root: &Json, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return faults(value, root.pointer(&reference[1..]).expect("it is there"), root, at);
    }
    let mut found = Vec::new();
    let names: Vec<&str> = match &schema["type"] {
        Json::String(name) => vec![name],
        Json::Array(names) => names.iter().filter_map(Json::as_str).collect(),
        _ => vec![],
    };
    if !names.is_empty() && !names.iter().any(|name| is_a(value, name)) {
        found.push(format!("{at}: {value} is no {names:?}"));
    }
    if schema["enum"].as_array().is_some_and(|allowed| !allowed.contains(value)) {
        found.push(format!("{at}: {value} is none of {}", schema["enum"]));
    }
    if value.as_f64().is_some_and(|number| schema["minimum"].as_f64().is_some_and(|minimum| number < minimum)) {
        found.push(format!("{at}: {value} is too small"));
    }
    if let Json::Array(items) = value {
        found.extend(items.iter().flat_map(|item| faults(item, &schema["items"], root, &format!("{at}/*"))));
    }
    let Json::Object(members) = value else { return found };
    for required in schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str) {
        if !members.contains_key(required) {
            found.push(format!("{at}: {required} is missing"));
        }
    }
    for (name, member) in members {
        match schema["properties"].get(name) {
            Some(declared) => found.extend(faults(member, declared, root, &format!("{at}/{name}"))),
            None if schema["additionalProperties"] == false => found.push(format!("{at}: {name} is not declared")),
            None => {}
        }
    }
    found
}

fn is_a(value: &Json, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    }
}

/// The schema of an answer.
fn schema<'d>(document: &'d Json, path: &str, method: &str, status: u16) -> &'d Json {
    let content = &document["paths"][path][method]["responses"][status.to_string()]["content"];
    let kind = if status == 200 { "application/json" } else { "application/problem+json" };
    content[kind].get("schema").unwrap_or_else(|| panic!("{method} {path} does not declare {status}"))
}

#[tokio::test]
async fn what_is_answered_is_described() {
    let scene = Scene::filled(Hook::default()).await;
    let document = scene.get("/v1/openapi.json").await.body;
    assert_eq!(document["openapi"], "3.1.0");
    let sound = r#"{"draft":{"zone":"z","seats":null,"fuel":"petrol"},"candidates":[{"lot":"a","length":4.25},{"lot":"x"}]}"#;
    for (body, status) in [(sound, 200), ("{", 400), ("{}", 422)] {
        let answered = scene.quote(body).await;
        let found = faults(&answered.body, schema(&document, "/v1/quotes", "post", status), &document, "");
        assert_eq!((answered.status, found), (status, vec![]));
    }
    let request = &document["paths"]["/v1/quotes"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    let body: Json = serde_json::from_str(sound).expect("JSON");
    assert_eq!(faults(&body, request, &document, ""), Vec::<String>::new());
    assert_eq!(
        faults(&json!({ "draft": { "seats": 0, "x": 1 } }), request, &document, "").len(),
        3,
        "it is not what allows everything"
    );
    let missing = scene.get("/v1/parkings/a/eta").await;
    assert_eq!(
        faults(&missing.body, schema(&document, "/v1/parkings/{key}/eta", "get", 404), &document, ""),
        Vec::<String>::new()
    );
    for status in [410, 400] {
        schema(&document, "/v1/parkings/{key}/eta", "get", status);
    }
}
