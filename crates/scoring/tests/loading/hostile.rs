//! Models that somebody tampered with: each is refused with a reason, or runs. None panics, and none takes memory that it does not have.

use prost::Message;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use scoring::{Error, Limits, Scratch, Session, Signature};
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::*;

use crate::models::*;

#[test]
fn models_that_were_cut_off_never_panic() {
    for whole in [bytes(&trees()), bytes(&dense())] {
        for end in 0..whole.len() {
            attempt(&whole[..end]);
        }
    }
}

#[test]
fn models_with_other_bits_never_panic() {
    let mut refused = 0;
    for seed in 0..3_000 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut damaged = bytes(&if seed % 2 == 0 { trees() } else { dense() });
        for _ in 0..random.random_range(1..4) {
            let at = random.random_range(0..damaged.len());
            damaged[at] ^= 1 << random.random_range(0..8);
        }
        refused += usize::from(attempt(&damaged));
    }
    assert!(refused > 1_000, "only {refused} were refused");
}

#[test]
fn trees_with_other_numbers_never_panic() {
    let numbers = [-1, 0, 1, 2, 5, 15_999, 16_000, 70_000, i64::MAX, i64::MIN];
    for seed in 0..2_000 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut model = trees();
        let attributes = &mut model.graph.as_mut().unwrap().node[0].attribute;
        for _ in 0..random.random_range(1..3) {
            let at = random.random_range(0..attributes.len());
            mutate(&mut attributes[at], &numbers, &mut random);
        }
        attempt(&bytes(&model));
    }
}

#[test]
fn trees_that_are_none_are_refused() {
    check_trees(wholes("nodes_truenodeids", &[1, 0, 0, 0, 0, 0]), "no way leads to node 0");
    check_trees(wholes("nodes_truenodeids", &[1, 1, 0, 0, 0, 0]), "two roots");
    check_trees(wholes("nodes_truenodeids", &[1, 77, 0, 0, 0, 0]), "leads to node 77, which does not exist");
    check_trees(wholes("nodes_truenodeids", &[1, 3]), "nodes_truenodeids has 2 values where there should be 6");
    check_trees(wholes("nodes_nodeids", &[0, 1, 1, 3, 4, 0]), "two nodes with the number 1");
    check_trees(wholes("nodes_nodeids", &[]), "it has no node");
    check_trees(texts("nodes_modes", &["BRANCH_LEQ", "MAYBE", "LEAF", "LEAF", "LEAF", "LEAF"]), "no node mode MAYBE");
    check_trees(wholes("nodes_featureids", &[0, 2, 0, 0, 0, 0]), "the trees look at 3 values");
    check_trees(wholes("nodes_featureids", &[0, -2, 0, 0, 0, 0]), "the feature of a node is -2");
    check_trees(floats("nodes_values", &[f32::NAN, 2.0, 0.0, 0.0, 0.0, 0.0]), "the bound of a node is not a number");
    check_trees(floats("target_weights", &[f32::INFINITY, 1.0, 2.0, 100.0]), "weight of a leaf is not a finite number");
    check_trees(wholes("target_nodeids", &[0, 3, 4, 0]), "has a weight and is no leaf");
    check_trees(wholes("target_nodeids", &[9, 3, 4, 0]), "has a weight and does not exist");
    check_trees(wholes("target_ids", &[0, 0, 1, 0]), "adds to target 1, and there are 1");
    check_trees(whole("n_targets", 0), "it has no target");
    check_trees(text("post_transform", "LOGISTIC"), "makes a probability");
    check_trees(text("aggregate_function", "MEDIAN"), "no aggregate function MEDIAN");
    let mut twice = trees();
    let attributes = &mut twice.graph.as_mut().unwrap().node[0].attribute;
    attributes.push(attributes[0].clone());
    check(&twice, "the attribute nodes_treeids is there twice");
}

#[test]
fn a_million_trees_are_refused() {
    let count = 1_000_000;
    let zeros = vec![0; count];
    let numbers: Vec<i64> = (0..count as i64).collect();
    let attributes = vec![
        wholes("nodes_treeids", &numbers),
        wholes("nodes_nodeids", &zeros),
        wholes("nodes_featureids", &zeros),
        texts("nodes_modes", &vec!["LEAF"; count]),
        floats("nodes_values", &vec![0.0; count]),
        wholes("nodes_truenodeids", &zeros),
        wholes("nodes_falsenodeids", &zeros),
    ];
    check(
        &model(2, vec![node("TreeEnsembleRegressor", &["x"], "y", attributes)], vec![]),
        "it has 1000000 trees, and 10000 is the most",
    );
}

#[test]
fn graphs_that_do_not_hold_together_are_refused() {
    check(&ModelProto::default(), "it has no graph");
    check(&model(2, vec![], vec![]), "its output \"y\" does not depend on what comes in");
    check(&model(2, vec![node("Relu", &["later"], "y", vec![])], vec![]), "takes \"later\", which nothing before it makes");
    check(&model(2, vec![node("Relu", &["x"], "x", vec![])], vec![]), "makes \"x\", which is there already");
    check(&model(2, vec![node("Relu", &["x"], "", vec![])], vec![]), "makes nothing");
    check(
        &model(3, vec![node("Relu", &["x"], "y", vec![])], vec![]),
        "takes 3 values in each row, and the signature has 2 inputs",
    );
    check(
        &model(2, vec![node("Relu", &["x"], "y", vec![])], vec![]),
        "it says 2 values for a row, and the signature has 1 outputs",
    );
    check(&model(2, vec![node("Loop", &["x"], "y", vec![])], vec![]), "the operator Loop of ai.onnx");
    let mut foreign = node("Relu", &["x"], "y", vec![]);
    foreign.domain = "com.example".into();
    check(&model(2, vec![foreign], vec![]), "the operator Relu of com.example");
    let nested = AttributeProto { name: "body".into(), g: Some(GraphProto::default()), ..Default::default() };
    check(&model(2, vec![node("Relu", &["x"], "y", vec![nested])], vec![]), "is a graph within the graph");
    let many = (0..1_001).map(|at| node("Relu", &["x"], &format!("y{at}"), vec![])).collect();
    check(&model(2, many, vec![]), "it has 1001 operators, and 1000 is the most");
    let mut text = trees();
    text.graph.as_mut().unwrap().input[0] = port("x", DataType::String, &[-1, 2]);
    check(&text, "takes neither numbers nor whole numbers");
    let mut whole = dense();
    whole.graph.as_mut().unwrap().input[0] = port("x", DataType::Int64, &[-1, 2]);
    check(&whole, "declare a category with a default");
    let mut total = dense();
    total.graph.as_mut().unwrap().node.push(node("ReduceSum", &["y"], "all", vec![]));
    total.graph.as_mut().unwrap().output[0].name = "all".into();
    check(&total, "where one row of values for each row of inputs should be");
}

#[test]
fn numbers_that_are_not_there_are_refused() {
    weight(|tensor| tensor.dims = vec![2, 3], "has 4 numbers, and its shape [2, 3] says otherwise");
    weight(|tensor| tensor.dims = vec![1 << 40, 1 << 40], "says otherwise");
    weight(|tensor| tensor.dims = vec![-2, -2], "says otherwise");
    weight(|tensor| (tensor.dims, tensor.float_data) = (vec![0, 1 << 40], vec![]), "is empty");
    weight(|tensor| tensor.dims = vec![1; 20], "has 20 dimensions, and 8 is the most");
    weight(|tensor| tensor.data_type = DataType::String as i32, "has the type 8, which is not read here");
    weight(|tensor| tensor.raw_data = vec![0; 16], "has numbers twice");
    weight(|tensor| tensor.data_location = Some(DataLocation::External as i32), "lies in a file of its own");
}

#[test]
fn graphs_that_take_too_much_memory_are_refused() {
    let limits = Limits { memory_bytes_max: 1 << 20, ..Limits::default() };
    let wide = tensor("wide", &[2, 200_000], &vec![0.0; 400_000]);
    let heavy = model(2, vec![node("MatMul", &["x", "wide"], "y", vec![])], vec![wide]);
    check_within(&heavy, &limits, "it would take more than 1048576 bytes of memory to read");
    // Twice as wide with each step, from nothing.
    let step =
        |at: usize| node("Concat", &[&format!("c{at}"), &format!("c{at}")], &format!("c{}", at + 1), vec![whole("axis", 1)]);
    let mut nodes = vec![node("Identity", &["x"], "c0", vec![])];
    nodes.extend((0..60).map(step));
    nodes.push(node("Relu", &["c60"], "y", vec![]));
    check(&model(2, nodes.clone(), vec![]), "bytes of memory, and");
    // The same with constants would be computed at once.
    nodes[0] = node("Identity", &["k"], "c0", vec![]);
    check(&model(2, nodes, vec![tensor("k", &[1, 2], &[1.0, 1.0])]), "computes with constants only");
    let error = Session::open(&bytes(&trees()), signature(), &Limits { model_bytes_max: 100, ..Limits::default() }).unwrap_err();
    assert!(matches!(error, Error::TooLarge { bytes_max: 100, .. }), "{error}");
    let few = Limits { inputs_max: 1, ..Limits::default() };
    let error = Session::open(&bytes(&trees()), signature(), &few).unwrap_err().to_string();
    assert!(error.contains("1 to 1 inputs, and this one declares 2"), "{error}");
}

/// Each of them would take more memory than there is for a model, and is refused before it is decoded: nothing here takes more than the
/// file itself.
#[test]
fn small_files_that_become_large_are_refused_before_they_are_read() {
    const TOO_MUCH: &str = "it would take more than 268435456 bytes of memory to read";
    // A field with no content, again and again: nodes, opset imports, initializers.
    let graph_of = |content| nested(7, content);
    check_bytes(&graph_of([1 << 3 | 2, 0].repeat(2 << 20)), TOO_MUCH);
    check_bytes(&graph_of([5 << 3 | 2, 0].repeat(1 << 20)), TOO_MUCH);
    check_bytes(&[8 << 3 | 2, 0].repeat(6 << 20), TOO_MUCH);
    // Texts and whole numbers of one attribute, 9 and 8 times as large in memory.
    let attribute_of = |content: Vec<u8>| graph_of(nested(1, nested(5, content)));
    check_bytes(&attribute_of([9 << 3 | 2, 0].repeat(7 << 20)), TOO_MUCH);
    check_bytes(&attribute_of(nested(8, vec![1; 36 << 20])), TOO_MUCH);
}

/// A content as a field of a message around it.
fn nested(field: u8, content: Vec<u8>) -> Vec<u8> {
    let mut bytes = vec![field << 3 | 2];
    prost::encoding::encode_varint(content.len() as u64, &mut bytes);
    [bytes, content].concat()
}

fn check_bytes(bytes: &[u8], expected: &str) {
    let error = Session::open(bytes, signature(), &Limits::default()).expect_err("it should be refused").to_string();
    assert!(error.contains(expected), "{error:?} does not say {expected:?}");
}

fn signature() -> Signature {
    Signature::of_numbers(&["a", "b"], &["p50"])
}

/// Loads it, and runs it if it loads; says whether it was refused.
fn attempt(model: &[u8]) -> bool {
    match Session::open(model, signature(), &Limits::default()) {
        Ok(session) => {
            // What comes out may be anything, and an error is fine.
            let _ = session.predict(&[1.0, 2.0, f32::NAN, f32::INFINITY], &mut [0.0; 2], &mut Scratch::default());
            false
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            true
        }
    }
}

fn check(model: &ModelProto, expected: &str) {
    check_within(model, &Limits::default(), expected);
}

fn check_within(model: &ModelProto, limits: &Limits, expected: &str) {
    let error = Session::open(&model.encode_to_vec(), signature(), limits).expect_err("it should be refused").to_string();
    assert!(error.contains(expected), "{error:?} does not say {expected:?}");
}

fn check_trees(attribute: AttributeProto, expected: &str) {
    let attributes = with(two_trees(), attribute);
    check(&model(2, vec![node("TreeEnsembleRegressor", &["x"], "y", attributes)], vec![]), expected);
}

fn weight(change: impl FnOnce(&mut TensorProto), expected: &str) {
    let mut model = dense();
    change(&mut model.graph.as_mut().expect("what this file made").initializer[0]);
    check(&model, expected);
}

fn mutate(attribute: &mut AttributeProto, numbers: &[i64], random: &mut impl Rng) {
    let number = numbers[random.random_range(0..numbers.len())];
    let strange = [f32::NAN, f32::INFINITY, -0.0, 1e-45][random.random_range(0..4)];
    match random.random_range(0..3) {
        0 => attribute.ints.truncate(attribute.ints.len() / 2),
        1 => attribute.floats.iter_mut().take(1).for_each(|value| *value = strange),
        _ => attribute.ints.push(number),
    }
    if let Some(value) = attribute.ints.first_mut() {
        *value = number;
    }
    attribute.i = number;
}
