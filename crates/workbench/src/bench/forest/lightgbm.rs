//! A forest in the text that LightGBM saves. There a tree is two lists, of splits and of leaves; a child that is a leaf is written as the
//! number of the leaf, negative and less one.

use std::fmt::{Display, Write};

use super::{Forest, Node};

pub(super) fn write(forest: &Forest) -> String {
    let names: Vec<String> = (0..forest.features).map(|at| format!("x{at}")).collect();
    let ranges = vec!["[0:1]"; forest.features];
    let mut text = format!(
        "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx={}\nobjective=regression\n\
         feature_names={}\nfeature_infos={}\n\n",
        forest.features - 1,
        names.join(" "),
        ranges.join(" "),
    );
    for (number, nodes) in forest.trees.iter().enumerate() {
        write_tree(&mut text, number, nodes);
    }
    text + "end of trees\n\nparameters:\nend of parameters\n"
}

fn write_tree(text: &mut String, number: usize, nodes: &[Node]) {
    let (mut splits, mut leaves) = (0, 0);
    let place = |node: &Node| {
        let (count, sign) = if matches!(node, Node::Leaf(_)) { (&mut leaves, -1) } else { (&mut splits, 1) };
        let place: i64 = *count;
        *count += 1;
        if sign < 0 { -place - 1 } else { place }
    };
    let places: Vec<i64> = nodes.iter().map(place).collect();
    let splits = || {
        nodes.iter().filter_map(|node| match node {
            Node::Split { feature, bound, left, right } => Some((*feature, *bound, places[*left], places[*right])),
            Node::Leaf(_) => None,
        })
    };
    let values = nodes.iter().filter_map(|node| if let Node::Leaf(value) = node { Some(f64::from(*value)) } else { None });
    let zeros = || splits().map(|_| 0);
    // Nothing stands in for a missing value, and none is asked about.
    const BY_BOUND: u8 = 2;
    let mut line = |name: &str, values: String| {
        // Writing into memory does not fail.
        let _ = writeln!(text, "{name}={values}");
    };
    line("Tree", number.to_string());
    line("num_leaves", leaves.to_string());
    line("num_cat", "0".into());
    line("split_feature", listed(splits().map(|(feature, ..)| feature)));
    line("split_gain", listed(zeros()));
    line("threshold", listed(splits().map(|(_, bound, ..)| f64::from(bound))));
    line("decision_type", listed(splits().map(|_| BY_BOUND)));
    line("left_child", listed(splits().map(|(_, _, left, _)| left)));
    line("right_child", listed(splits().map(|(_, _, _, right)| right)));
    line("leaf_value", listed(values));
    line("leaf_weight", listed((0..leaves).map(|_| 0)));
    line("leaf_count", listed((0..leaves).map(|_| 0)));
    line("internal_value", listed(zeros()));
    line("internal_weight", listed(zeros()));
    line("internal_count", listed(zeros()));
    line("is_linear", "0".into());
    line("shrinkage", "1\n".into());
    text.push('\n');
}

fn listed<T: Display>(values: impl Iterator<Item = T>) -> String {
    values.map(|value| value.to_string()).collect::<Vec<String>>().join(" ")
}
