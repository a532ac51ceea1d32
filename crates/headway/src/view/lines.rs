//! A line now and then, for where there is no terminal or none is wanted.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    console::Console,
    failure::Failure,
    host::Host,
    table::grouped,
    view::{LOOK_EVERY, figures::real_ms},
};

/// How often a line is printed.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// Remembers what the last line said.
pub(super) struct Lines {
    last: Option<(Instant, u64)>,
}

impl Lines {
    pub(super) fn new() -> Self {
        Self { last: None }
    }

    /// Lines for ever, the first one at once.
    pub(super) async fn show(&mut self, host: &Host, console: &Console, begun: Instant) -> Result<(), Failure> {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            for announcement in host.take_announcements().into_iter().chain(host.clock_jump()) {
                console.line(&announcement)?;
            }
            if self.last.is_none_or(|(at, _)| at.elapsed() >= LINE_EVERY) {
                let line = self.line(host, begun).await?;
                console.line(&line)?;
            }
        }
    }

    async fn line(&mut self, host: &Host, begun: Instant) -> Result<String, Failure> {
        let status = host.status().await?;
        let (now, records) = (Instant::now(), status.counts.records);
        let (before, taken) = self.last.replace((now, records)).unwrap_or((begun, 0));
        let rate = records.saturating_sub(taken) as f64 / now.duration_since(before).as_secs_f64().max(f64::EPSILON);
        let predictions = status.predictions.as_ref();
        let predictions = predictions.map_or(String::new(), |told| format!("  {:>9} predictions", grouped(told.predictions)));
        Ok(format!(
            "{}  {:>9} events/s  readable within {:>4} ms  {:>8} behind  {:>9} entities{predictions}  {} refused",
            host.clock().now(),
            grouped(rate as u64),
            real_ms(status.counts.freshness.quantile(0.99), host.options.pace.hurry()),
            grouped(status.lag_records),
            grouped(status.counts.entities),
            grouped(status.counts.refused.values().sum()),
        ))
    }
}
