//! Where OpenTelemetry's own environment variables say that telemetry goes, and the way there: OTLP over plain HTTP, as protobuf.
//!
//! No TLS: a collector stands beside the process and takes it from there. Blocks; whoever sends has a thread for it.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tracing::{info, warn};
use ureq::Agent;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// What OpenTelemetry says for those who say nothing.
const SEND_WITHIN: Duration = Duration::from_secs(10);
/// Nothing that a collector answers is longer, and nobody reads more of it.
const ANSWER_BYTES_MAX: u64 = 4096;

/// A collector of traces, metrics or both.
#[derive(Debug)]
pub(crate) struct Collector {
    agent: Agent,
    traces: Option<String>,
    metrics: Option<String>,
    headers: Vec<(String, String)>,
    /// Whether the last attempt failed: it is said once, not with each batch.
    failing: AtomicBool,
}

impl Collector {
    /// What the environment of this process says; none when it says nothing, a sentence for a person when it cannot be done.
    pub(crate) fn from_environment() -> Result<Option<Self>, String> {
        Self::from(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn from(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let endpoint = |signal: &str, path: &str| {
            if variable(&format!("OTEL_{signal}_EXPORTER")).is_some_and(|value| value == "none") {
                return None;
            }
            let own = variable(&format!("OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"));
            own.or_else(|| Some(format!("{}/v1/{path}", variable(ENDPOINT)?.trim_end_matches('/'))))
        };
        let (traces, metrics) = (endpoint("TRACES", "traces"), endpoint("METRICS", "metrics"));
        if traces.is_none() && metrics.is_none() {
            return Ok(None);
        }
        for url in traces.iter().chain(&metrics) {
            address(url)?;
        }
        if let Some(protocol) = variable("OTEL_EXPORTER_OTLP_PROTOCOL").filter(|protocol| protocol != "http/protobuf") {
            return Err(format!(
                "OTEL_EXPORTER_OTLP_PROTOCOL is `{protocol}`, and Headway speaks http/protobuf: leave it out, and point {ENDPOINT} \
                 at the collector's port for HTTP, 4318 by default. Nothing is sent."
            ));
        }
        let within =
            variable("OTEL_EXPORTER_OTLP_TIMEOUT").and_then(|ms| ms.parse().ok()).map_or(SEND_WITHIN, Duration::from_millis);
        let headers = variable("OTEL_EXPORTER_OTLP_HEADERS").map_or(Vec::new(), |text| headers(&text));
        // What leads elsewhere is not followed: the data is meant for this address.
        let agent = Agent::config_builder().timeout_global(Some(within)).http_status_as_error(false).max_redirects(0).proxy(None);
        Ok(Some(Self { agent: agent.build().into(), traces, metrics, headers, failing: AtomicBool::new(false) }))
    }

    pub(crate) fn takes_traces(&self) -> bool {
        self.traces.is_some()
    }

    pub(crate) fn takes_metrics(&self) -> bool {
        self.metrics.is_some()
    }

    /// Where it is, each address once.
    pub(crate) fn addresses(&self) -> Vec<String> {
        let mut addresses: Vec<String> = self.traces.iter().chain(&self.metrics).filter_map(|url| address(url).ok()).collect();
        addresses.dedup();
        addresses
    }

    pub(super) fn send_traces(&self, request: &[u8]) -> Result<(), String> {
        self.traces.as_deref().map_or(Ok(()), |url| self.send(url, request))
    }

    pub(super) fn send_metrics(&self, request: &[u8]) -> Result<(), String> {
        self.metrics.as_deref().map_or(Ok(()), |url| self.send(url, request))
    }

    fn send(&self, url: &str, request: &[u8]) -> Result<(), String> {
        let sent = self.try_to_send(url, request);
        let failing = sent.is_err();
        if self.failing.swap(failing, Ordering::Relaxed) != failing {
            match &sent {
                Err(fault) => warn!(url, fault, "telemetry cannot be sent; this is said once until it works again"),
                Ok(()) => info!(url, "telemetry is sent again"),
            }
        }
        sent
    }

    fn try_to_send(&self, url: &str, request: &[u8]) -> Result<(), String> {
        let mut post = self.agent.post(url).header("content-type", "application/x-protobuf");
        for (name, value) in &self.headers {
            post = post.header(name, value);
        }
        let mut answer = post.send(request).map_err(|error| error.to_string())?;
        // Read to its end, so that the connection can be used again.
        let said = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        if answer.status().is_success() {
            return Ok(());
        }
        Err(format!("{}: {}", answer.status(), String::from_utf8_lossy(&said.unwrap_or_default())))
    }
}

/// Host and port of a URL.
fn address(url: &str) -> Result<String, String> {
    let Some(rest) = url.strip_prefix("http://") else {
        return Err(format!(
            "telemetry cannot go to {url}: Headway sends plain HTTP to a collector nearby, as in {ENDPOINT}=http://localhost:4318, \
             and that one forwards it with TLS. Nothing is sent."
        ));
    };
    let host = rest.split('/').next().unwrap_or_default();
    if host.is_empty() || host.contains('@') {
        return Err(format!(
            "telemetry cannot go to {url}: an address such as http://localhost:4318 is needed. Nothing is sent."
        ));
    }
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    Ok(if has_port { host.to_owned() } else { format!("{host}:80") })
}

/// `name=value` pairs with commas between them, as the specification wants them. What is none of them is left out.
fn headers(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8().ok()?;
        Some((name.trim().to_owned(), value.into_owned()))
    };
    text.split(',').filter_map(pair).filter(|(name, _)| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<Collector>, String> {
        Collector::from(|name| variables.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned()))
    }

    fn check(variables: &[(&str, &str)], traces: Option<&str>, metrics: Option<&str>) {
        let collector = of(variables).expect("sound");
        let found = collector.as_ref().map(|collector| (collector.traces.as_deref(), collector.metrics.as_deref()));
        assert_eq!(found.unwrap_or_default(), (traces, metrics), "{variables:?}");
    }

    #[test]
    fn signals_go_where_the_environment_says() {
        check(&[], None, None);
        let both = (Some("http://c:4318/v1/traces"), Some("http://c:4318/v1/metrics"));
        check(&[(ENDPOINT, "http://c:4318")], both.0, both.1);
        check(&[(ENDPOINT, "http://c:4318/")], both.0, both.1);
        check(&[(ENDPOINT, "http://c:4318"), ("OTEL_SDK_DISABLED", "TRUE")], None, None);
        check(&[(ENDPOINT, "http://c:4318"), ("OTEL_TRACES_EXPORTER", "none")], None, both.1);
        check(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://d/x")], Some("http://d/x"), None);
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        for (variables, word) in [
            (&[(ENDPOINT, "https://c")][..], "plain HTTP"),
            (&[(ENDPOINT, "c:4317")], "plain HTTP"),
            (&[(ENDPOINT, "http://me@c")], "an address"),
            (&[(ENDPOINT, "http://c"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")], "4318"),
        ] {
            let fault = of(variables).expect_err("it cannot be done");
            assert!(fault.contains(word), "{fault}");
        }
    }

    #[test]
    fn headers_are_decoded() {
        let expected = [("authorization".to_owned(), "Basic a=b".to_owned()), ("x".to_owned(), String::new())];
        assert_eq!(headers("authorization=Basic%20a=b, x=,nothing,=y"), expected);
    }

    #[test]
    fn an_address_has_a_port() {
        assert_eq!(address("http://c/v1").as_deref(), Ok("c:80"));
        assert_eq!(address("http://[::1]:4318/v1").as_deref(), Ok("[::1]:4318"));
    }
}
