//! Spans of this process on their way to a collector: batched and sent by a thread of the SDK's, dropped when it cannot keep up.

use std::{sync::Arc, time::Duration};

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use tracing::{Level, Subscriber};
use tracing_subscriber::{Layer, filter::Targets, registry::LookupSpan};

use super::{Collector, otlp};

/// Whose spans are sent. Those of other libraries say nothing about records.
const TOLD: [&str; 2] = ["dataplane", "headway"];

/// Everything that takes spans.
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    /// None when no collector takes them. Which share is sampled is said by `OTEL_TRACES_SAMPLER`, all of them by default.
    pub(super) fn start(collector: &Arc<Collector>, resource: &Resource) -> Option<Self> {
        let exporter = Exporter { collector: collector.takes_traces().then(|| collector.clone())?, resource: resource.clone() };
        Some(Self(SdkTracerProvider::builder().with_resource(resource.clone()).with_batch_exporter(exporter).build()))
    }

    pub(super) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        let layer = tracing_opentelemetry::layer().with_tracer(self.0.tracer("headway"));
        // What the code says of itself - files, threads, idle times - is not what somebody who reads a trace looks for.
        let layer = layer.with_location(false).with_target(false).with_threads(false).with_tracked_inactivity(false);
        layer.with_filter(Targets::new().with_targets(TOLD.map(|target| (target, Level::DEBUG))))
    }

    /// Sends what is left, within this time. Blocks.
    pub(super) fn close(self, within: Duration) {
        // What could not be sent is lost, and a person who waits for the prompt could do nothing about it.
        let _ = self.0.shutdown_with_timeout(within);
    }
}

#[derive(Debug)]
struct Exporter {
    collector: Arc<Collector>,
    resource: Resource,
}

impl SpanExporter for Exporter {
    /// Called by a thread of its own, so that it may block.
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let request = otlp::traces(&self.resource, &batch);
        self.collector.send_traces(&request).map_err(OTelSdkError::InternalFailure)
    }
}
