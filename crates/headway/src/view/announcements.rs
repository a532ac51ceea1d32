//! What a person should hear, one thing after the other on one line. Never reads a clock.

use std::{collections::VecDeque, time::Duration};

/// Long enough to read a sentence.
const EACH: Duration = Duration::from_secs(8);
/// When more than this wait, the older ones are passed over: nobody waits two minutes for a line.
const WAITING_MAX: usize = 16;

/// Announcements in their order.
#[derive(Debug, Default)]
pub(super) struct Announcements {
    waiting: VecDeque<String>,
    shown: Option<(Duration, String)>,
}

impl Announcements {
    /// Takes more of them.
    pub(super) fn add(&mut self, told: impl IntoIterator<Item = String>) {
        self.waiting.extend(told);
        self.waiting.drain(..self.waiting.len().saturating_sub(WAITING_MAX));
    }

    /// The one to show at a time since the beginning. The last one stays.
    pub(super) fn at(&mut self, now: Duration) -> Option<&str> {
        if self.shown.as_ref().is_none_or(|(since, _)| now.saturating_sub(*since) >= EACH)
            && let Some(next) = self.waiting.pop_front()
        {
            self.shown = Some((now, next));
        }
        self.shown.as_ref().map(|(_, words)| words.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_can_be_read_and_the_last_stays() {
        let mut announcements = Announcements::default();
        assert_eq!(announcements.at(Duration::ZERO), None);
        announcements.add(["resumed".to_owned(), "rebuilt".to_owned()]);
        let seconds = [0, 7, 8, 500].map(Duration::from_secs);
        let shown = seconds.map(|at| announcements.at(at).map(str::to_owned));
        assert_eq!(shown.map(Option::unwrap_or_default), ["resumed", "resumed", "rebuilt", "rebuilt"]);
    }

    #[test]
    fn a_flood_leaves_the_newest() {
        let mut announcements = Announcements::default();
        announcements.add((0..100).map(|number| number.to_string()));
        assert_eq!(announcements.at(Duration::ZERO), Some("84"));
        assert_eq!(announcements.waiting.len(), WAITING_MAX - 1);
    }
}
