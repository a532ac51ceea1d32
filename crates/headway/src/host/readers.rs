//! What readers are told: which generation of each group they read.

use std::{sync::Arc, time::Duration};

use dataplane::deploy;
use ports::{ErrorKind, OnlineStore};
use tracing::warn;

use super::Hosted;

/// How often it is looked whether the online store still knows it.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// After how long a store that could not be told is told again.
const TRY_AGAIN: Duration = Duration::from_millis(250);

impl Hosted {
    /// Tells readers what to read, unless they know.
    pub(super) async fn tell_readers(&self) -> Result<(), ports::Error> {
        let wanted = deploy::serving(&self.deployment());
        let there = self.online.serving().await?;
        if wanted.iter().all(|one| there.contains(one)) { Ok(()) } else { self.online.serve(&wanted).await }
    }
}

/// Tells them whenever the online store has forgotten it. While it is away there is nobody to tell.
pub(super) async fn keep_told(hosted: Arc<Hosted>) {
    loop {
        let told = hosted.tell_readers().await;
        if let Err(error) = told.as_ref()
            && error.kind() != ErrorKind::Transient
        {
            warn!(%error, pipeline = hosted.id, "readers cannot be told what to read");
        }
        tokio::time::sleep(if told.is_ok() { LOOK_EVERY } else { TRY_AGAIN }).await;
    }
}
