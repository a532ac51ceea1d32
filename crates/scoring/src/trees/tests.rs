//! Trees beside the plainest way to read a definition, item by item with the tests as they are named; and definitions that are none.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::definition::{Aggregate, Definition, Item, Test, at_most, below, equal};
use super::{Ensemble, Nodes, Scratch};

const FEATURES: usize = 6;

/// What is interesting to a comparison with one of `BOUNDS`.
const BOUNDS: [f32; 9] = [0.0, 1.0, -1.5, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, 1e-40, 3.0];

#[test]
fn random_forests_say_what_their_definitions_say() {
    for seed in 0..300 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let definition = forest(&mut random);
        let ensemble = Ensemble::plant(&definition).expect("a sound definition");
        let rows: Vec<f32> = (0..FEATURES * 77).map(|_| value(&mut random)).collect();
        let together = predict(&ensemble, &rows);
        for (row, together) in rows.chunks(FEATURES).zip(together.chunks(definition.targets)) {
            let expected = naive(&definition, row);
            for (together, expected) in together.iter().zip(&expected) {
                assert!(
                    (together - expected).abs() <= 1e-5 * expected.abs().max(1.0),
                    "seed {seed}: {together} is not {expected}"
                );
            }
            let alone = predict(&ensemble, row);
            assert_eq!(bits(&alone), bits(together), "seed {seed}: alone and in a batch");
        }
    }
}

#[test]
fn a_tree_that_16_bits_do_not_reach_across_is_walked_as_well() {
    let (mut items, depth) = (Vec::new(), 16);
    for at in 0..(1 << depth) - 1 {
        items.push(split(at % FEATURES, Test::AtMost(at as f32), 2 * at + 1, 2 * at + 2));
    }
    items.extend((0..1 << depth).map(|leaf| Item::Leaf(vec![(0, leaf as f32)])));
    let definition = Definition { items, roots: vec![0], ..one_leaf(0.0) };
    let ensemble = Ensemble::plant(&definition).unwrap();
    assert!(matches!(ensemble.nodes, Nodes::Wide(_)));
    for value in [-1.0, 17.0, 4_000.5, 1e9, f32::NAN] {
        let row = [value; FEATURES];
        assert_eq!(predict(&ensemble, &row), naive(&definition, &row), "{value}");
    }
}

#[test]
fn bounds_in_double_precision_keep_their_side() {
    let third = 1.0 / 3.0;
    for value in [0.333_333_3_f32, 0.333_333_34, (third as f32).next_up(), (third as f32).next_down()] {
        assert_eq!(value <= at_most(third), f64::from(value) <= third, "{value}");
        assert_eq!(value < below(third), f64::from(value) < third, "{value}");
        assert_eq!(value == equal(third), f64::from(value) == third, "{value}");
    }
    assert_eq!(equal(2.0), 2.0);
    assert_eq!(at_most(1e300), f32::MAX);
    assert_eq!(below(1e300), f32::INFINITY);
}

#[test]
fn what_is_no_forest_is_refused() {
    let leaf = || Item::Leaf(vec![(0, 1.0)]);
    let circle = vec![split(0, Test::AtMost(0.0), 1, 0), leaf()];
    check(Definition { items: circle, ..one_leaf(1.0) }, "two ways lead to the same node");
    let shared = vec![split(0, Test::AtMost(0.0), 1, 1), leaf()];
    check(Definition { items: shared, ..one_leaf(1.0) }, "two ways lead to the same node");
    let outside = vec![split(0, Test::AtMost(0.0), 1, 7), leaf()];
    check(Definition { items: outside, ..one_leaf(1.0) }, "leads to 7, which does not exist");
    check(Definition { items: vec![leaf(), leaf()], ..one_leaf(1.0) }, "no way leads to node 1");
    check(Definition { roots: vec![], items: vec![], ..one_leaf(1.0) }, "it has no tree");
    check(Definition { roots: vec![0, 0], ..one_leaf(1.0) }, "two ways lead to the same node");
    check(Definition { items: vec![Item::Leaf(vec![(1, 1.0)])], ..one_leaf(1.0) }, "adds to target 1");
    check(one_leaf(f32::NAN), "the weight of a leaf is not a finite number");
    check(Definition { base: vec![f32::INFINITY], ..one_leaf(1.0) }, "a base value is not a finite number");
    check(Definition { base: vec![0.0; 2], ..one_leaf(1.0) }, "2 base values for 1 targets");
    check(Definition { targets: 0, ..one_leaf(1.0) }, "no target");
    let far = vec![split(16_000, Test::AtMost(0.0), 1, 2), leaf(), leaf()];
    check(Definition { items: far, ..one_leaf(1.0) }, "looks at feature 16000");
    let no_number = vec![split(0, Test::AtMost(f32::NAN), 1, 2), leaf(), leaf()];
    check(Definition { items: no_number, ..one_leaf(1.0) }, "the bound of a node is not a number");
    let silent = Definition { items: vec![Item::Leaf(vec![])], aggregate: Aggregate::Min, ..one_leaf(1.0) };
    check(silent, "a leaf has no weight");
}

fn check(definition: Definition, expected: &str) {
    let refusal = Ensemble::plant(&definition).expect_err("refused");
    assert!(refusal.contains(expected), "{refusal:?} does not say {expected:?}");
}

fn predict(ensemble: &Ensemble, rows: &[f32]) -> Vec<f32> {
    let mut outputs = vec![0.0; rows.len() / FEATURES * ensemble.targets()];
    ensemble.predict(rows, FEATURES, &mut outputs, &mut Scratch::default());
    outputs
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

fn one_leaf(weight: f32) -> Definition {
    let items = vec![Item::Leaf(vec![(0, weight)])];
    Definition { items, roots: vec![0], sets: vec![], targets: 1, aggregate: Aggregate::Sum, base: vec![] }
}

fn split(feature: usize, test: Test, yes: usize, no: usize) -> Item {
    Item::Split { feature, test, missing_passes: false, yes, no }
}

/// What the specification of the operator says, word for word.
fn naive(definition: &Definition, row: &[f32]) -> Vec<f32> {
    let mut said: Vec<Vec<f64>> = vec![Vec::new(); definition.targets];
    for root in &definition.roots {
        let mut at = *root;
        let weights = loop {
            match &definition.items[at] {
                Item::Leaf(weights) => break weights,
                Item::Split { feature, test, missing_passes, yes, no } => {
                    let value = row[*feature];
                    let passes = passes(definition, test, value) || (*missing_passes && value.is_nan());
                    at = if passes { *yes } else { *no };
                }
            }
        };
        for (target, weight) in weights {
            said[*target].push(f64::from(*weight));
        }
    }
    let one = |(target, said): (usize, Vec<f64>)| {
        let sum: f64 = said.iter().sum();
        let value = match definition.aggregate {
            Aggregate::Sum => sum,
            Aggregate::Average => sum / definition.roots.len() as f64,
            Aggregate::Min => said.iter().copied().reduce(f64::min).unwrap_or(0.0),
            Aggregate::Max => said.iter().copied().reduce(f64::max).unwrap_or(0.0),
        };
        (value + f64::from(definition.base.get(target).copied().unwrap_or(0.0))) as f32
    };
    said.into_iter().enumerate().map(one).collect()
}

fn passes(definition: &Definition, test: &Test, value: f32) -> bool {
    match test {
        Test::AtMost(bound) => value <= *bound,
        Test::Below(bound) => value < *bound,
        Test::AtLeast(bound) => value >= *bound,
        Test::Above(bound) => value > *bound,
        Test::Equal(number) => value == *number,
        Test::NotEqual(number) => value != *number,
        Test::Member(set) => definition.sets[*set].contains(&value),
    }
}

/// Every kind of forest by chance: one target or several, bounds alone or sets as well.
fn forest(random: &mut impl Rng) -> Definition {
    let targets = if random.random_bool(0.5) { 1 } else { 3 };
    let aggregates = [Aggregate::Sum, Aggregate::Average, Aggregate::Min, Aggregate::Max];
    let base = if random.random_bool(0.5) { vec![] } else { (0..targets).map(|at| at as f32).collect() };
    let mut definition =
        Definition { targets, base, aggregate: aggregates[random.random_range(0..4)], items: vec![], ..one_leaf(0.0) };
    definition.roots.clear();
    let kinds = if random.random_bool(0.5) { 4 } else { 7 };
    for _ in 0..random.random_range(1..40) {
        let depth = random.random_range(0..7);
        let root = tree(&mut definition, depth, kinds, random);
        definition.roots.push(root);
    }
    definition
}

fn tree(definition: &mut Definition, depth: usize, kinds: usize, random: &mut impl Rng) -> usize {
    if depth == 0 || random.random_bool(0.1) {
        let count = if definition.targets == 1 { 1 } else { random.random_range(1..4) };
        let weight = |_| (random.random_range(0..definition.targets), random.random_range(-1e3..1e3));
        definition.items.push(Item::Leaf((0..count).map(weight).collect()));
    } else {
        let bound = BOUNDS[random.random_range(0..BOUNDS.len())];
        let test = match random.random_range(0..kinds) {
            0 => Test::AtMost(bound),
            1 => Test::Below(bound),
            2 => Test::AtLeast(bound),
            3 => Test::Above(bound),
            4 => Test::Equal(bound),
            5 => Test::NotEqual(bound),
            _ => {
                definition
                    .sets
                    .push((0..random.random_range(0..4)).map(|_| value(random)).filter(|value| !value.is_nan()).collect());
                Test::Member(definition.sets.len() - 1)
            }
        };
        let yes = tree(definition, depth - 1, kinds, random);
        let no = tree(definition, depth - 1, kinds, random);
        let feature = random.random_range(0..FEATURES);
        definition.items.push(Item::Split { feature, test, missing_passes: random.random_bool(0.5), yes, no });
    }
    definition.items.len() - 1
}

/// Bounds, their neighbours, missing values and a few others.
fn value(random: &mut impl Rng) -> f32 {
    let bound = BOUNDS[random.random_range(0..BOUNDS.len())];
    match random.random_range(0..6) {
        0 => f32::NAN,
        1 => bound.next_up(),
        2 => bound.next_down(),
        3 => random.random_range(-3.0..3.0),
        _ => bound,
    }
}
