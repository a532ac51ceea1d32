//! Ensembles of decision trees: what a model declares becomes one flat array of nodes that rows walk down, several side by side.
//!
//! `definition` is what was declared, `plant` checks it and lays it out, `walk` is the loop that predictions come from. Nothing here
//! knows ONNX; `attributes` and `operator` do.

mod attributes;
mod definition;
mod operator;
mod plant;
mod walk;

#[cfg(test)]
mod tests;

pub(crate) use operator::{TreesOperator, register};
pub(crate) use walk::Scratch;

use definition::Aggregate;

/// Nodes of a tree that a step of 16 bits reaches everywhere in; wider trees pay four bytes a node more.
const NARROW_NODES_MAX: usize = u16::MAX as usize;
/// Marks the slot of a node that asks for a set and not for a bound. Leaves 15 bits for slots, see `FEATURES_MAX`.
const SET: u16 = 1 << 15;
/// Every feature has two slots, and there is one for leaves: so many fit into 15 bits.
pub(crate) const FEATURES_MAX: usize = 16_000;

/// One node, or one leaf. A row goes to `child` places further, and one more where its value is not within the bound.
#[derive(Clone, Copy, Debug)]
struct Node<C> {
    /// The largest value that goes left; for a set its number, as bits; in a leaf what the leaf says.
    bound: f32,
    /// Which value of the row is asked for.
    slot: u16,
    /// How far it is to the left child. A leaf stays where it is.
    child: C,
}

/// The nodes of all trees, one tree after the other.
#[derive(Debug)]
enum Nodes {
    Narrow(Vec<Node<u16>>),
    Wide(Vec<Node<u32>>),
}

/// Where a tree begins.
#[derive(Debug)]
struct Tree {
    root: u32,
}

/// Values of a set, in order, and whether a missing value counts as one of them.
#[derive(Debug)]
struct Set {
    values: Vec<f32>,
    missing: bool,
}

/// What leaves say where there are several targets: leaf `i` has the entries from `ends[i - 1]` to `ends[i]`.
#[derive(Debug, Default)]
struct Weights {
    ends: Vec<u32>,
    entries: Vec<(u32, f32)>,
}

/// A checked ensemble, ready to be walked. Immutable, so any number of threads may share it.
#[derive(Debug)]
pub(crate) struct Ensemble {
    nodes: Nodes,
    trees: Vec<Tree>,
    sets: Vec<Set>,
    /// Empty for one target: then a leaf says its weight itself.
    weights: Weights,
    /// How many values of a row are looked at.
    features: usize,
    /// Whether a missing value goes left anywhere, so that rows have a second copy in which it is smaller than all others.
    missing_left: bool,
    targets: usize,
    aggregate: Aggregate,
    base: Vec<f32>,
}

impl Ensemble {
    /// How many trees there are.
    pub(crate) fn trees(&self) -> usize {
        self.trees.len()
    }

    /// How many splits and leaves they have.
    pub(crate) fn nodes(&self) -> usize {
        match &self.nodes {
            Nodes::Narrow(nodes) => nodes.len(),
            Nodes::Wide(nodes) => nodes.len(),
        }
    }

    /// How many values come out for each row.
    pub(crate) fn targets(&self) -> usize {
        self.targets
    }

    /// How many values of a row are looked at: those before it may be more.
    pub(crate) fn features(&self) -> usize {
        self.features
    }
}
