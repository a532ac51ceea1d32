//! From a definition to an ensemble: refuses what is not a set of trees, then lays the nodes out for the walk.
//!
//! Every comparison becomes `value <= bound`, its children swapped where the test was the other way round, so the walk has one
//! instruction for all of them. Definitions come from files: nothing in one may make this panic, recurse or run for long.

use super::definition::{Aggregate, Definition, Item, Test};
use super::{Ensemble, FEATURES_MAX, NARROW_NODES_MAX, Node, Nodes, SET, Set, Tree, Weights};

/// What a row has in the slot that leaves ask for: not above anything that a leaf says.
pub(super) const LEAF_SLOT_VALUE: f32 = f32::NEG_INFINITY;

/// How far leaves are from the root of a tree.
#[derive(Clone, Copy, Debug)]
struct Shape {
    root: usize,
    shallowest: u32,
    deepest: u32,
    nodes: usize,
}

/// A split whose test is a bound or a set, and where a missing value goes.
struct Turn {
    asks: Asks,
    missing_left: bool,
    left: usize,
    right: usize,
}

enum Asks {
    Bound(f32),
    Set(Set),
}

impl Ensemble {
    /// Checks and lays out what was declared; a refusal says what is wrong with it.
    pub(super) fn plant(definition: &Definition) -> Result<Self, String> {
        let features = check_items(definition)?;
        let mut shapes = check_trees(definition)?;
        // Neighbours are walked together, and they finish together when they are equally deep.
        shapes.sort_by_key(|shape| (shape.deepest, shape.shallowest));
        let widest = shapes.iter().map(|shape| shape.nodes).max().unwrap_or(0);
        let mut planter = Planter::new(definition, features);
        let nodes = if widest <= NARROW_NODES_MAX {
            Nodes::Narrow(planter.lay_out(&shapes, |step| step as u16))
        } else {
            Nodes::Wide(planter.lay_out(&shapes, |step| step as u32))
        };
        let mut base = definition.base.clone();
        base.resize(definition.targets, 0.0);
        Ok(Self {
            nodes,
            trees: planter.trees,
            sets: planter.sets,
            weights: planter.weights,
            features,
            missing_left: planter.missing_left,
            targets: definition.targets,
            aggregate: definition.aggregate,
            base,
        })
    }
}

/// Numbers that exist, and weights that are some; returns how many features are looked at.
fn check_items(definition: &Definition) -> Result<usize, String> {
    let Definition { items, targets, base, .. } = definition;
    if *targets == 0 {
        return Err("it has no target".into());
    }
    if !base.is_empty() && base.len() != *targets {
        return Err(format!("it has {} base values for {targets} targets", base.len()));
    }
    let mut features = 0;
    for item in items {
        match item {
            Item::Split { feature, test, .. } => {
                if *feature >= FEATURES_MAX {
                    return Err(format!("a node looks at feature {feature}, and {FEATURES_MAX} is the most"));
                }
                if matches!(test, Test::AtMost(t) | Test::Below(t) | Test::AtLeast(t) | Test::Above(t) if t.is_nan()) {
                    return Err("the bound of a node is not a number".into());
                }
                features = features.max(feature + 1);
            }
            Item::Leaf(weights) => check_leaf(definition, weights)?,
        }
    }
    if base.iter().any(|value| !value.is_finite()) {
        return Err("a base value is not a finite number".into());
    }
    Ok(features)
}

fn check_leaf(definition: &Definition, weights: &[(usize, f32)]) -> Result<(), String> {
    if let Some((target, _)) = weights.iter().find(|(target, _)| *target >= definition.targets) {
        return Err(format!("a leaf adds to target {target}, and there are {}", definition.targets));
    }
    if weights.iter().any(|(_, weight)| !weight.is_finite()) {
        return Err("the weight of a leaf is not a finite number".into());
    }
    let needs_weight = matches!(definition.aggregate, Aggregate::Min | Aggregate::Max);
    if weights.is_empty() && needs_weight {
        return Err("a leaf has no weight, and the smallest or largest of them is asked for".into());
    }
    Ok(())
}

/// Every item is on exactly one way from exactly one root.
fn check_trees(definition: &Definition) -> Result<Vec<Shape>, String> {
    let mut seen = vec![false; definition.items.len()];
    let mut shapes = Vec::with_capacity(definition.roots.len());
    let mut open = Vec::new();
    for &root in &definition.roots {
        let mut shape = Shape { root, shallowest: u32::MAX, deepest: 0, nodes: 0 };
        open.push((root, 0));
        while let Some((at, depth)) = open.pop() {
            let item = definition.items.get(at).ok_or_else(|| format!("a node leads to {at}, which does not exist"))?;
            if std::mem::replace(&mut seen[at], true) {
                return Err(format!("two ways lead to the same node ({at}), so this is no tree"));
            }
            shape.nodes += 1;
            match item {
                Item::Split { yes, no, .. } => open.extend([(*yes, depth + 1), (*no, depth + 1)]),
                Item::Leaf(_) => {
                    shape.shallowest = shape.shallowest.min(depth);
                    shape.deepest = shape.deepest.max(depth);
                }
            }
        }
        shapes.push(shape);
    }
    if shapes.is_empty() {
        return Err("it has no tree".into());
    }
    match seen.iter().position(|seen| !seen) {
        Some(lost) => Err(format!("no way leads to node {lost}")),
        None => Ok(shapes),
    }
}

struct Planter<'a> {
    definition: &'a Definition,
    features: usize,
    trees: Vec<Tree>,
    sets: Vec<Set>,
    weights: Weights,
    missing_left: bool,
}

impl<'a> Planter<'a> {
    fn new(definition: &'a Definition, features: usize) -> Self {
        // Where a missing value goes left decides about the slots of all nodes, so it is known first.
        let missing_left = definition
            .items
            .iter()
            .any(|item| turn(definition, item).is_some_and(|turn| turn.missing_left && matches!(turn.asks, Asks::Bound(_))));
        Self { definition, features, trees: Vec::new(), sets: Vec::new(), weights: Weights::default(), missing_left }
    }

    /// Level by level, brothers side by side: the levels near the root, which all rows pass, lie together.
    fn lay_out<C: Copy>(&mut self, shapes: &[Shape], narrow: impl Fn(usize) -> C) -> Vec<Node<C>> {
        let nothing = Node { bound: 0.0, slot: 0, child: narrow(0) };
        let mut nodes = Vec::with_capacity(shapes.iter().map(|shape| shape.nodes).sum());
        let mut level = std::collections::VecDeque::new();
        for shape in shapes {
            self.trees.push(Tree { root: nodes.len() as u32 });
            level.push_back((shape.root, nodes.len()));
            nodes.push(nothing);
            while let Some((item, place)) = level.pop_front() {
                let child = nodes.len();
                nodes[place] = match &self.definition.items[item] {
                    Item::Leaf(weights) => Node { bound: self.leaf(weights), slot: self.leaf_slot(), child: narrow(0) },
                    Item::Split { feature, .. } => {
                        let turn = turn(self.definition, &self.definition.items[item]).expect("a split makes a turn");
                        level.extend([(turn.left, child), (turn.right, child + 1)]);
                        nodes.extend([nothing, nothing]);
                        let (bound, slot) = self.ask(*feature, turn);
                        Node { bound, slot, child: narrow(child - place) }
                    }
                };
            }
        }
        nodes
    }

    fn ask(&mut self, feature: usize, turn: Turn) -> (f32, u16) {
        match turn.asks {
            Asks::Bound(bound) if turn.missing_left => (bound, (self.features + feature) as u16),
            Asks::Bound(bound) => (bound, feature as u16),
            Asks::Set(set) => {
                self.sets.push(set);
                (f32::from_bits(self.sets.len() as u32 - 1), feature as u16 | SET)
            }
        }
    }

    fn leaf_slot(&self) -> u16 {
        (self.features * (1 + usize::from(self.missing_left))) as u16
    }

    /// The weight itself for one target, else the number of the leaf's entries.
    fn leaf(&mut self, weights: &[(usize, f32)]) -> f32 {
        if self.definition.targets > 1 {
            self.weights.entries.extend(weights.iter().map(|&(target, weight)| (target as u32, weight)));
            self.weights.ends.push(self.weights.entries.len() as u32);
            return f32::from_bits(self.weights.ends.len() as u32 - 1);
        }
        let weights = weights.iter().map(|(_, weight)| *weight);
        match self.definition.aggregate {
            Aggregate::Sum | Aggregate::Average => weights.sum(),
            Aggregate::Min => weights.fold(f32::INFINITY, f32::min),
            Aggregate::Max => weights.fold(f32::NEG_INFINITY, f32::max),
        }
    }
}

/// A split as a bound or a set. A strict test becomes one with the next smaller float32.
fn turn(definition: &Definition, item: &Item) -> Option<Turn> {
    let Item::Split { test, missing_passes, yes, no, .. } = item else { return None };
    let missing = *missing_passes;
    let straight = |asks| Turn { asks, missing_left: missing, left: *yes, right: *no };
    // Swapped children: what passes goes right, and so does a missing value that passes.
    let swapped = |asks| Turn { asks, missing_left: !missing, left: *no, right: *yes };
    Some(match *test {
        Test::AtMost(bound) => straight(Asks::Bound(bound)),
        Test::Above(bound) => swapped(Asks::Bound(bound)),
        // Nothing is below the smallest of all, and no bound says so: an empty set does.
        Test::Below(f32::NEG_INFINITY) => straight(Asks::Set(Set { values: Vec::new(), missing })),
        Test::AtLeast(f32::NEG_INFINITY) => swapped(Asks::Set(Set { values: Vec::new(), missing: !missing })),
        Test::Below(bound) => straight(Asks::Bound(bound.next_down())),
        Test::AtLeast(bound) => swapped(Asks::Bound(bound.next_down())),
        Test::Equal(value) => straight(Asks::Set(set(&[value], missing))),
        // A missing value is not equal to anything, and so it passes.
        Test::NotEqual(value) => swapped(Asks::Set(set(&[value], false))),
        Test::Member(number) => straight(Asks::Set(set(&definition.sets[number], missing))),
    })
}

fn set(values: &[f32], missing: bool) -> Set {
    let mut values: Vec<f32> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    values.sort_by(f32::total_cmp);
    values.dedup();
    Set { values, missing }
}
