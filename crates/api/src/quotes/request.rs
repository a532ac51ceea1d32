//! The body of a request for quotes, with every fault at its place.

use scoring::Facts;
use serde_json::{Map, Value as Json};

use super::CANDIDATES_MAX;
use crate::{
    attributes::Attributes,
    problem::{Fault, Problem, step},
};

/// What is asked about.
#[derive(Debug, PartialEq)]
pub(crate) struct Drafts {
    /// What is known of each candidate, the draft's attributes among it.
    pub(crate) candidates: Vec<Facts>,
    /// What each candidate said of itself.
    pub(crate) named: Vec<Map<String, Json>>,
}

/// Reads a body.
pub(crate) fn read(body: &[u8], attributes: &Attributes, none: &Facts) -> Result<Drafts, Problem> {
    let parsed: Result<Json, _> = serde_json::from_slice(body);
    let body = parsed.map_err(|error| Problem::new(http::StatusCode::BAD_REQUEST, format!("The body is no JSON: {error}.")))?;
    let Json::Object(mut members) = body else {
        return Err(Problem::faults(vec![Fault::new("", "An object with `draft` and `candidates` is expected.")]));
    };
    let mut faults = Vec::new();
    let mut draft = none.clone();
    match members.remove("draft") {
        None => {}
        Some(Json::Object(object)) => attributes.read(&object, "/draft", &mut draft, &mut faults),
        Some(_) => faults.push(Fault::new("/draft", "An object with attributes is expected.")),
    }
    let candidates = match members.remove("candidates") {
        Some(Json::Array(candidates)) if (1..=CANDIDATES_MAX).contains(&candidates.len()) => candidates,
        Some(Json::Array(candidates)) => {
            let detail = format!("There are {}, and between 1 and {CANDIDATES_MAX} are answered at once.", candidates.len());
            faults.push(Fault::new("/candidates", detail));
            Vec::new()
        }
        Some(_) => {
            faults.push(Fault::new("/candidates", "A list of objects is expected."));
            Vec::new()
        }
        None => {
            faults.push(Fault::new(
                "/candidates",
                "It is missing: one object for each candidate, with the attributes that differ.",
            ));
            Vec::new()
        }
    };
    faults.extend(members.keys().map(|name| Fault::new(step(name), "There is no such member; there are draft and candidates.")));
    let mut drafts = Drafts { candidates: Vec::new(), named: Vec::new() };
    for (place, candidate) in candidates.into_iter().enumerate() {
        let pointer = format!("/candidates/{place}");
        let Json::Object(candidate) = candidate else {
            faults.push(Fault::new(pointer, "An object with attributes is expected."));
            continue;
        };
        let mut facts = draft.clone();
        attributes.read(&candidate, &pointer, &mut facts, &mut faults);
        drafts.candidates.push(facts);
        drafts.named.push(candidate);
    }
    if faults.is_empty() { Ok(drafts) } else { Err(Problem::faults(faults)) }
}
