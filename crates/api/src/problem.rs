//! What is wrong with a request, as RFC 9457 describes problems: for programs by status and pointers, for people in a sentence.

use axum::response::{IntoResponse, Response};
use http::{HeaderName, StatusCode, header};
use serde_json::{Value, json};

/// Faults of one request that are named: whoever made more sees these first.
const FAULTS_MAX: usize = 20;

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    faults: Vec<Fault>,
    header: Option<(HeaderName, &'static str)>,
}

/// One thing that is wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// What.
    pub detail: String,
}

impl Problem {
    /// What happened, and what to do next.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into(), faults: Vec::new(), header: None }
    }

    /// A body that was understood and cannot be.
    pub(crate) fn faults(mut faults: Vec<Fault>) -> Self {
        let detail = match faults.len() {
            1 => "The body has a fault; it is named in `errors`.".to_owned(),
            count if count <= FAULTS_MAX => format!("The body has {count} faults; they are named in `errors`."),
            count => format!("The body has {count} faults; the first {FAULTS_MAX} are named in `errors`."),
        };
        faults.truncate(FAULTS_MAX);
        Self { faults, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail) }
    }

    /// The same with a header that a program may act by.
    pub(crate) fn with_header(self, name: HeaderName, value: &'static str) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    /// The object that is sent.
    pub(crate) fn object(&self, instance: Option<&str>) -> Value {
        let title = self.status.canonical_reason().unwrap_or("Error");
        let mut object = json!({ "type": "about:blank", "title": title, "status": self.status.as_u16(), "detail": self.detail });
        if let Some(instance) = instance {
            object["instance"] = instance.into();
        }
        if !self.faults.is_empty() {
            let errors = self.faults.iter().map(|fault| json!({ "pointer": fault.pointer, "detail": fault.detail }));
            object["errors"] = errors.collect();
        }
        object
    }

    /// The answer to a request for this path.
    pub(crate) fn at(&self, instance: Option<&str>) -> Response {
        let content_type = (header::CONTENT_TYPE, "application/problem+json");
        let mut response = (self.status, [content_type], format!("{}\n", self.object(instance))).into_response();
        if let Some((name, value)) = &self.header {
            response.headers_mut().insert(name, http::HeaderValue::from_static(value));
        }
        // Whoever stands around the handlers knows the path, see `routes`.
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.at(None)
    }
}

impl Fault {
    pub(crate) fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

/// One step of a JSON pointer.
pub(crate) fn step(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_and_where() {
        let faults = vec![Fault::new(format!("/draft{}", step("a/b~c")), "It is none.")];
        let object = Problem::faults(faults).object(Some("/v1/quotes"));
        let expected = json!({
            "type": "about:blank", "title": "Unprocessable Entity", "status": 422, "instance": "/v1/quotes",
            "detail": "The body has a fault; it is named in `errors`.",
            "errors": [{ "pointer": "/draft/a~1b~0c", "detail": "It is none." }],
        });
        assert_eq!(object, expected);
        let many = Problem::faults(vec![Fault::new("/x", "y"); 21]).object(None);
        assert_eq!(many["errors"].as_array().map(Vec::len), Some(20));
        assert!(many["detail"].as_str().is_some_and(|detail| detail.contains("21")));
    }
}
