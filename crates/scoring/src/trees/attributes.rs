//! Reads the attributes of ONNX's operators for trees: `TreeEnsembleRegressor`, one row for each node and one for each weight of a
//! leaf, and `TreeEnsemble` (ai.onnx.ml 5), in which leaves stand apart. What they say is checked when it is planted.

mod chains;
mod declared;
mod ensemble;
mod regressor;

use tract_onnx::pb::NodeProto;

use super::definition::{Definition, Test};
use declared::Declared;

pub(super) const REGRESSOR: &str = "TreeEnsembleRegressor";
pub(super) const ENSEMBLE: &str = "TreeEnsemble";

/// All nodes of one operator. LightGBM's default of 31 leaves makes 61 nodes, so these are 65,000 such trees, or a random forest
/// of 100 trees grown on 400,000 rows each; with what is kept for each of them they take about 300 MB while they are read.
pub(super) const NODES_MAX: usize = 4_000_000;
/// More trees than anybody trains: each costs some nanoseconds for each row, so these take a tenth of a millisecond.
pub(super) const TREES_MAX: usize = 10_000;

/// The trees that a node of a graph declares; a refusal says what is wrong.
pub(super) fn read(node: &NodeProto) -> Result<Definition, String> {
    let declared = Declared::new(node)?;
    check_post_transform(&declared)?;
    let definition = match node.op_type.as_str() {
        REGRESSOR => regressor::read(&declared)?,
        ENSEMBLE => ensemble::read(&declared)?,
        other => return Err(format!("{other} is no ensemble of trees")),
    };
    if definition.roots.len() > TREES_MAX {
        return Err(format!("it has {} trees, and {TREES_MAX} is the most", definition.roots.len()));
    }
    Ok(definition)
}

/// What is predicted is a quantity; the others make probabilities of it.
fn check_post_transform(declared: &Declared) -> Result<(), String> {
    match (declared.text("post_transform")?, declared.whole("post_transform")?) {
        (None | Some("NONE"), None | Some(0)) => Ok(()),
        (Some(name), _) => Err(format!("the post transform {name} makes a probability, and only NONE leaves a quantity")),
        (None, Some(number)) => {
            Err(format!("the post transform {number} makes a probability, and only 0 (NONE) leaves a quantity"))
        }
    }
}

fn check_count(nodes: usize) -> Result<(), String> {
    match nodes {
        0 => Err("it has no node".into()),
        _ if nodes > NODES_MAX => Err(format!("it has {nodes} nodes, and {NODES_MAX} is the most")),
        _ => Ok(()),
    }
}

/// A number that has to be a place or a count.
fn place(number: i64, what: &str) -> Result<usize, String> {
    usize::try_from(number).map_err(|_| format!("{what} is {number}"))
}

/// How a comparison with a bound in double precision is made with one in single precision.
fn bounded(mode: &str, bound: f64) -> Option<Test> {
    use super::definition::{at_most, below, equal};
    Some(match mode {
        "BRANCH_LEQ" => Test::AtMost(at_most(bound)),
        "BRANCH_LT" => Test::Below(below(bound)),
        "BRANCH_GTE" => Test::AtLeast(below(bound)),
        "BRANCH_GT" => Test::Above(at_most(bound)),
        "BRANCH_EQ" => Test::Equal(equal(bound)),
        "BRANCH_NEQ" => Test::NotEqual(equal(bound)),
        _ => return None,
    })
}
