//! What a declared case means: the columns of its row in their promised order, places instead of names, and every default.

use std::path::Path;

use domain::{Span, ValueKind};
use pipeline::{CalibrationRules, Case, CorrectorRules, Expr, Pipeline, PromiseRules, parse};

const SPEC: &str = r#"
[source.orders]
topic = "orders"
key = "order_id"
time = "at"
skew = "0s"
lateness = "1h"
fields = { type = "string", store_id = "string", items = "integer" }

[source.riders]
topic = "riders"
key = "order"
time = "at"
skew = "0s"
lateness = "1h"
fields = { shop = "string", sort = { category = ["bike", "car"] } }

[group.store]
entity = "store"
key = "store_id"
source = "orders"
entities = 10
features = { last_items = { last = "items" } }

[transform]
twice = "last_items * 2"

[case]
entity = "order"
longest = "7d"
entities = { store = "store" }

[case.stages]
placed = { source = "orders", where = "type = 'placed'" }
assigned = { source = "riders", key = "order" }
delivered = { source = "orders", where = "type = 'delivered'" }

[case.attributes]
sort = "sort"
store = { riders = "shop", orders = "store_id" }
items = "items"

[case.inputs]
second = "first + since_assigned"
first = "twice * items"

[case.model]
name = "eta"
inputs = ["sort", "second", "is_holiday"]

[[case.fallback]]
name = "store"
seconds = "second"
spread = [0.5, 1, 1, 2]

[[case.fallback]]
name = "anywhere"
seconds = "-(-35) * 60"
spread = [0.5, 1, 1, 2]
"#;

fn pipeline() -> Pipeline {
    parse("kitchen", SPEC).unwrap_or_else(|faults| panic!("{faults}"))
}

fn case(pipeline: &Pipeline) -> &Case {
    pipeline.case.as_ref().expect("a case is declared")
}

#[test]
fn the_row_has_its_columns_in_order() {
    let columns = pipeline().case_columns();
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names.join(" "),
        "last_items twice sort items since_placed since_assigned local_hour local_minute local_weekday is_holiday first second"
    );
    let kind = |name: &str| columns.iter().find(|(known, _)| known == name).map(|(_, kind)| kind.clone());
    assert_eq!(kind("sort"), Some(ValueKind::Category(vec!["bike".into(), "car".into()])));
    assert_eq!((kind("since_placed"), kind("local_weekday")), (Some(ValueKind::Float), Some(ValueKind::Integer)));
    assert_eq!((kind("is_holiday"), kind("first")), (Some(ValueKind::Boolean), Some(ValueKind::Float)));
}

#[test]
fn without_a_case_there_is_no_row_of_one() {
    let (before, _) = SPEC.split_once("[case]").expect("the spec has a case");
    let spec = format!(
        "{before}[group.rider]\nentity='rider'\nkey='shop'\nsource='riders'\nfeatures={{ sort = {{ last = 'sort' }} }}\n"
    );
    let pipeline = parse("kitchen", &spec).unwrap_or_else(|faults| panic!("{faults}"));
    assert!(pipeline.case.is_none() && pipeline.case_columns().is_empty());
}

#[test]
fn names_have_become_places() {
    let pipeline = pipeline();
    let case = case(&pipeline);
    let source = |name: &str| pipeline.sources.iter().position(|source| source.name == name).expect("it is declared");
    let field = |source: usize, field: usize| pipeline.sources[source].fields[field].name.as_str();
    let told = |place: usize| -> Vec<&str> { case.attributes[place].told_by.iter().map(|told| field(told.0, told.1)).collect() };
    let names: Vec<&str> = case.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
    assert_eq!(names, ["sort", "store", "items"]);
    assert_eq!((told(0), told(1), told(2)), (vec!["sort"], vec!["store_id", "shop"], vec!["items"]));
    assert_eq!((case.attributes[1].kind.clone(), case.entities.clone()), (None, vec![("store".to_owned(), 1)]));
    let keys: Vec<&str> = case.stages.iter().map(|stage| field(stage.source, stage.key)).collect();
    assert_eq!(keys, ["order_id", "order", "order_id"]);
    assert_eq!((case.stages[1].source, case.stages[1].filter.is_none()), (source("riders"), true));
    let columns = pipeline.case_columns();
    let model = case.model.as_ref().expect("a model is declared");
    let inputs: Vec<&str> = model.inputs.iter().map(|place| columns[*place].0.as_str()).collect();
    assert_eq!((model.name.as_str(), inputs), ("eta", vec!["sort", "second", "is_holiday"]));
    let mut used = Vec::new();
    case.inputs[0].expr.each_field(&mut |place| used.push(columns[place].0.as_str()));
    assert_eq!((case.inputs[0].name.as_str(), used), ("first", vec!["twice", "items"]));
    let Expr::Field(place) = case.fallbacks[0].seconds else { panic!("a bare column") };
    assert_eq!((columns[place].0.as_str(), case.fallbacks[1].spread), ("second", [0.5, 1.0, 1.0, 2.0]));
}

#[test]
fn defaults_are_filled_in() {
    let pipeline = pipeline();
    let case = case(&pipeline);
    assert_eq!((&case.triggers.stages[..], case.triggers.every), (&[0, 1][..], None));
    assert_eq!((case.zone.as_str(), case.holidays.len(), case.area), ("UTC", 0, None));
    assert_eq!((case.label, case.longest), ((0.0, 604_800.0), Span(604_800_000)));
    assert_eq!((case.promise, case.corrector, case.calibration), (PromiseRules::default(), None, None));
    assert!(!case.learns());
}

#[test]
fn what_is_learned_is_declared_be_it_by_an_empty_table() {
    for (tables, corrects, calibrates) in
        [("corrector = {}", true, false), ("calibration = {}", false, true), ("corrector = {}\ncalibration = {}", true, true)]
    {
        let spec = SPEC.replace("[case.stages]", &format!("{tables}\n[case.stages]"));
        let pipeline = parse("kitchen", &spec).unwrap_or_else(|faults| panic!("{faults}"));
        let case = case(&pipeline);
        assert!(case.learns());
        let usual = CorrectorRules { longest: Span(86_400_000), ..CorrectorRules::default() };
        assert_eq!(case.corrector, corrects.then_some(usual), "and no corrector follows for a week");
        assert_eq!(case.calibration, calibrates.then(CalibrationRules::default));
    }
}

#[test]
fn what_is_declared_is_taken() {
    let rules = "area = \"store\"\nlabel = [\"90s\", \"1d\"]\nzone = \"+05:30\"\nholidays = [\"2026-12-25\"]\n\
                 triggers = { stages = [\"assigned\"], every = \"10s\" }\n\
                 promise = { quantile = 0.75, round_to = \"1m\" }\n\
                 corrector = { adjustment_max = \"500ms\" }\ncalibration = { step_first = \"90s\", strength = 7 }\n[case.stages]";
    let spec = SPEC.replace("[case.stages]", rules);
    let pipeline = parse("kitchen", &spec).unwrap_or_else(|faults| panic!("{faults}"));
    let case = case(&pipeline);
    assert_eq!((case.area, case.label, case.zone.as_str()), (Some(1), (90.0, 86_400.0), "+05:30"));
    assert_eq!((&case.triggers.stages[..], case.triggers.every), (&[1][..], Some(Span(10_000))));
    assert_eq!((case.promise.kept_share(), case.promise.round_to), (0.75, Span(60_000)));
    assert_eq!(case.corrector.map(|rules| rules.adjustment_max), Some(0.5));
    let calibration = case.calibration.expect("it is declared");
    assert_eq!((calibration.step_first, calibration.strength, calibration.step_last), (90.0, 7.0, 10.0));
}

#[test]
fn the_reference_shows_a_sound_case() {
    let reference = include_str!("../../../docs/reference/pipeline.md");
    let shown: Vec<&str> = reference.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [tour, _, case] = shown.as_slice() else { panic!("a tour, what is shrunk, and a case") };
    let pipeline = parse("tour", &format!("{tour}{case}")).unwrap_or_else(|faults| panic!("{faults}"));
    let case = pipeline.case.expect("the second shows one");
    assert_eq!((case.stages.len(), case.ends.len(), case.inputs.len(), case.fallbacks.len()), (3, 1, 2, 2));
}

#[test]
fn delivery_eta_predicts_when_an_order_is_delivered() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines/delivery-eta");
    let pipeline = pipeline::load(&folder).unwrap_or_else(|faults| panic!("{faults}"));
    let case = case(&pipeline);
    let stages: Vec<&str> = case.stages.iter().map(|stage| stage.name.as_str()).collect();
    assert_eq!(stages, ["placed", "accepted", "ready", "delivered"]);
    let fallbacks: Vec<&str> = case.fallbacks.iter().map(|fallback| fallback.name.as_str()).collect();
    assert_eq!(fallbacks, ["store", "area", "anywhere"]);
    let model = case.model.as_ref().expect("it has a model");
    assert_eq!((model.name.as_str(), model.inputs.len(), pipeline.case_columns().len()), ("eta", 34, 82));
}
