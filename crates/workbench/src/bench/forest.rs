//! An ensemble of trees to measure with: grown by chance, each leaf split where most rows would be, as trees of a trained model are
//! grown leaf by leaf. Written as ONNX and as LightGBM's own text, so that the same trees can be measured in several runtimes.

mod lightgbm;
mod onnx;

use crate::dice::Dice;

/// Cuts stay away from the edges of what is left of a feature, or most leaves would see no row.
const CUT_SHARES: (f64, f64) = (0.2, 0.8);
/// What a tree adds at most, in seconds of an arrival.
const LEAF_VALUE_MAX: f64 = 20.0;

/// How large an ensemble is, and the seed that it is grown from.
#[derive(Clone, Copy, Debug)]
pub struct ForestShape {
    /// How many trees.
    pub trees: usize,
    /// Leaves of each tree.
    pub leaves: usize,
    /// Values of a row, each from 0 up to 1.
    pub features: usize,
    /// The same seed grows the same trees.
    pub seed: u64,
}

/// An ensemble of trees over values from 0 up to 1.
#[derive(Debug)]
pub struct Forest {
    features: usize,
    trees: Vec<Vec<Node>>,
}

/// A split or a leaf; children are places in the same tree.
#[derive(Clone, Copy, Debug)]
enum Node {
    /// Values up to the bound go left.
    Split {
        feature: usize,
        bound: f32,
        left: usize,
        right: usize,
    },
    Leaf(f32),
}

/// A leaf that may still be split.
struct Plot {
    place: usize,
    /// Of the rows that reach it, times chance: the largest is split next.
    gain: f64,
    share: f64,
    low: Vec<f64>,
    high: Vec<f64>,
}

impl Forest {
    /// Grows the trees.
    pub fn grow(shape: ForestShape) -> Self {
        let mut dice = Dice::new(shape.seed);
        let trees = (0..shape.trees).map(|_| tree(shape, &mut dice)).collect();
        Self { features: shape.features, trees }
    }

    /// The model as the bytes of an ONNX file, its input called `x` and its output `y`.
    pub fn onnx(&self) -> Vec<u8> {
        onnx::write(self)
    }

    /// The model as LightGBM saves it.
    pub fn lightgbm(&self) -> String {
        lightgbm::write(self)
    }
}

fn tree(shape: ForestShape, dice: &mut Dice) -> Vec<Node> {
    let mut nodes = vec![Node::Leaf(0.0)];
    let (low, high) = (vec![0.0; shape.features], vec![1.0; shape.features]);
    let mut plots = vec![Plot { place: 0, gain: 1.0, share: 1.0, low, high }];
    while plots.len() < shape.leaves {
        let largest = (0..plots.len()).max_by(|one, other| plots[*one].gain.total_cmp(&plots[*other].gain)).unwrap_or(0);
        let plot = plots.swap_remove(largest);
        let feature = dice.below(shape.features as u64) as usize;
        let part = dice.between(CUT_SHARES.0, CUT_SHARES.1);
        let bound = plot.low[feature] + part * (plot.high[feature] - plot.low[feature]);
        let (left, right) = (nodes.len(), nodes.len() + 1);
        nodes[plot.place] = Node::Split { feature, bound: bound as f32, left, right };
        nodes.extend([Node::Leaf(0.0), Node::Leaf(0.0)]);
        for (place, share) in [(left, part), (right, 1.0 - part)] {
            let share = share * plot.share;
            let mut half = Plot { place, gain: share * dice.share(), share, low: plot.low.clone(), high: plot.high.clone() };
            let edge = if place == left { &mut half.high } else { &mut half.low };
            edge[feature] = bound;
            plots.push(half);
        }
    }
    for plot in plots {
        nodes[plot.place] = Node::Leaf(dice.between(-LEAF_VALUE_MAX, LEAF_VALUE_MAX) as f32);
    }
    nodes
}
