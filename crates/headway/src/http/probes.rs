//! What the process says of itself when it is asked over HTTP.

use std::sync::Arc;

use api::Probes;

use crate::{host::Host, telemetry::Gatherer};

/// Asks one host.
pub(crate) struct Asks {
    host: Arc<Host>,
    gatherer: Arc<Gatherer>,
}

impl Asks {
    pub(super) fn new(host: Arc<Host>, gatherer: Arc<Gatherer>) -> Self {
        Self { host, gatherer }
    }
}

impl Probes for Asks {
    async fn metrics(&self) -> String {
        crate::telemetry::text(&self.gatherer.families().await)
    }

    fn live(&self) -> Result<String, String> {
        // Whoever asks is answered by the threads that the workers run on, so an answer is proof that they turn.
        self.host.has_failed().map_or(Ok("alive".to_owned()), Err)
    }

    fn ready(&self) -> Result<String, String> {
        let readiness = self.host.readiness();
        let words = readiness.words();
        if readiness.is_ready() { Ok(format!("ready: {words}")) } else { Err(words) }
    }
}
