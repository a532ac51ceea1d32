//! What is answered to which path.

use std::sync::Arc;

use serde_json::json;

use super::connection::{Answer, Respond};
use crate::{host::Host, telemetry::Gatherer};

const TEXT: &str = "text/plain; charset=utf-8";
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";
const PROBLEM: &str = "application/problem+json";

/// Answers for one host.
pub(crate) struct Answers {
    host: Arc<Host>,
    gatherer: Arc<Gatherer>,
}

impl Answers {
    pub(super) fn new(host: Arc<Host>, gatherer: Arc<Gatherer>) -> Self {
        Self { host, gatherer }
    }

    fn live(&self) -> Answer {
        match self.host.has_failed() {
            // Whoever asks is answered by the threads that the workers run on, so an answer is proof that they turn.
            None => Answer::ok(TEXT, "alive\n"),
            Some(why) => problem(503, "Service Unavailable", &why, "/livez"),
        }
    }

    fn ready(&self) -> Answer {
        let readiness = self.host.readiness();
        let words = readiness.words();
        if readiness.is_ready() {
            return Answer::ok(TEXT, &format!("ready: {words}\n"));
        }
        problem(503, "Service Unavailable", &format!("{words}."), "/readyz")
    }
}

impl Respond for Answers {
    async fn respond(&self, method: &str, path: &str) -> Answer {
        match (method, path) {
            ("GET" | "HEAD", "/metrics") => Answer::ok(METRICS, &crate::telemetry::text(&self.gatherer.families().await)),
            ("GET" | "HEAD", "/livez") => self.live(),
            ("GET" | "HEAD", "/readyz") => self.ready(),
            ("GET" | "HEAD", _) => problem(404, "Not Found", "There are /metrics, /livez and /readyz.", path),
            _ => {
                Answer { allow: true, ..problem(405, "Method Not Allowed", "Everything here is only to be read: use GET.", path) }
            }
        }
    }

    fn refuse(&self, status: u16, title: &'static str, detail: &str) -> Answer {
        problem(status, title, detail, "")
    }
}

/// A problem as RFC 9457 describes them.
fn problem(status: u16, title: &'static str, detail: &str, instance: &str) -> Answer {
    let mut object = json!({ "type": "about:blank", "title": title, "status": status, "detail": detail });
    if let (false, Some(members)) = (instance.is_empty(), object.as_object_mut()) {
        members.insert("instance".into(), instance.into());
    }
    Answer { status, title, content_type: PROBLEM, body: format!("{object}\n"), allow: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_and_where() {
        let answer = problem(404, "Not Found", "There is nothing.", "/a\"b");
        let object: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
        assert_eq!(object["status"], 404);
        assert_eq!(object["instance"], "/a\"b");
        assert_eq!(problem(400, "Bad Request", "?", "").body.matches("instance").count(), 0);
    }
}
