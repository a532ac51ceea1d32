//! What a cluster says beside what the oracle says.

use std::collections::{BTreeMap, BTreeSet};

use domain::{FeatureVector, NEVER, Value};
use pipeline::Pipeline;
use testkit::OracleVector;

use crate::cluster::Cluster;

/// What the oracle says at one instant, by group and key.
pub(crate) type Expected = BTreeMap<(usize, String), OracleVector>;
/// Entities that lost a part of a record, of whose values nothing can be said.
pub(crate) type Exempt = BTreeSet<(usize, String)>;

/// Compares every vector, as it is and as it was written last, and says how many there were; but for entities that may have lost
/// something.
pub(crate) fn check(
    context: &str,
    pipeline: &Pipeline,
    cluster: &Cluster,
    (expected, exempt): (&Expected, &Exempt),
    at: i64,
) -> usize {
    let mut compared = 0;
    for ((group, key), vector) in expected.iter().filter(|(of, _)| !exempt.contains(*of)) {
        let place = format!("{context}, {} {key} at {at}", pipeline.groups[*group].name);
        let Some(found) = cluster.vector(*group, key) else {
            assert!(is_nothing(vector), "{place}: the engine forgot what the oracle knows: {vector:?}");
            continue;
        };
        compared += 1;
        check_values(&place, &names(pipeline, *group), vector, &found);
        assert_eq!(found.as_of, vector.as_of, "{place}: as_of");
        assert_eq!(found.valid_until, vector.valid_until, "{place}: valid_until");
        assert_eq!(found.source_silent, vector.silent, "{place}: silent");
    }
    for of in cluster.keys() {
        // One of which everything was taken back waits until its source is heard.
        let nothing = || cluster.vector(of.0, &of.1).is_some_and(|vector| vector.source_silent && says_nothing(&vector));
        let known = expected.contains_key(&of) || exempt.contains(&of) || nothing();
        assert!(known, "{context}: the oracle does not know {of:?} at {at}");
    }
    check_written(context, pipeline, cluster, (expected, exempt), at);
    compared
}

/// Compares what readers see: what was written last holds as long as it says.
pub(crate) fn check_written(
    context: &str,
    pipeline: &Pipeline,
    cluster: &Cluster,
    (expected, exempt): (&Expected, &Exempt),
    at: i64,
) {
    for (of, written) in cluster.written().filter(|(of, _)| !exempt.contains(*of)) {
        let place = format!("{context}, {} {} at {at} as written", pipeline.groups[of.0].name, of.1);
        let Some(vector) = expected.get(of) else {
            let holds = at < written.valid_until.0;
            assert!(!holds || says_nothing(written), "{place}: the oracle knows nothing of it: {written:?}");
            continue;
        };
        assert!(vector.silent || !written.source_silent, "{place}: the source is not silent any more: {written:?}");
        // Time may stand still for it.
        if vector.as_of < written.valid_until {
            check_values(&place, &names(pipeline, of.0), vector, written);
        }
    }
    for (of, vector) in expected.iter().filter(|(of, _)| !exempt.contains(*of)) {
        let known = cluster.written_of(of.0, &of.1).is_some();
        assert!(known || is_nothing(vector), "{context}: {of:?} was never written, and at {at} it is {vector:?}");
    }
}

/// Whether all windows are empty.
pub(crate) fn says_nothing(vector: &FeatureVector) -> bool {
    vector.valid_until == NEVER && vector.values.iter().flatten().all(is_zero)
}

/// An entity whose values are all null or zero and stay so is as good as none.
fn is_nothing(vector: &OracleVector) -> bool {
    vector.forgotten || vector.valid_until == NEVER && vector.values.iter().flatten().all(is_zero)
}

fn is_zero(value: &Value) -> bool {
    *value == Value::Integer(0) || *value == Value::Float(0.0)
}

fn names(pipeline: &Pipeline, group: usize) -> Vec<String> {
    pipeline.groups[group].columns().into_iter().map(|column| column.name).collect()
}

fn check_values(place: &str, names: &[String], expected: &OracleVector, found: &FeatureVector) {
    for ((name, expected), found) in names.iter().zip(&expected.values).zip(&found.values) {
        assert!(same(expected.as_ref(), found.as_ref()), "{place}, {name}: oracle {expected:?}, engine {found:?}");
    }
    for ((name, exact), found) in names.iter().zip(&expected.exact).zip(&found.values) {
        assert!(near(*exact, found.as_ref()), "{place}, {name}: exactly {exact:?}, engine {found:?}");
    }
}

/// The promise of sketches: quantiles within 1 %, numbers of different values exact up to 256.
fn near(exact: Option<f64>, found: Option<&Value>) -> bool {
    match (exact, found) {
        (None, _) => true,
        (Some(exact), Some(Value::Float(found))) => (found - exact).abs() <= exact.abs() * 0.01,
        (Some(exact), Some(Value::Integer(found))) => exact > 256.0 || *found as f64 == exact,
        (Some(_), None) => false,
    }
}

/// Equal to the last bit.
fn same(one: Option<&Value>, other: Option<&Value>) -> bool {
    use Value::{Float, Integer};
    match (one, other) {
        (Some(Float(one)), Some(Float(other))) => one.to_bits() == other.to_bits(),
        (Some(Integer(one)), Some(Integer(other))) => one == other,
        (None, None) => true,
        _ => false,
    }
}
