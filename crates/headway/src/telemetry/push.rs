//! Metrics to a collector, now and then. A collector that is slow or gone costs a task that waits, and nothing else.

use std::{sync::Arc, time::Duration};

use opentelemetry_sdk::Resource;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{Collector, Gatherer, otlp};
use crate::host::wall_clock;

/// What OpenTelemetry says for those who say nothing.
const EVERY: Duration = Duration::from_secs(60);
const VARIABLE: &str = "OTEL_METRIC_EXPORT_INTERVAL";

/// The task that sends.
pub(super) struct Push {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

struct Sending {
    collector: Arc<Collector>,
    gatherer: Arc<Gatherer>,
    resource: Resource,
    begun_at: domain::Timestamp,
}

impl Push {
    pub(super) fn start(collector: Arc<Collector>, gatherer: Arc<Gatherer>, resource: &Resource) -> Self {
        let sending = Sending { collector, gatherer, resource: resource.clone(), begun_at: wall_clock() };
        let asked = std::env::var(VARIABLE).ok().and_then(|ms| ms.parse().ok()).filter(|ms| *ms > 0);
        let every = asked.map_or(EVERY, Duration::from_millis);
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            while tokio::time::timeout(every, &mut stopped).await.is_err() {
                sending.send().await;
            }
            sending.send().await;
        });
        Self { stop, task }
    }

    /// Sends a last time.
    pub(super) async fn close(self) {
        let _ = self.stop.send(());
        let _ = self.task.await;
    }
}

impl Sending {
    async fn send(&self) {
        let families = self.gatherer.families().await;
        let request = otlp::metrics(&self.resource, &families, self.begun_at, wall_clock());
        let collector = self.collector.clone();
        // Values are sums since the start, so the next time makes up for one that failed; the collector says that it did.
        let _ = tokio::task::spawn_blocking(move || collector.send_metrics(&request)).await;
    }
}
