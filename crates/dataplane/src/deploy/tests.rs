//! Edits of a spec, one after the other.

use domain::{Schema, Span, ValueKind};

use super::*;

fn schema(id: u32, columns: &[&str]) -> Schema {
    let columns = columns.iter().map(|name| ((*name).to_owned(), ValueKind::Integer)).collect();
    Schema { id, columns, tolerance: Span(0) }
}

fn spec(groups: &[(&str, u32)]) -> Vec<(String, Schema)> {
    groups.iter().map(|(name, id)| ((*name).to_owned(), schema(*id, &[name]))).collect()
}

/// What a deployment says of its groups, as text: generation, and what it replaces.
fn said(deployment: &Deployment) -> String {
    let group = |deployed: &Deployed| match deployed.replaces {
        Some(replaced) => format!("{}@{} for {replaced}", deployed.group, deployed.generation),
        None => format!("{}@{}", deployed.group, deployed.generation),
    };
    deployment.groups.iter().map(group).collect::<Vec<_>>().join(", ")
}

fn edit(current: Option<&Deployment>, before: &[(&str, u32)], after: &[(&str, u32)]) -> Option<Deployment> {
    let (before, after) = (spec(before), spec(after));
    next(current, "p", "spec", &after, &changes(current, &before, &after), false, Timestamp(0))
}

fn numbers(deployment: &Deployment) -> Vec<(u32, bool, usize)> {
    generations(deployment).iter().map(|generation| (generation.number, generation.builds, generation.groups.len())).collect()
}

#[test]
fn a_case_that_is_another_one_is_a_revision_that_builds_nothing() {
    let first = edit(None, &[], &[("a", 1)]).expect("the first deployment");
    let groups = spec(&[("a", 1)]);
    let changes = changes(Some(&first), &groups, &groups);
    let second = next(Some(&first), "p", "another", &groups, &changes, true, Timestamp(5)).expect("a change");
    assert_eq!((second.revision, &*second.spec, said(&second)), (2, "another", "a@1".to_owned()));
    assert_eq!((numbers(&second), second.generations.len()), (vec![(1, false, 1)], 1));
}

#[test]
fn an_edit_touches_what_it_changes_and_nothing_else() {
    let first = edit(None, &[], &[("a", 1), ("b", 2)]).expect("the first deployment");
    assert_eq!(said(&first), "a@1, b@1");
    assert_eq!(edit(Some(&first), &[("a", 1), ("b", 2)], &[("b", 2), ("a", 1)]), None, "the order of groups means nothing");
    let second = edit(Some(&first), &[("a", 1), ("b", 2)], &[("a", 1), ("b", 3), ("c", 4)]).expect("a change");
    assert_eq!(said(&second), "a@1, b@2 for 1, c@2 for 0");
    assert_eq!(numbers(&second), [(1, false, 2), (2, true, 2)]);
    assert_eq!(serving(&second).len(), 2, "nobody reads c yet");
    let third = promoted(&second, 2, Timestamp(1));
    assert_eq!((said(&third).as_str(), third.revision), ("a@1, b@2, c@2", 3));
    assert_eq!(numbers(&third), [(1, false, 1), (2, false, 2)]);
}

#[test]
fn an_edit_of_what_is_still_being_built_leaves_readers_where_they_are() {
    let first = edit(None, &[], &[("a", 1)]).expect("the first deployment");
    let second = edit(Some(&first), &[("a", 1)], &[("a", 2)]).expect("a change");
    let third = edit(Some(&second), &[("a", 2)], &[("a", 3)]).expect("a change");
    assert_eq!(said(&third), "a@3 for 1");
    assert_eq!(numbers(&third), [(1, false, 1), (3, true, 1)]);
}

#[test]
fn a_removed_group_takes_its_generation_with_it() {
    let first = edit(None, &[], &[("a", 1)]).expect("the first deployment");
    let second = edit(Some(&first), &[("a", 1)], &[("b", 2)]).expect("a change");
    assert_eq!(said(&second), "b@2 for 0");
    let fates: Vec<Fate> =
        changes(Some(&first), &spec(&[("a", 1)]), &spec(&[("b", 2)])).into_iter().map(|change| change.fate).collect();
    assert_eq!(fates, [Fate::Added, Fate::Removed]);
}

#[test]
fn changed_columns_are_named() {
    let before = vec![("a".to_owned(), schema(1, &["x", "y"]))];
    let after = vec![("a".to_owned(), schema(2, &["y", "z"]))];
    let current = edit(None, &[], &[("a", 1)]);
    let found = changes(current.as_ref(), &before, &after);
    assert_eq!((&found[0].columns_added, &found[0].columns_removed), (&vec!["z".to_owned()], &vec!["x".to_owned()]));
}
