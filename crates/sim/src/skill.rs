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
/// The middle of the futures, and the band around it that should hold eight of ten deliveries.
const BAND: [f64; 3] = [0.1, 0.5, 0.9];

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
    /// What whoever knows everything said of each order, to be laid beside what a model says of the same.
    pub predictions: Vec<Prediction>,
}

/// What whoever knows everything said of an order when it was placed, in seconds from there, and what came.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// As in the events of the same settings and seed.
    pub order_id: String,
    /// One of ten futures is faster.
    pub p10_seconds: f64,
    /// The median.
    pub p50_seconds: f64,
    /// Nine of ten futures are faster.
    pub p90_seconds: f64,
    /// What came.
    pub real_seconds: f64,
}

/// An order of the sample.
#[derive(Debug)]
struct Sampled {
    order_id: String,
    /// What could come, sorted.
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
    let (sample, truths) = sample(&mut city, morning.plus(Span(DAY_MS)), every, question, seed);
    Ok(judge(&history, &sample, &truths))
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

/// Lives through the day, looks into the futures of every so many orders, and waits until they have ended.
fn sample(city: &mut City, until: Timestamp, every: u64, question: &Question, seed: u64) -> (Vec<Sampled>, Vec<Truth>) {
    let mut seeds = Chance::new(seed, Stream::Future);
    let (mut sample, mut truths) = (Vec::new(), Vec::new());
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
            sample.push(Sampled { order_id: city.order_name(placed), futures });
        }
    }
    city.advance(until.plus(HORIZON));
    truths.extend(city.take_truths());
    (sample, truths)
}

fn judge(history: &[Truth], sample: &[Sampled], truths: &[Truth]) -> Report {
    let (overall, area_hour) = (Overall::learn(history), AreaHour::learn(history));
    let (mut errors, mut predictions): ([Vec<f64>; 3], Vec<Prediction>) = Default::default();
    for Sampled { order_id, futures } in sample.iter().filter(|sampled| !sampled.futures.is_empty()) {
        let truth = truths.iter().find(|truth| truth.order_id == *order_id);
        let Some((truth, real_seconds)) = truth.and_then(|truth| Some((truth, truth.delivery_seconds()?))) else { continue };
        let [p10_seconds, p50_seconds, p90_seconds] = BAND.map(|share| score::quantile(futures, share));
        let said = [p50_seconds, overall.predict(), area_hour.predict(truth)];
        errors.iter_mut().zip(said).for_each(|(errors, said)| errors.push(said - real_seconds));
        predictions.push(Prediction { order_id: order_id.clone(), p10_seconds, p50_seconds, p90_seconds, real_seconds });
    }
    let is_inside = |said: &&Prediction| (said.p10_seconds..=said.p90_seconds).contains(&said.real_seconds);
    let count = predictions.len().max(1) as f64;
    let [knowing, overall, area_hour] = errors.map(Score::of);
    Report {
        orders: predictions.len(),
        mean_seconds: predictions.iter().map(|said| said.real_seconds).sum::<f64>() / count,
        knowing,
        overall,
        area_hour,
        coverage: predictions.iter().filter(is_inside).count() as f64 / count,
        predictions,
    }
}

#[cfg(test)]
mod tests;
