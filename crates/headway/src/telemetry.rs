//! What a running Headway tells the outside about itself: metrics to whoever asks, metrics and traces to a collector, lines for a
//! person on standard error. Nothing that runs ever waits for any of them, and no key of an entity is in any of them.

mod collector;
mod declared;
mod family;
mod gather;
mod linker;
mod logs;
mod otlp;
mod page;
mod process;
mod push;
mod text;
mod traces;

use std::{sync::Arc, time::Duration};

use opentelemetry_sdk::Resource;
use tracing_subscriber::{Registry, layer::SubscriberExt};

use crate::{arguments::Telling, console::Console, failure::Failure, host::Host};
pub(crate) use collector::Collector;
pub(crate) use gather::Gatherer;
pub(crate) use linker::linker;
pub(crate) use page::reference;
pub(crate) use text::text;
use traces::Traces;

/// What may be sent at the end is sent within this. Together with the grace of the workers and of threads that wait, a stop stays
/// below two seconds even when the collector hangs.
const FLUSH_WITHIN: Duration = Duration::from_millis(200);

/// The telemetry of one process.
pub(crate) struct Telemetry {
    collector: Option<Arc<Collector>>,
    resource: Resource,
    traces: Option<Traces>,
    push: Option<push::Push>,
    /// What a person should hear about it.
    announcements: Vec<String>,
}

impl Telemetry {
    /// Begins to listen to what happens in this process. `on_screen` when a live page has the terminal.
    pub(crate) fn start(telling: &Telling, console: &Console, on_screen: bool) -> Result<Self, Failure> {
        let mut announcements = Vec::new();
        let collector = Collector::from_environment().unwrap_or_else(|fault| {
            announcements.push(fault);
            None
        });
        let collector = collector.map(Arc::new);
        let resource = otlp::resource();
        let traces = collector.as_ref().and_then(|collector| Traces::start(collector, &resource));
        let logs = logs::Wanted::of(telling, console, on_screen)?;
        announcements.extend(logs.announcement());
        let (lines, spans) = (logs.layer(), traces.as_ref().map(Traces::layer));
        if lines.is_some() || spans.is_some() {
            let subscriber = Registry::default().with(spans).with(lines);
            let set = tracing::subscriber::set_global_default(subscriber);
            set.map_err(|error| Failure::failed(format!("cannot listen to this process: {error}")))?;
        }
        Ok(Self { collector, resource, traces, push: None, announcements })
    }

    /// Goes on with a host: its metrics are sent from now on.
    pub(crate) fn follow(&mut self, host: &Arc<Host>, gatherer: &Arc<Gatherer>) {
        self.announcements.drain(..).for_each(|words| host.announce(words));
        if let Some(collector) = self.collector.as_ref().filter(|collector| collector.takes_metrics()) {
            self.push = Some(push::Push::start(collector.clone(), gatherer.clone(), &self.resource));
        }
    }

    /// Sends what is left, as far as that can be done in time.
    pub(crate) async fn close(self) {
        let flush = self.traces.map(|traces| tokio::task::spawn_blocking(move || traces.close(FLUSH_WITHIN)));
        let last = async {
            if let Some(push) = self.push {
                push.close().await;
            }
            if let Some(flush) = flush {
                let _ = flush.await;
            }
        };
        // What does not reach a collector in time is lost, and everything that counts is in the log.
        let _ = tokio::time::timeout(FLUSH_WITHIN, last).await;
    }
}
