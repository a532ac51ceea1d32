//! A row goes in, and how long a case will take comes out, with who said so.

use std::sync::Arc;

use domain::{Value, ValueKind};
use pipeline::{Arithmetic, Case, Expr, Fallback, Model, Transform};
use scoring::package::{Files, MANIFEST, MODEL, Signer, sign};
use scoring::{Estimator, Limits, Package, Row, Work};
use tract_onnx::pb::tensor_proto::DataType;

use crate::models::{bytes, floats, model, node, port, texts, whole, wholes};

const SPREAD: [f64; 4] = [0.5, 1.0, 1.5, 2.0];

fn columns() -> Vec<(String, ValueKind)> {
    let weather = ValueKind::Category(vec!["clear".into(), "rain".into()]);
    [("prep", ValueKind::Float), ("weather", weather), ("doubled", ValueKind::Float)]
        .map(|(name, kind)| (name.into(), kind))
        .into()
}

/// Preparation and weather, the first one doubled as well; half an hour where nothing is known.
fn case() -> Case {
    let doubled = Expr::Arithmetic(Arithmetic::Multiply, Box::new(Expr::Field(0)), Box::new(Expr::Number(2.0)));
    let fallback = |name: &str, seconds| Fallback { name: name.into(), seconds, spread: SPREAD };
    Case {
        inputs: vec![Transform { name: "doubled".into(), expr: doubled, kind: ValueKind::Float }],
        model: Some(Model { name: "eta".into(), inputs: vec![2, 1] }),
        fallbacks: vec![fallback("store", Expr::Field(2)), fallback("anywhere", Expr::Number(1800.0))],
        ..Case::default()
    }
}

/// Two trees for four targets: 140, 230, 320 and 410 together up to 1000 of the first input, and more than a float32 holds beyond.
fn onnx() -> Vec<u8> {
    let leaves = [[100.0, 200.0, 300.0, 400.0], [3e38; 4], [40.0, 30.0, 20.0, 10.0], [3e38; 4]].concat();
    let of_tree = |tree: i64| [tree; 8];
    let attributes = vec![
        wholes("nodes_treeids", &[0, 0, 0, 1, 1, 1]),
        wholes("nodes_nodeids", &[0, 1, 2, 0, 1, 2]),
        wholes("nodes_featureids", &[0; 6]),
        texts("nodes_modes", &["BRANCH_LEQ", "LEAF", "LEAF", "BRANCH_LEQ", "LEAF", "LEAF"]),
        floats("nodes_values", &[1000.0, 0.0, 0.0, 1000.0, 0.0, 0.0]),
        wholes("nodes_truenodeids", &[1, 0, 0, 1, 0, 0]),
        wholes("nodes_falsenodeids", &[2, 0, 0, 2, 0, 0]),
        wholes("nodes_missing_value_tracks_true", &[1, 0, 0, 1, 0, 0]),
        wholes("target_treeids", &[of_tree(0), of_tree(1)].concat()),
        wholes("target_nodeids", &[1, 1, 1, 1, 2, 2, 2, 2].repeat(2)),
        wholes("target_ids", &[0, 1, 2, 3].repeat(4)),
        floats("target_weights", &leaves),
        whole("n_targets", 4),
    ];
    let mut onnx = model(2, vec![node("TreeEnsembleRegressor", &["x"], "y", attributes)], vec![]);
    onnx.graph.iter_mut().for_each(|graph| graph.output = vec![port("y", DataType::Float, &[-1, 4])]);
    bytes(&onnx)
}

const SOUND: &str = r#"
format = 1
name = "eta"
version = "1"
outputs = ["p10", "p50", "p80", "p90"]

[[inputs]]
name = "doubled"

[[inputs]]
name = "weather"
kind = "category"
categories = 2
default = 0

[training]
from = "2026-10-01T00:00:00Z"
until = "2026-11-01T00:00:00Z"
rows = 1
data_sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

[calibration.offsets]
p80 = 1000.0

[[golden]]
row = [600.0, 1.0]
expected = [140.0, 230.0, 320.0, 410.0]
"#;

fn package(manifest: &str) -> Arc<Package> {
    let mut files = Files::from([(MODEL.into(), onnx()), (MANIFEST.into(), manifest.into())]);
    let signer = Signer::from_secret(&[1; 32]);
    sign(&mut files, &signer);
    Arc::new(Package::load(&files, &[signer.key()], &Limits::default()).expect("a package"))
}

/// What is said of kitchens that take so long: the place of the fallback, and the seconds.
fn said(estimator: &Estimator, preparations: &[Option<f64>]) -> Vec<(Option<usize>, [f64; 4])> {
    said_if(true, estimator, preparations)
}

fn said_if(usable: bool, estimator: &Estimator, preparations: &[Option<f64>]) -> Vec<(Option<usize>, [f64; 4])> {
    let row = |prep: &Option<f64>| vec![prep.map(Value::Float), Some(Value::Integer(1))];
    let mut rows: Vec<Row> = preparations.iter().map(row).collect();
    let estimates = estimator.estimate(&mut rows, &vec![usable; preparations.len()], &mut Work::default());
    for (row, prep) in rows.iter().zip(preparations) {
        assert_eq!(row[2], prep.map(|prep| Value::Float(2.0 * prep)), "the row has its inputs afterwards");
    }
    estimates.iter().map(|estimate| (estimate.fallback, estimate.left.seconds())).collect()
}

#[test]
fn without_a_model_the_first_fallback_answers_that_knows() {
    let estimator = Estimator::new(&case(), columns());
    let store = (Some(0), [600.0, 1200.0, 1800.0, 2400.0]);
    let anywhere = (Some(1), [900.0, 1800.0, 2700.0, 3600.0]);
    // A median below zero is none.
    assert_eq!(said(&estimator, &[Some(600.0), None, Some(-1.0)]), [store, anywhere, anywhere]);
    assert_eq!(said(&estimator, &[]), []);
}

#[test]
fn a_model_answers_first_and_in_order() {
    let estimator = Estimator::new(&case(), columns()).with_model(&case(), package(SOUND)).expect("it fits");
    // What the package adds to the third makes it the longest.
    let model = (None, [140.0, 230.0, 410.0, 1320.0]);
    assert_eq!(said(&estimator, &[Some(500.0), None]), [model, model], "a missing value is the model's to judge");
    assert_eq!(said_if(false, &estimator, &[Some(500.0)]), [(Some(0), [500.0, 1000.0, 1500.0, 2000.0])], "it may not be asked");
    let store = (Some(0), [600.0, 1200.0, 1800.0, 2400.0]);
    assert_eq!(said(&estimator, &[Some(600.0), Some(1.0), Some(600.0)]), [store, model, store], "one row harms no other");
}

#[test]
fn a_model_that_does_not_fit_is_refused() {
    let misfit = |case: &Case, manifest: &str, expected: &str| {
        let refused = Estimator::new(case, columns()).with_model(case, package(manifest)).expect_err("it does not fit");
        assert!(refused.to_string().contains(expected), "{refused}");
    };
    let sound = case();
    let other = |before: &str, after: &str| SOUND.replacen(before, after, 1);
    misfit(&Case { model: None, ..case() }, SOUND, "declares no model");
    misfit(&sound, &other("\"eta\"", "\"other\""), "it is called \"other\"");
    misfit(&sound, &other("\"doubled\"", "\"prep\""), "its input 0 is \"prep\", where the pipeline declares \"doubled\"");
    misfit(&sound, &other("categories = 2", "categories = 3"), "has 3 categories, and the pipeline's has 2");
    misfit(&sound, &other("\"p50\"", "\"mean\""), "does not say \"p50\"");
    let model = Some(Model { name: "eta".into(), inputs: vec![2] });
    misfit(&Case { model, ..case() }, SOUND, "takes 2 inputs, and the pipeline declares 1");
}

#[test]
fn an_input_matters_as_much_as_its_absence_would_change() {
    let bare = Estimator::new(&case(), columns());
    let row = vec![Some(Value::Float(600.0)), Some(Value::Integer(1)), Some(Value::Float(1200.0))];
    assert_eq!(bare.influences(&row, &mut Work::default()), [], "nobody is asked");
    let estimator = bare.with_model(&case(), package(SOUND)).expect("it fits");
    let found = estimator.influences(&row, &mut Work::default());
    let told: Vec<_> = found.iter().map(|one| (&*one.input, one.value, one.median_without)).collect();
    // Without the preparation the trees say what they say of a missing one; with it they say no number, whatever the weather is.
    let expected = [("doubled", row[2], Some(230.0)), ("weather", row[1], None)];
    assert_eq!(told, expected);
}
