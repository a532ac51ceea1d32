//! A seeded evening in which a kitchen district falls behind: what the corrector says beside what is true, and beside the plain decayed
//! mean of what has closed. The figures are those of ADR 0019.

use domain::{Span, Timestamp};
use expect_test::expect;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Corrector, CorrectorRules};

const HALF_LIFE_MINUTES: f64 = 90.0;
/// When the load jumps, in minutes; before it there is time to settle.
const JUMP: f64 = 360.0;
/// From then on preparing takes so much longer, in minutes.
const SLOWER: f64 = 15.0;
const SEEDS: u64 = 40;

/// One order, in minutes.
struct Order {
    placed: f64,
    preparation: f64,
    delivery: f64,
}

/// Both stages are predicted to take what they took before the jump on average.
const PREDICTED: [f64; 2] = [15.0, 20.0];

impl Order {
    fn residual(&self) -> f64 {
        self.preparation + self.delivery - PREDICTED[0] - PREDICTED[1]
    }

    fn closed(&self) -> f64 {
        self.placed + self.preparation + self.delivery
    }
}

/// An order every forty seconds on average; durations are skewed to the right, as real ones are.
fn evening(seed: u64) -> Vec<Order> {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let mut placed = 0.0;
    let mut orders = Vec::new();
    while placed < JUMP + 120.0 {
        placed += chance.random_range(0.0..1.33);
        // The product of two is skewed; its mean is a fourth.
        let mut skewed =
            |least: f64, mean: f64| least + (mean - least) * 4.0 * chance.random_range(0.0..1.0) * chance.random_range(0.0..1.0);
        let preparation = skewed(5.0, PREDICTED[0]) + if placed >= JUMP { SLOWER } else { 0.0 };
        let delivery = skewed(8.0, PREDICTED[1]);
        orders.push(Order { placed, preparation, delivery });
    }
    orders
}

/// In minutes, for orders of an area at one instant.
struct Estimates {
    /// The decayed mean of all orders placed until now, if all of them had closed.
    truth: f64,
    /// The decayed mean of those that have closed.
    plain: f64,
    /// What the corrector says with one stage.
    single: f64,
    /// What it says with two.
    staged: f64,
}

fn estimates(orders: &[Order], now: f64) -> Estimates {
    let truth = mean(orders.iter().map(|order| (order, now - order.placed)));
    let plain = mean(orders.iter().map(|order| (order, now - order.closed())));
    Estimates { truth, plain, single: corrected(orders, now, 1), staged: corrected(orders, now, 2) }
}

/// The mean residual, decayed by these ages; what has none yet does not count.
fn mean<'o>(aged: impl Iterator<Item = (&'o Order, f64)>) -> f64 {
    let known = aged.filter(|(_, age)| *age >= 0.0).map(|(order, age)| (order, libm::exp2(-age / HALF_LIFE_MINUTES)));
    let (weight, sum) = known.fold((0.0, 0.0), |(total, sum), (order, weight)| (total + weight, sum + weight * order.residual()));
    sum / weight
}

fn corrected(orders: &[Order], now: f64, stages: usize) -> f64 {
    let rules = CorrectorRules {
        half_life: Span((HALF_LIFE_MINUTES * 60_000.0) as i64),
        // Nothing is held back and nothing is cut off: this is about the estimate.
        strength: 1.0,
        adjustment_max: 7200.0,
        stages,
        longest: Span(6 * 3_600_000),
    };
    let mut corrector = Corrector::new(rules).expect("sound rules");
    for (minutes, order, stage) in events(orders, stages).into_iter().filter(|(minutes, ..)| *minutes <= now) {
        let name = order.to_string();
        match stage {
            None if stages == 1 => drop(corrector.opened(&name, "a", &[60.0 * (PREDICTED[0] + PREDICTED[1])], at(minutes))),
            None => drop(corrector.opened(&name, "a", &PREDICTED.map(|minutes| 60.0 * minutes), at(minutes))),
            Some(stage) => corrector.ended(&name, stage, at(minutes)),
        }
    }
    corrector.adjustments(at(now)).seconds("a", 0) / 60.0
}

/// Instants at which orders open (no stage) and at which their stages end, in order.
fn events(orders: &[Order], stages: usize) -> Vec<(f64, usize, Option<usize>)> {
    let mut events = Vec::new();
    for (number, order) in orders.iter().enumerate() {
        events.push((order.placed, number, None));
        if stages == 2 {
            events.push((order.placed + order.preparation, number, Some(0)));
        }
        events.push((order.closed(), number, Some(stages - 1)));
    }
    events.sort_by(|(one, ..), (other, ..)| one.total_cmp(other));
    events
}

fn at(minutes: f64) -> Timestamp {
    Timestamp(1_795_000_000_000 + (minutes * 60_000.0) as i64)
}

/// The mean errors of the plain mean and of the corrector with one and two stages, some minutes after the jump; and in how many evenings
/// the corrector with two stages was nearer to the truth than the plain mean.
fn errors(after: f64) -> ([f64; 3], usize) {
    let mut errors = [0.0; 3];
    let mut nearer = 0;
    for seed in 0..SEEDS {
        let Estimates { truth, plain, single, staged } = estimates(&evening(seed), JUMP + after);
        for (error, estimate) in errors.iter_mut().zip([plain, single, staged]) {
            *error += (estimate - truth) / SEEDS as f64;
        }
        nearer += usize::from((staged - truth).abs() < (plain - truth).abs());
    }
    (errors, nearer)
}

#[test]
fn the_plain_mean_is_biased_after_a_jump_and_the_corrector_is_less_so() {
    let mut table = String::new();
    for after in [20.0, 30.0, 40.0, 50.0, 60.0, 90.0] {
        let ([plain, single, staged], nearer) = errors(after);
        table += &format!("{after} min: plain {plain:.1}, one stage {single:.1}, two stages {staged:.1}, nearer in {nearer}\n");
        assert!(plain < -2.0 && plain < single && single < staged && staged < 0.0, "{table}");
        assert!(staged > 0.6 * plain && nearer > 35, "{table}");
    }
    expect![[r#"
        20 min: plain -2.2, one stage -2.1, two stages -1.3, nearer in 40
        30 min: plain -2.9, one stage -2.6, two stages -1.4, nearer in 40
        40 min: plain -3.4, one stage -2.7, two stages -1.2, nearer in 40
        50 min: plain -3.8, one stage -2.6, two stages -1.1, nearer in 40
        60 min: plain -3.9, one stage -2.4, two stages -0.9, nearer in 40
        90 min: plain -3.6, one stage -2.0, two stages -0.7, nearer in 40
    "#]]
    .assert_eq(&table);
}

#[test]
fn nothing_is_corrected_while_nothing_has_changed() {
    let ([plain, single, staged], _) = errors(-1.0);
    for error in [plain, single, staged] {
        assert!(error.abs() < 0.2, "{error} minutes");
    }
}
