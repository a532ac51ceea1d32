//! Figures over the last seconds out of counts that only grow. Never reads a clock: how long it runs is an argument.

use std::{collections::VecDeque, time::Duration};

use dataplane::features::{Counts, Freshness};

/// One figure of throughput a second: quicker than that nobody can read it.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// Samples for how quickly things are readable now: a minute, so that one slow step does not hide as soon as it came.
const SAMPLES_MAX: usize = 60;
/// Figures of throughput that are kept: a bar each on a very wide screen.
pub(super) const RATES_MAX: usize = 240;

/// Looks at counts now and then.
#[derive(Debug, Default)]
pub(super) struct Figures {
    samples: VecDeque<Sample>,
    rates: VecDeque<u64>,
}

#[derive(Debug)]
struct Sample {
    at: Duration,
    records: u64,
    waited: Vec<(u64, u64)>,
}

impl Figures {
    /// Notes the counts at a time since the beginning. May be told as often as anybody likes.
    pub(super) fn note(&mut self, at: Duration, counts: &Counts) {
        let before = self.samples.back().map_or((Duration::ZERO, 0), |sample| (sample.at, sample.records));
        let passed = at.saturating_sub(before.0);
        if passed < SAMPLE_EVERY && !self.samples.is_empty() {
            return;
        }
        if !self.samples.is_empty() {
            let rate = counts.records.saturating_sub(before.1) as f64 / passed.as_secs_f64();
            self.rates.push_back(rate.round() as u64);
        }
        self.samples.push_back(Sample { at, records: counts.records, waited: counts.freshness.cumulative().collect() });
        self.samples.drain(..self.samples.len().saturating_sub(SAMPLES_MAX));
        self.rates.drain(..self.rates.len().saturating_sub(RATES_MAX));
    }

    /// Records taken in each of the last seconds, the latest last.
    pub(super) fn rates(&self) -> Vec<u64> {
        self.rates.iter().copied().collect()
    }

    /// What this share of the records of the last minute waited at most; none when there were none.
    pub(super) fn waited(&self, freshness: &Freshness, share: f64) -> Option<u64> {
        let before = |place: usize| self.samples.front().map_or(0, |sample| sample.waited[place].1);
        let since: Vec<(u64, u64)> = freshness
            .cumulative()
            .enumerate()
            .map(|(place, (bound, count))| (bound, count.saturating_sub(before(place))))
            .collect();
        let all = since.last().map_or(0, |(_, count)| *count);
        let wanted = (all as f64 * share).ceil() as u64;
        since.into_iter().find(|(_, count)| all > 0 && *count >= wanted).map(|(bound, _)| bound)
    }
}

/// Milliseconds of a hurried clock in those of a watch.
pub(super) fn real_ms(ms: u64, speed: f64) -> u64 {
    (ms as f64 / speed).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(records: u64, waited: &[(u64, u64)]) -> Counts {
        let mut counts = Counts { records, ..Counts::default() };
        waited.iter().for_each(|(ms, records)| counts.freshness.note(*ms, *records));
        counts
    }

    #[test]
    fn throughput_is_noted_once_a_second_and_bounded() {
        let mut figures = Figures::default();
        for quarter in 0..4 * 500_u32 {
            figures.note(Duration::from_millis(250) * quarter, &counts(u64::from(quarter) * 100, &[]));
        }
        assert_eq!(figures.rates(), [400; RATES_MAX]);
        assert_eq!(figures.samples.len(), SAMPLES_MAX);
    }

    #[test]
    fn how_long_records_waited_forgets_what_was_before() {
        let mut figures = Figures::default();
        let slow = counts(100, &[(5000, 100)]);
        figures.note(Duration::ZERO, &slow);
        assert_eq!(figures.waited(&slow.freshness, 0.5), None, "nothing came since");
        let then = counts(200, &[(5000, 100), (3, 99), (60, 1)]);
        assert_eq!(figures.waited(&then.freshness, 0.5), Some(3));
        assert_eq!(figures.waited(&then.freshness, 1.0), Some(63), "the bound of its bin");
    }

    #[test]
    fn a_hurried_millisecond_is_never_shown_as_none() {
        assert_eq!([real_ms(0, 60.0), real_ms(1, 60.0), real_ms(61, 60.0), real_ms(7, 1.0)], [0, 1, 2, 7]);
    }
}
