//! Chains of equalities. The older operator has no sets, so exporters write "one of these categories" as one node for each of them,
//! all leading to the same place when they pass. Together they are a set again, and the nodes a tree.

use crate::trees::definition::{Item, Test};

/// Joins chains, and leaves out the nodes that were joined; `trees` has the number of the tree of each node.
pub(super) fn join(items: &mut Vec<Item>, trees: &mut Vec<i64>) -> Vec<Vec<f32>> {
    let mut parents = vec![0_u32; items.len()];
    for item in items.iter() {
        if let Item::Split { yes, no, .. } = item {
            parents[*yes] += 1;
            parents[*no] += 1;
        }
    }
    let mut sets = Vec::new();
    let mut joined = vec![false; items.len()];
    for at in 0..items.len() {
        // Each round leaves one node out, so there are no more rounds than nodes.
        while !joined[at]
            && let Some(next) = follower(items, at).filter(|next| parents[*next] == 1 && !joined[*next])
        {
            joined[next] = true;
            swallow(items, at, next, &mut sets);
        }
    }
    leave_out(items, trees, &joined);
    sets
}

/// The next of the chain: it asks the same value, and leads to the same place when it passes.
fn follower(items: &[Item], at: usize) -> Option<usize> {
    let Item::Split { feature, test, missing_passes, yes, no } = &items[at] else { return None };
    let Item::Split { feature: next_feature, test: next_test, missing_passes: next_missing, yes: next_yes, .. } = &items[*no]
    else {
        return None;
    };
    let asks = |test: &Test| matches!(test, Test::Equal(_) | Test::Member(_));
    let same = feature == next_feature && missing_passes == next_missing && yes == next_yes;
    (*no != at && same && asks(test) && asks(next_test)).then_some(*no)
}

fn swallow(items: &mut [Item], at: usize, next: usize, sets: &mut Vec<Vec<f32>>) {
    let Item::Split { test: next_test, no: next_no, .. } = items[next].clone() else { return };
    let Item::Split { test, no, .. } = &mut items[at] else { return };
    *no = next_no;
    *test = match (*test, next_test) {
        (Test::Equal(value), Test::Member(set)) | (Test::Member(set), Test::Equal(value)) => {
            sets[set].push(value);
            Test::Member(set)
        }
        (Test::Member(set), Test::Member(next_set)) => {
            let values = std::mem::take(&mut sets[next_set]);
            sets[set].extend(values);
            Test::Member(set)
        }
        (Test::Equal(value), Test::Equal(next_value)) => {
            sets.push(vec![value, next_value]);
            Test::Member(sets.len() - 1)
        }
        (test, _) => test,
    };
}

fn leave_out(items: &mut Vec<Item>, trees: &mut Vec<i64>, joined: &[bool]) {
    let mut count = 0;
    let place = |joined: &bool| {
        let place = count;
        count += usize::from(!joined);
        place
    };
    let places: Vec<usize> = joined.iter().map(place).collect();
    let mut at = joined.iter();
    trees.retain(|_| !at.next().is_some_and(|joined| *joined));
    let mut at = joined.iter();
    items.retain(|_| !at.next().is_some_and(|joined| *joined));
    for item in items {
        if let Item::Split { yes, no, .. } = item {
            *yes = places[*yes];
            *no = places[*no];
        }
    }
}
