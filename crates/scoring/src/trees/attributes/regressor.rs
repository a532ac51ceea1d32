//! `TreeEnsembleRegressor`: parallel lists, nodes named by the numbers of their tree and of themselves within it.

use std::collections::HashMap;

use super::declared::{Declared, exactly};
use super::{bounded, chains, check_count, place};
use crate::trees::definition::{Aggregate, Definition, Item};

/// Items by (tree, node).
type Places = HashMap<(i64, i64), usize>;

pub(super) fn read(declared: &Declared) -> Result<Definition, String> {
    let nodes = declared.wholes("nodes_nodeids");
    check_count(nodes.len())?;
    let trees = declared.wholes_of("nodes_treeids", nodes.len())?;
    let mut places = Places::with_capacity(nodes.len());
    for (at, name) in trees.iter().copied().zip(nodes.iter().copied()).enumerate() {
        if places.insert(name, at).is_some() {
            return Err(format!("tree {} has two nodes with the number {}", name.0, name.1));
        }
    }
    let mut items = read_nodes(declared, trees, &places)?;
    read_weights(declared, &places, &mut items)?;
    let mut trees = trees.to_vec();
    let sets = chains::join(&mut items, &mut trees);
    let roots = roots(&trees, &items)?;
    Ok(Definition {
        items,
        roots,
        sets,
        targets: place(declared.whole("n_targets")?.unwrap_or(1), "n_targets")?,
        aggregate: match declared.text("aggregate_function")?.unwrap_or("SUM") {
            "SUM" => Aggregate::Sum,
            "AVERAGE" => Aggregate::Average,
            "MIN" => Aggregate::Min,
            "MAX" => Aggregate::Max,
            other => return Err(format!("there is no aggregate function {other}")),
        },
        base: numbers(declared, "base_values")?.into_iter().map(|value| value as f32).collect(),
    })
}

fn read_nodes(declared: &Declared, trees: &[i64], places: &Places) -> Result<Vec<Item>, String> {
    let count = trees.len();
    let modes = exactly("nodes_modes", declared.texts("nodes_modes"), count)?;
    let features = declared.wholes_of("nodes_featureids", count)?;
    let values = numbers(declared, "nodes_values")?;
    let values = exactly("nodes_values", &values, count)?;
    let yes = declared.wholes_of("nodes_truenodeids", count)?;
    let no = declared.wholes_of("nodes_falsenodeids", count)?;
    let missing = declared.flags("nodes_missing_value_tracks_true", count)?;
    let child = |at: usize, number: i64| {
        let place = places.get(&(trees[at], number)).copied();
        place.ok_or_else(|| format!("a node of tree {} leads to node {number}, which does not exist", trees[at]))
    };
    let node = |at: usize| {
        let mode = String::from_utf8_lossy(&modes[at]);
        if mode == "LEAF" {
            return Ok(Item::Leaf(Vec::new()));
        }
        Ok(Item::Split {
            feature: place(features[at], "the feature of a node")?,
            test: bounded(&mode, values[at]).ok_or_else(|| format!("there is no node mode {mode} in this operator"))?,
            missing_passes: missing[at],
            yes: child(at, yes[at])?,
            no: child(at, no[at])?,
        })
    };
    (0..count).map(node).collect()
}

fn read_weights(declared: &Declared, places: &Places, items: &mut [Item]) -> Result<(), String> {
    let targets = declared.wholes("target_ids");
    let nodes = declared.wholes_of("target_nodeids", targets.len())?;
    let trees = declared.wholes_of("target_treeids", targets.len())?;
    let weights = numbers(declared, "target_weights")?;
    exactly("target_weights", &weights, targets.len())?;
    for (at, weight) in weights.into_iter().enumerate() {
        let name = (trees[at], nodes[at]);
        match places.get(&name).map(|place| &mut items[*place]) {
            Some(Item::Leaf(leaf)) => leaf.push((place(targets[at], "the target of a leaf")?, weight as f32)),
            Some(Item::Split { .. }) => return Err(format!("node {} of tree {} has a weight and is no leaf", name.1, name.0)),
            None => return Err(format!("node {} of tree {} has a weight and does not exist", name.1, name.0)),
        }
    }
    Ok(())
}

/// The node of each tree that no other leads to.
fn roots(trees: &[i64], items: &[Item]) -> Result<Vec<usize>, String> {
    let mut below = vec![false; items.len()];
    for item in items {
        if let Item::Split { yes, no, .. } = item {
            below[*yes] = true;
            below[*no] = true;
        }
    }
    let mut roots: HashMap<i64, usize> = HashMap::new();
    let mut order = Vec::new();
    for at in (0..items.len()).filter(|at| !below[*at]) {
        if roots.insert(trees[at], at).is_some() {
            return Err(format!("tree {} has two roots", trees[at]));
        }
        order.push(at);
    }
    match trees.iter().find(|tree| !roots.contains_key(tree)) {
        Some(tree) => Err(format!("the nodes of tree {tree} lead round in a circle, so it has no root")),
        None => Ok(order),
    }
}

/// As single numbers, or by `…_as_tensor` in double precision.
fn numbers(declared: &Declared, name: &str) -> Result<Vec<f64>, String> {
    match declared.tensor(&format!("{name}_as_tensor"))? {
        Some(numbers) => Ok(numbers),
        None => Ok(declared.floats(name).iter().map(|value| f64::from(*value)).collect()),
    }
}
