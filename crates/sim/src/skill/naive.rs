//! Predictions that anybody can make from a table of past deliveries. They know the order's place and time, and nothing of what
//! goes on in the city.

use std::collections::BTreeMap;

use super::score::median;
use crate::Truth;

/// A district and hour with fewer deliveries takes the median of all.
const DELIVERIES_MIN: usize = 5;

/// The median of all.
#[derive(Debug)]
pub(super) struct Overall {
    seconds: f64,
}

/// A median for each district and hour, and a straight line over the way.
#[derive(Debug)]
pub(super) struct AreaHour {
    seconds_a_metre: f64,
    rests: BTreeMap<(usize, usize), f64>,
    rest: f64,
}

impl Overall {
    pub(super) fn learn(history: &[Truth]) -> Self {
        Self { seconds: median(history.iter().filter_map(Truth::delivery_seconds).collect()) }
    }

    pub(super) fn predict(&self) -> f64 {
        self.seconds
    }
}

impl AreaHour {
    pub(super) fn learn(history: &[Truth]) -> Self {
        let deliveries: Vec<(&Truth, f64)> =
            history.iter().filter_map(|truth| truth.delivery_seconds().map(|seconds| (truth, seconds))).collect();
        let seconds_a_metre = slope(&deliveries);
        let rest = |(truth, seconds): &(&Truth, f64)| seconds - seconds_a_metre * truth.metres;
        let mut cells: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
        for delivery in &deliveries {
            cells.entry((delivery.0.district, delivery.0.hour)).or_default().push(rest(delivery));
        }
        cells.retain(|_, rests| rests.len() >= DELIVERIES_MIN);
        let rests = cells.into_iter().map(|(cell, rests)| (cell, median(rests))).collect();
        Self { seconds_a_metre, rests, rest: median(deliveries.iter().map(rest).collect()) }
    }

    pub(super) fn predict(&self, truth: &Truth) -> f64 {
        let rest = self.rests.get(&(truth.district, truth.hour)).copied().unwrap_or(self.rest);
        rest + self.seconds_a_metre * truth.metres
    }
}

/// Seconds for each metre, by least squares.
fn slope(deliveries: &[(&Truth, f64)]) -> f64 {
    let count = deliveries.len().max(1) as f64;
    let metres = deliveries.iter().map(|(truth, _)| truth.metres).sum::<f64>() / count;
    let seconds = deliveries.iter().map(|(_, seconds)| seconds).sum::<f64>() / count;
    let (both, own) = deliveries.iter().fold((0.0, 0.0), |(both, own), (truth, took)| {
        let off = truth.metres - metres;
        (both + off * (took - seconds), own + off * off)
    });
    if own > 0.0 { both / own } else { 0.0 }
}
