//! Rows through models: trees by themselves and behind other operators, several heads, networks, whole numbers, what stands in.

use scoring::{Error, Input, Kind, Limits, Scratch, Session, Signature};
use tract_onnx::pb::ModelProto;
use tract_onnx::pb::tensor_proto::DataType;

use crate::models::*;

#[test]
fn trees_say_what_their_leaves_say() {
    check(&trees(), &[5.0, 1.0], &[101.0]);
    check(&trees(), &[10.0, 2.5], &[102.0]);
    check(&trees(), &[10.5, 0.0], &[103.0]);
    check(&trees(), &[f32::NAN, 0.0], &[101.0]);
    check(&trees(), &[f32::NAN, f32::NAN], &[102.0]);
    check(&trees(), &[f32::INFINITY, f32::NEG_INFINITY], &[103.0]);
}

#[test]
fn all_modes_and_aggregates_run() {
    let modes = [("LEQ", 7.0, 8.0), ("LT", 8.0, 8.0), ("GTE", 7.0, 7.0), ("GT", 8.0, 7.0), ("EQ", 7.0, 8.0), ("NEQ", 8.0, 7.0)];
    for (mode, equal, above) in modes {
        let mode = format!("BRANCH_{mode}");
        let attributes = with(two_trees(), texts("nodes_modes", &[&mode, &mode, "LEAF", "LEAF", "LEAF", "LEAF"]));
        let attributes = with(attributes, floats("target_weights", &[8.0, 7.0, 7.0, 0.0]));
        let model = model(2, vec![node("TreeEnsembleRegressor", &["x"], "y", attributes)], vec![]);
        check(&model, &[10.0, 0.0], &[equal]);
        check(&model, &[11.0, 0.0], &[above]);
    }
    for (name, expected) in [("SUM", 101.5), ("AVERAGE", 51.0), ("MIN", 1.5), ("MAX", 100.5)] {
        let attributes = with(with(two_trees(), text("aggregate_function", name)), floats("base_values", &[0.5]));
        check(&model(2, vec![node("TreeEnsembleRegressor", &["x"], "y", attributes)], vec![]), &[0.0, 0.0], &[expected]);
    }
}

#[test]
fn heads_stand_side_by_side() {
    let twice = |value: &str| node("TreeEnsembleRegressor", &["x"], value, two_trees());
    let concat = node("Concat", &["a", "b"], "y", vec![whole("axis", 1)]);
    let cast = node("Cast", &["x"], "x_single", vec![whole("to", 1)]);
    let tail = node("Identity", &["y"], "z", vec![]);
    let mut graph = model(2, vec![cast, twice("a"), twice("b"), concat, tail], vec![]);
    graph.graph.as_mut().unwrap().output = vec![port("z", DataType::Float, &[-1, 2])];
    check(&graph, &[5.0, 1.0, 20.0, 1.0], &[101.0, 101.0, 103.0, 103.0]);
    graph.graph.as_mut().unwrap().output = ["b", "y", "a"].map(|name| port(name, DataType::Float, &[-1, 1])).to_vec();
    check(&graph, &[5.0, 1.0], &[101.0; 4]);
}

#[test]
fn trees_of_the_newer_operator_run() {
    let bytes = |values: &[u8]| {
        let mut tensor = tensor("", &[values.len() as i64], &[]);
        (tensor.data_type, tensor.raw_data) = (DataType::Uint8 as i32, values.to_vec());
        tensor
    };
    let attributes = vec![
        wholes("tree_roots", &[0, 2]),
        wholes("nodes_featureids", &[0, 1, 0]),
        in_tensor("nodes_modes", bytes(&[0, 6, 0])),
        in_tensor("nodes_splits", tensor("", &[3], &[10.0, 0.0, 0.0])),
        wholes("nodes_truenodeids", &[1, 0, 3]),
        wholes("nodes_trueleafs", &[0, 1, 1]),
        wholes("nodes_falsenodeids", &[2, 1, 3]),
        wholes("nodes_falseleafs", &[1, 1, 1]),
        in_tensor("membership_values", tensor("", &[3], &[4.0, 7.0, f32::NAN])),
        wholes("leaf_targetids", &[0, 0, 0, 0]),
        in_tensor("leaf_weights", tensor("", &[4], &[1.0, 2.0, 3.0, 100.0])),
        whole("n_targets", 1),
    ];
    let model = model(2, vec![node("TreeEnsemble", &["x"], "y", attributes)], vec![]);
    check(&model, &[1.0, 7.0, 1.0, 5.0, 1.0, f32::NAN, 11.0, 7.0], &[101.0, 102.0, 102.0, 103.0]);
}

#[test]
fn a_chain_of_equalities_is_a_set() {
    // x0 is 3, 5 or 7 ? 1 : 2, as exporters write it: three nodes that share what they lead to.
    let attributes = vec![
        wholes("nodes_treeids", &[0; 5]),
        wholes("nodes_nodeids", &[0, 1, 2, 3, 4]),
        wholes("nodes_featureids", &[0; 5]),
        texts("nodes_modes", &["BRANCH_EQ", "BRANCH_EQ", "BRANCH_EQ", "LEAF", "LEAF"]),
        floats("nodes_values", &[3.0, 5.0, 7.0, 0.0, 0.0]),
        wholes("nodes_truenodeids", &[3, 3, 3, 0, 0]),
        wholes("nodes_falsenodeids", &[1, 2, 4, 0, 0]),
        wholes("target_treeids", &[0, 0]),
        wholes("target_nodeids", &[3, 4]),
        wholes("target_ids", &[0, 0]),
        floats("target_weights", &[1.0, 2.0]),
    ];
    let model = model(2, vec![node("TreeEnsembleRegressor", &["x"], "y", attributes)], vec![]);
    check(&model, &[3.0, 0.0, 5.0, 0.0, 7.0, 0.0, 4.0, 0.0, f32::NAN, 0.0], &[1.0, 1.0, 1.0, 2.0, 2.0]);
}

#[test]
fn networks_run_in_batches() {
    check(&dense(), &[2.0, 4.0], &[11.0]);
    let rows: Vec<f32> = (0..400).map(|at| at as f32).collect();
    let expected: Vec<f32> = rows.chunks(2).map(|row| row[0] + 0.5 * row[1] + (2.0 * row[1] - row[0] + 1.0).max(0.0)).collect();
    check(&dense(), &rows, &expected);
}

#[test]
fn categories_reach_a_table_and_unknown_ones_get_the_default() {
    let session = Session::open(&bytes(&embedding()), categories(3), &Limits::default()).unwrap();
    let mut predictions = [0.0; 5];
    let rows = [0.0, 5.0, 2.0, 5.0, f32::NAN, 5.0, 3.0, 5.0, 1.5, 5.0];
    session.predict(&rows, &mut predictions, &mut Scratch::default()).unwrap();
    assert_eq!(predictions, [15.0, 35.0, 25.0, 25.0, 25.0]);
}

#[test]
fn a_table_that_is_too_short_is_found_at_once() {
    let refusal = Session::open(&bytes(&embedding()), categories(4), &Limits::default()).unwrap_err();
    assert!(refusal.to_string().contains("it loads and does not run"), "{refusal}");
}

#[test]
fn a_prediction_that_is_no_number_is_told_with_its_row() {
    let session = open(&dense(), 1);
    let mut predictions = [0.0; 2];
    let error = session.predict(&[2.0, 4.0, f32::INFINITY, 0.0], &mut predictions, &mut Scratch::default()).unwrap_err();
    assert!(matches!(&error, Error::NotFinite { row: 1, output, .. } if output == "p0"), "{error}");
    assert_eq!(predictions[0], 11.0);
    let error = session.predict(&[2.0], &mut predictions, &mut Scratch::default()).unwrap_err();
    assert!(matches!(error, Error::Rows { values: 1, places: 2, inputs: 2, outputs: 1 }), "{error}");
}

#[test]
fn threads_share_a_session() {
    let session = std::sync::Arc::new(open(&trees(), 1));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let session = session.clone();
            std::thread::spawn(move || {
                let mut prediction = [0.0];
                session.predict(&[5.0, 1.0], &mut prediction, &mut Scratch::default()).map(|()| prediction[0])
            })
        })
        .collect();
    for thread in threads {
        assert_eq!(thread.join().unwrap().unwrap(), 101.0);
    }
}

/// A table of three categories, added to a number.
fn embedding() -> ModelProto {
    let nodes = vec![node("Gather", &["table", "c"], "e", vec![whole("axis", 0)]), node("Add", &["e", "x"], "y", vec![])];
    let mut model = model(1, nodes, vec![tensor("table", &[3, 1], &[10.0, 20.0, 30.0])]);
    model.graph.as_mut().expect("what this file made").input.insert(0, port("c", DataType::Int64, &[-1]));
    model
}

fn categories(count: u32) -> Signature {
    let mut signature = Signature::of_numbers(&["area", "seconds"], &["p50"]);
    signature.inputs[0] = Input { name: "area".into(), kind: Kind::Category, default: Some(1.0), categories: Some(count) };
    signature
}

fn open(model: &ModelProto, outputs: usize) -> Session {
    let names: Vec<String> = (0..outputs).map(|at| format!("p{at}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    Session::open(&bytes(model), Signature::of_numbers(&["a", "b"], &names), &Limits::default()).expect("what this file made")
}

fn check(model: &ModelProto, rows: &[f32], expected: &[f32]) {
    let session = open(model, expected.len() * 2 / rows.len());
    let mut predictions = vec![0.0; expected.len()];
    session.predict(rows, &mut predictions, &mut Scratch::default()).expect("what this file made");
    assert_eq!(predictions, expected);
}
