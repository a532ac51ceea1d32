//! Figures of a run for people: what came, how long it took, and how busy everybody was, by local hour. Bounded: one table of
//! counters whatever the number of days.

use std::fmt;

use crate::{
    order::{Ending, Truth},
    rider::{Doing, Rider},
    store::Store,
};

/// Minutes that are told apart; whatever takes longer counts as this.
const MINUTES: usize = 240;

/// Counters, filled while a city lives.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    hours: Vec<Counts>,
    cancelled: u64,
    returned: u64,
}

#[derive(Clone, Debug)]
struct Counts {
    placed: u64,
    seconds: f64,
    /// Deliveries of orders placed in this hour, by their whole minutes.
    minutes: Vec<u64>,
    riders_on_shift: u64,
    riders_busy: u64,
    cooks: u64,
    cooks_busy: u64,
}

/// The figures of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Orders placed.
    pub orders: u64,
    /// Orders that customers got.
    pub delivered: u64,
    /// Orders that somebody did not want any more.
    pub cancelled: u64,
    /// Orders that nobody was at home for.
    pub returned: u64,
    /// From placing to the door.
    pub mean_minutes: f64,
    /// Nine of ten were faster.
    pub p90_minutes: f64,
    /// The same for the orders placed in each local hour.
    pub hours: Vec<HourSummary>,
}

/// One local hour, all days taken together.
#[derive(Clone, Debug, PartialEq)]
pub struct HourSummary {
    /// From 0 to 23.
    pub hour: usize,
    /// Orders placed.
    pub orders: u64,
    /// Mean minutes until they were delivered.
    pub mean_minutes: f64,
    /// Nine of ten were faster.
    pub p90_minutes: f64,
    /// The share of riders on shift who had an order.
    pub riders_busy: f64,
    /// The share of cooks in open stores who cooked.
    pub cooks_busy: f64,
}

impl Default for Tally {
    fn default() -> Self {
        let counts = Counts {
            placed: 0,
            seconds: 0.0,
            minutes: vec![0; MINUTES],
            riders_on_shift: 0,
            riders_busy: 0,
            cooks: 0,
            cooks_busy: 0,
        };
        Self { hours: vec![counts; 24], cancelled: 0, returned: 0 }
    }
}

impl Tally {
    pub(crate) fn placed(&mut self, hour: usize) {
        self.hours[hour].placed += 1;
    }

    pub(crate) fn ended(&mut self, truth: &Truth) {
        match (truth.ending, truth.delivery_seconds()) {
            (Ending::Delivered, Some(seconds)) => {
                let counts = &mut self.hours[truth.hour];
                counts.seconds += seconds;
                counts.minutes[((seconds / 60.0) as usize).min(MINUTES - 1)] += 1;
            }
            (Ending::Returned, _) => self.returned += 1,
            _ => self.cancelled += 1,
        }
    }

    /// Counts who works at this moment.
    pub(crate) fn look(&mut self, hour: usize, riders: &[Rider], stores: &[Store]) {
        let counts = &mut self.hours[hour];
        for rider in riders.iter().filter(|rider| rider.is_on_shift()) {
            counts.riders_on_shift += 1;
            counts.riders_busy += u64::from(rider.doing != Doing::Idle);
        }
        for store in stores.iter().filter(|store| store.is_taking_orders()) {
            counts.cooks += store.cooks as u64;
            counts.cooks_busy += store.cooking as u64;
        }
    }

    pub(crate) fn summary(&self) -> Summary {
        let mut all = vec![0; MINUTES];
        for counts in &self.hours {
            all.iter_mut().zip(&counts.minutes).for_each(|(sum, count)| *sum += count);
        }
        let delivered: u64 = all.iter().sum();
        let seconds: f64 = self.hours.iter().map(|counts| counts.seconds).sum();
        Summary {
            orders: self.hours.iter().map(|counts| counts.placed).sum(),
            delivered,
            cancelled: self.cancelled,
            returned: self.returned,
            mean_minutes: share(seconds / 60.0, delivered as f64),
            p90_minutes: p90(&all),
            hours: self.hours.iter().enumerate().map(|(hour, counts)| counts.summary(hour)).collect(),
        }
    }
}

impl Counts {
    fn summary(&self, hour: usize) -> HourSummary {
        let delivered: u64 = self.minutes.iter().sum();
        HourSummary {
            hour,
            orders: self.placed,
            mean_minutes: share(self.seconds / 60.0, delivered as f64),
            p90_minutes: p90(&self.minutes),
            riders_busy: share(self.riders_busy as f64, self.riders_on_shift as f64),
            cooks_busy: share(self.cooks_busy as f64, self.cooks as f64),
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{} orders: {} delivered, {} cancelled, {} returned; {:.1} minutes on average, nine of ten within {:.0}",
            self.orders, self.delivered, self.cancelled, self.returned, self.mean_minutes, self.p90_minutes
        )?;
        writeln!(formatter, "hour  orders  mean min  p90 min  riders busy  cooks busy")?;
        for hour in self.hours.iter().filter(|hour| hour.orders > 0) {
            writeln!(
                formatter,
                "{:>4}  {:>6}  {:>8.1}  {:>7.0}  {:>10.0}%  {:>9.0}%",
                hour.hour,
                hour.orders,
                hour.mean_minutes,
                hour.p90_minutes,
                hour.riders_busy * 100.0,
                hour.cooks_busy * 100.0
            )?;
        }
        Ok(())
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// The end of the minute within which nine of ten are.
fn p90(minutes: &[u64]) -> f64 {
    let total: u64 = minutes.iter().sum();
    let mut seen = 0;
    let place = minutes.iter().position(|count| {
        seen += count;
        seen * 10 >= total * 9
    });
    if total == 0 { 0.0 } else { place.map_or(0.0, |minute| (minute + 1) as f64) }
}
