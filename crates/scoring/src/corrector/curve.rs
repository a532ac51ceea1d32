//! The residuals of one stage: how much longer it took than predicted, decayed, with those counted in that have not ended yet.
//!
//! Fast ones end first, so the mean of what has ended says less than the truth whenever something has just changed. An order that is
//! still open says something, too: its residual is *at least* its age less its prediction. That is a right-censored observation, and the
//! mean below is that of the Kaplan-Meier estimate with weights, which is the same as weighting each ended one by the inverse of its
//! probability of not being censored before. This file knows neither areas nor clocks: whoever calls it decides what a residual weighs.

use std::collections::BTreeMap;

use crate::state::{Reader, StateFault, Writer};

/// Residuals are gathered in bins of a minute, finer than any promise.
const BIN_SECONDS: f64 = 60.0;
/// Residuals beyond six hours are those of lost events, and count as six hours.
const RESIDUAL_MAX: f64 = 6.0 * 3600.0;

/// Residuals of stages that have ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Curve {
    bins: BTreeMap<i32, Bin>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bin {
    weight: f64,
    /// The residuals, each times its weight.
    sum: f64,
}

/// A stage that is still open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Censored {
    /// Its residual is at least this.
    pub(super) at_least: f64,
    pub(super) weight: f64,
}

impl Curve {
    /// A stage has ended.
    pub(super) fn ended(&mut self, residual: f64, weight: f64) {
        let residual = residual.clamp(-RESIDUAL_MAX, RESIDUAL_MAX);
        let bin = self.bins.entry(bin(residual)).or_default();
        bin.weight += weight;
        bin.sum += weight * residual;
    }

    /// What all that has ended weighs.
    pub(super) fn weight(&self) -> f64 {
        self.bins.values().map(|bin| bin.weight).sum()
    }

    /// The mean residual by Kaplan and Meier, of those that have ended and those that are still open. None when nothing has ended.
    ///
    /// What is open beyond the last that ended is taken to end now: the least that can be true.
    pub(super) fn mean(&self, open: &[Censored]) -> Option<f64> {
        let (last, _) = self.bins.last_key_value()?;
        let mut censored: BTreeMap<i32, f64> = BTreeMap::new();
        let mut beyond = Bin::default();
        for Censored { at_least, weight } in open {
            let at_least = at_least.clamp(-RESIDUAL_MAX, RESIDUAL_MAX);
            *censored.entry(bin(at_least)).or_default() += weight;
            if bin(at_least) >= *last {
                beyond.weight += weight;
                beyond.sum += weight * at_least;
            }
        }
        let mut mean = 0.0;
        let mut surviving = 1.0;
        let mut at_risk = self.weight() + censored.values().sum::<f64>();
        let mut leaving = censored.iter().peekable();
        for (place, bin) in &self.bins {
            // Whoever was censored in a bin was at risk in it.
            while let Some((_, weight)) = leaving.next_if(|(of, _)| *of < place) {
                at_risk -= weight;
            }
            let share = (bin.weight / at_risk.max(bin.weight)).min(1.0);
            mean += surviving * share * (bin.sum / bin.weight);
            surviving *= 1.0 - share;
            at_risk -= bin.weight;
        }
        let tail = if beyond.weight > 0.0 { beyond.sum / beyond.weight } else { f64::from(*last) * BIN_SECONDS };
        Some(mean + surviving * tail)
    }

    /// Makes everything lighter by a power of two, which is exact, and forgets what has become too light to matter.
    pub(super) fn lighten(&mut self, factor: f64, weight_min: f64) {
        self.bins.values_mut().for_each(|bin| {
            bin.weight *= factor;
            bin.sum *= factor;
        });
        self.bins.retain(|_, bin| bin.weight >= weight_min);
    }

    /// Whether nothing is known.
    pub(super) fn is_empty(&self) -> bool {
        self.bins.is_empty()
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.word(self.bins.len() as u64);
        for (place, bin) in &self.bins {
            writer.word(i64::from(*place).cast_unsigned());
            writer.number(bin.weight);
            writer.number(bin.sum);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, StateFault> {
        let mut bins = BTreeMap::new();
        for _ in 0..reader.count(24)? {
            let place = i32::try_from(reader.word()?.cast_signed()).map_err(|_| StateFault::Damaged("a bin is out of range"))?;
            let (weight, sum) = (reader.number()?, reader.number()?);
            if place.abs() > bin(RESIDUAL_MAX) || weight <= 0.0 {
                return Err(StateFault::Damaged("a bin is out of range"));
            }
            bins.insert(place, Bin { weight, sum });
        }
        Ok(Self { bins })
    }
}

fn bin(residual: f64) -> i32 {
    (residual / BIN_SECONDS).floor() as i32
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;

    use super::{Censored, Curve};

    fn curve(ended: &[(f64, f64)]) -> Curve {
        let mut curve = Curve::default();
        ended.iter().for_each(|(residual, weight)| curve.ended(*residual, *weight));
        curve
    }

    #[test]
    fn without_open_ones_it_is_the_weighted_mean() {
        let mean = curve(&[(-300.0, 1.0), (0.0, 1.0), (600.0, 2.0)]).mean(&[]).unwrap();
        assert!((mean - 225.0).abs() < 1e-9, "{mean}");
        assert_eq!(curve(&[]).mean(&[Censored { at_least: 900.0, weight: 1.0 }]), None);
    }

    #[test]
    fn an_open_one_ends_like_those_that_came_as_far() {
        // A fourth of all ended early. The open one came as far as the other two, and is shared out among them.
        let open = [Censored { at_least: 10.0, weight: 1.0 }];
        let mean = curve(&[(-300.0, 1.0), (600.0, 1.0), (1200.0, 1.0)]).mean(&open).unwrap();
        assert!((mean - (0.25 * -300.0 + 0.375 * 600.0 + 0.375 * 1200.0)).abs() < 1e-9, "{mean}");
    }

    #[test]
    fn what_is_open_beyond_all_others_counts_as_what_it_is_already() {
        let open = [Censored { at_least: 1800.0, weight: 1.0 }];
        let mean = curve(&[(-300.0, 1.0), (300.0, 2.0)]).mean(&open).unwrap();
        assert!((mean - (0.25 * -300.0 + 0.5 * 300.0 + 0.25 * 1800.0)).abs() < 1e-9, "{mean}");
    }

    #[test]
    fn an_open_one_that_came_nowhere_changes_nothing() {
        let ended = [(-300.0, 1.0), (600.0, 1.0), (1200.0, 1.0)];
        let young = [Censored { at_least: -1500.0, weight: 5.0 }];
        assert!((curve(&ended).mean(&young).unwrap() - 500.0).abs() < 1e-9);
    }

    /// By the book: one after the other, on the middles of bins so that both see the same ties.
    fn naive(ended: &[(f64, f64)], open: &[Censored]) -> f64 {
        let mut times: Vec<f64> = ended.iter().map(|(residual, _)| *residual).collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        let (mut surviving, mut mean) = (1.0, 0.0);
        for time in &times {
            let died: f64 = ended.iter().filter(|(residual, _)| residual == time).map(|(_, weight)| weight).sum();
            let ended_later: f64 = ended.iter().filter(|(residual, _)| residual >= time).map(|(_, weight)| weight).sum();
            let open_later: f64 = open.iter().filter(|open| open.at_least >= *time).map(|open| open.weight).sum();
            let share = died / (ended_later + open_later);
            mean += surviving * share * time;
            surviving *= 1.0 - share;
        }
        let beyond = open.iter().filter(|open| open.at_least >= times[times.len() - 1]);
        let (weight, sum) =
            beyond.fold((0.0, 0.0), |(weight, sum), open| (weight + open.weight, sum + open.weight * open.at_least));
        if weight > 0.0 { mean + surviving * sum / weight } else { mean }
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_the_book(ended in vec((-90i32..90, 0.01..4.0), 1..30), open in vec((-90i32..120, 0.01..4.0), 0..30)) {
            let middle = |minute: i32| f64::from(minute) * 60.0 + 30.0;
            let ended: Vec<(f64, f64)> = ended.iter().map(|(minute, weight)| (middle(*minute), *weight)).collect();
            let open: Vec<Censored> =
                open.iter().map(|(minute, weight)| Censored { at_least: middle(*minute), weight: *weight }).collect();
            let (found, naive) = (curve(&ended).mean(&open).unwrap(), naive(&ended, &open));
            assert!((found - naive).abs() < 1e-6, "{found} and {naive}");
        }
    }
}
