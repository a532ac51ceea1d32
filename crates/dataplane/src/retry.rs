//! Waiting longer and longer for something that may work in a moment.

use std::time::Duration;

/// The first wait: a lost connection is often back at once.
const FIRST: Duration = Duration::from_millis(20);
/// The longest wait: somebody who mended the other side should see it within seconds.
const LONGEST: Duration = Duration::from_secs(2);

/// How long to wait before the next attempt.
#[derive(Clone, Copy, Debug)]
pub struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Backoff {
    /// Waits, and doubles the wait after it.
    pub async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST);
    }
}

/// Tries until it works or cannot.
pub(crate) async fn insist<T, F: Future<Output = Result<T, ports::Error>>>(
    mut attempt: impl FnMut() -> F,
) -> Result<T, ports::Error> {
    let mut backoff = Backoff::default();
    loop {
        match attempt().await {
            Err(error) if error.kind() == ports::ErrorKind::Transient => backoff.wait().await,
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_a_bound() {
        let mut backoff = Backoff::default();
        let mut waited = Vec::new();
        for _ in 0..9 {
            let begun = tokio::time::Instant::now();
            backoff.wait().await;
            waited.push(begun.elapsed().as_millis());
        }
        assert_eq!(waited, [20, 40, 80, 160, 320, 640, 1280, 2000, 2000]);
    }
}
