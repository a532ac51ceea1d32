//! How well anybody could predict: the error of somebody who knows everything that can be seen when an order is placed, beside
//! two naive ways. What a model reaches is judged against these, not against zero.
//!
//! Whoever knows everything takes a copy of the city at the moment of placing, forgets what nobody can know yet, lets many
//! futures happen, and says their median. Never looks at what really came before it has said so.

mod naive;
mod score;

use domain::{Span, Timestamp};

use self::naive::{AreaHour, Overall};
pub use self::score::Score;
use crate::{
    City, Error, Settings, Truth,
    chance::{Chance, Stream},
    error::Faults,
};

/// A future in which an order has not ended by then is none with a delivery.
const HORIZON: Span = Span(4 * 3_600_000);
/// More history than this says nothing new about a median.
const HISTORY_DAYS_MAX: u32 = 60;
/// A median of so many futures is as good as any; beyond, it only takes longer.
const CONTINUATIONS_MAX: usize = 1001;
/// A day has hardly more in the largest city that `Settings` allow.
const SAMPLE_MAX: usize = 1_000_000;
const DAY_MS: i64 = 86_400_000;
/// The share of deliveries that the middle of the futures should hold.
const BAND: [f64; 2] = [0.1, 0.9];

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// About how many orders of the day are predicted.
    pub sample: usize,
    /// How many futures each prediction is the median of.
    pub continuations: usize,
    /// How many days the naive ways learn from before.
    pub history_days: u32,
}

/// How well each way predicted the same orders.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Orders that were delivered and predicted.
    pub orders: usize,
    /// Their real mean, in seconds.
    pub mean_seconds: f64,
    /// Who knows everything that can be seen.
    pub knowing: Score,
    /// The median of all deliveries of the days before.
    pub overall: Score,
    /// The median of the customer's district and the local hour, and something for each metre.
    pub area_hour: Score,
    /// The share of deliveries within the middle eight tenths of their futures: near 0.8, or the futures are wrong.
    pub coverage: f64,
}

/// What was said of an order when it was placed.
#[derive(Debug)]
struct Prediction {
    order: String,
    /// Sorted.
    futures: Vec<f64>,
}

impl Default for Question {
    fn default() -> Self {
        Self { sample: 200, continuations: 51, history_days: 3 }
    }
}

/// Lives through some days of history and predicts a sample of the orders of the next.
pub fn report(settings: &Settings, seed: u64, question: &Question) -> Result<Report, Error> {
    question.check()?;
    let mut city = City::muted(settings.clone(), seed)?;
    let morning = settings.start.plus(Span(DAY_MS * i64::from(question.history_days)));
    city.advance(morning);
    let history = city.take_truths();
    let a_day = city.orders_placed() / u64::from(question.history_days);
    let every = (a_day / question.sample as u64).max(1);
    let (predictions, truths) = predict(&mut city, morning.plus(Span(DAY_MS)), every, question, seed);
    Ok(judge(&history, &predictions, &truths))
}

impl Question {
    fn check(&self) -> Result<(), Error> {
        let mut faults = Faults::default();
        faults.within("sample", self.sample, 1, SAMPLE_MAX);
        faults.within("continuations", self.continuations, 1, CONTINUATIONS_MAX);
        faults.within("history_days", self.history_days, 1, HISTORY_DAYS_MAX);
        faults.finish()
    }
}

/// Lives through the day, predicts every so many orders, and waits until they have ended.
fn predict(city: &mut City, until: Timestamp, every: u64, question: &Question, seed: u64) -> (Vec<Prediction>, Vec<Truth>) {
    let mut seeds = Chance::new(seed, Stream::Future);
    let (mut predictions, mut truths) = (Vec::new(), Vec::new());
    let mut placed = city.orders_placed();
    while city.now() < until {
        city.step();
        truths.extend(city.take_truths());
        let is_placed = city.orders_placed() > placed;
        placed = city.orders_placed();
        if is_placed && placed.is_multiple_of(every) {
            let horizon = city.now().plus(HORIZON);
            let futures = (0..question.continuations).map(|_| city.fork(seeds.number()).deliver(placed, horizon));
            let mut futures: Vec<f64> = futures.flatten().collect();
            futures.sort_by(f64::total_cmp);
            predictions.push(Prediction { order: crate::city::order_name(placed), futures });
        }
    }
    city.advance(until.plus(HORIZON));
    truths.extend(city.take_truths());
    (predictions, truths)
}

fn judge(history: &[Truth], predictions: &[Prediction], truths: &[Truth]) -> Report {
    let (overall, area_hour) = (Overall::learn(history), AreaHour::learn(history));
    let mut errors: [Vec<f64>; 3] = Default::default();
    let (mut seconds, mut inside) = (0.0, 0);
    for prediction in predictions.iter().filter(|prediction| !prediction.futures.is_empty()) {
        let truth = truths.iter().find(|truth| truth.order_id == prediction.order);
        let Some((truth, real)) = truth.and_then(|truth| Some((truth, truth.delivery_seconds()?))) else { continue };
        let said = [score::quantile(&prediction.futures, 0.5), overall.predict(), area_hour.predict(truth)];
        errors.iter_mut().zip(said).for_each(|(errors, said)| errors.push(said - real));
        let [low, high] = BAND.map(|share| score::quantile(&prediction.futures, share));
        inside += usize::from((low..=high).contains(&real));
        seconds += real;
    }
    let orders = errors[0].len();
    let [knowing, overall, area_hour] = errors.map(Score::of);
    let share = |part: f64| if orders > 0 { part / orders as f64 } else { 0.0 };
    Report { orders, mean_seconds: share(seconds), knowing, overall, area_hour, coverage: share(inside as f64) }
}

#[cfg(test)]
mod tests;
