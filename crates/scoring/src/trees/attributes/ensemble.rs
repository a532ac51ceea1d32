//! `TreeEnsemble` of ai.onnx.ml 5: nodes and leaves in lists of their own, and splits by membership.

use super::declared::{Declared, exactly};
use super::{bounded, check_count, place};
use crate::trees::definition::{Aggregate, Definition, Item, Test};

/// Node modes by their numbers; the one after them is membership.
const MODES: [&str; 6] = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"];
const MEMBER: u8 = 6;

pub(super) fn read(declared: &Declared) -> Result<Definition, String> {
    let features = declared.wholes("nodes_featureids");
    check_count(features.len())?;
    let mut reader = Reader { items: Vec::with_capacity(features.len()), leaves: leaves(declared)?, nodes: features.len() };
    let sets = sets(declared)?;
    reader.read_nodes(declared, features, sets.len())?;
    let nodes = features.len();
    let roots = declared.wholes("tree_roots").iter().map(|root| match usize::try_from(*root) {
        Ok(root) if root < nodes => Ok(root),
        _ => Err(format!("a tree begins with node {root}, which does not exist")),
    });
    Ok(Definition {
        roots: roots.collect::<Result<_, _>>()?,
        items: reader.items,
        sets,
        targets: place(declared.whole("n_targets")?.unwrap_or(1), "n_targets")?,
        aggregate: match declared.whole("aggregate_function")?.unwrap_or(1) {
            0 => Aggregate::Average,
            1 => Aggregate::Sum,
            2 => Aggregate::Min,
            3 => Aggregate::Max,
            other => return Err(format!("there is no aggregate function {other}")),
        },
        base: Vec::new(),
    })
}

struct Reader {
    items: Vec<Item>,
    leaves: Vec<(usize, f32)>,
    nodes: usize,
}

impl Reader {
    fn read_nodes(&mut self, declared: &Declared, features: &[i64], sets: usize) -> Result<(), String> {
        let count = self.nodes;
        let modes = declared.bytes("nodes_modes")?;
        exactly("nodes_modes", &modes, count)?;
        let bounds = declared.tensor("nodes_splits")?.unwrap_or_default();
        exactly("nodes_splits", &bounds, count)?;
        let yes = declared.wholes_of("nodes_truenodeids", count)?;
        let no = declared.wholes_of("nodes_falsenodeids", count)?;
        let yes_is_leaf = declared.flags("nodes_trueleafs", count)?;
        let no_is_leaf = declared.flags("nodes_falseleafs", count)?;
        let missing = declared.flags("nodes_missing_value_tracks_true", count)?;
        // Leaves come behind the nodes, so these have their numbers from the beginning.
        let nothing = Item::Leaf(Vec::new());
        self.items.resize(count, nothing);
        let mut next_set = 0;
        for at in 0..count {
            let test = match modes[at] {
                MEMBER if next_set < sets => {
                    next_set += 1;
                    Test::Member(next_set - 1)
                }
                MEMBER => return Err(format!("membership_values has {sets} sets, which is too few")),
                mode => {
                    let mode = MODES.get(usize::from(mode)).ok_or_else(|| format!("there is no node mode {mode}"))?;
                    bounded(mode, bounds[at]).ok_or_else(|| format!("there is no node mode {mode}"))?
                }
            };
            let (yes, no) = (self.child(yes[at], yes_is_leaf[at])?, self.child(no[at], no_is_leaf[at])?);
            let feature = place(features[at], "the feature of a node")?;
            // A tree that is one leaf is written as a node with this leaf on both sides, so leaves may be named twice.
            self.items[at] = Item::Split { feature, test, missing_passes: missing[at], yes, no };
        }
        Ok(())
    }

    fn child(&mut self, number: i64, is_leaf: bool) -> Result<usize, String> {
        let known = if is_leaf { self.leaves.len() } else { self.nodes };
        let what = if is_leaf { "leaf" } else { "node" };
        match usize::try_from(number) {
            Ok(number) if number < known && is_leaf => {
                self.items.push(Item::Leaf(vec![self.leaves[number]]));
                Ok(self.items.len() - 1)
            }
            Ok(number) if number < known => Ok(number),
            _ => Err(format!("a node leads to {what} {number}, which does not exist")),
        }
    }
}

fn leaves(declared: &Declared) -> Result<Vec<(usize, f32)>, String> {
    let targets = declared.wholes("leaf_targetids");
    let weights = declared.tensor("leaf_weights")?.unwrap_or_default();
    exactly("leaf_weights", &weights, targets.len())?;
    let leaf = |(target, weight): (&i64, f64)| Ok((place(*target, "the target of a leaf")?, weight as f32));
    targets.iter().zip(weights).map(leaf).collect()
}

/// The values of all sets in the order of their nodes, with a NaN behind each set.
fn sets(declared: &Declared) -> Result<Vec<Vec<f32>>, String> {
    let values = declared.tensor("membership_values")?.unwrap_or_default();
    let mut sets: Vec<Vec<f32>> =
        values.split(|value| value.is_nan()).map(|set| set.iter().map(|value| *value as f32).collect()).collect();
    // What follows the last separator is nothing, or a set whose separator was left out.
    if sets.last().is_some_and(Vec::is_empty) {
        sets.pop();
    }
    Ok(sets)
}
