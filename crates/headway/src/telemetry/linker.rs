//! Links a step to the traces in which its records were made, by the headers that these carry.

use std::sync::Arc;

use dataplane::features::Linker;
use opentelemetry::{
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanContext, TraceContextExt},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// One header, as the propagator wants to be asked.
struct TraceParent<'a>(&'a str);

impl Extractor for TraceParent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == "traceparent").then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

/// Does nothing while nobody takes traces.
pub(crate) fn linker() -> Linker {
    Arc::new(|span, header| {
        if let Some(context) = context(header) {
            span.add_link(context);
        }
    })
}

/// What a header names; none when it is not one.
fn context(header: &[u8]) -> Option<SpanContext> {
    let header = std::str::from_utf8(header).ok()?;
    let found = TraceContextPropagator::new().extract_with_context(&opentelemetry::Context::new(), &TraceParent(header));
    let context = found.span().span_context().clone();
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_names_a_span() {
        let context = context(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").expect("a context");
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
    }

    #[test]
    fn what_is_no_header_is_no_link() {
        for header in [&b""[..], b"\xff", b"hello", b"00-00000000000000000000000000000000-00f067aa0ba902b7-01"] {
            assert!(context(header).is_none(), "{header:?}");
        }
    }
}
