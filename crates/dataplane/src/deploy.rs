//! What changes when a pipeline's spec does, and the deployment that follows from it.
//!
//! Groups that are built together are a generation: it has the number of the revision that asked for it, reads that revision's
//! spec, and lives until none of its groups is wanted. So a changed group never touches those that stay.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Schema, Timestamp};
use ports::{Built, Deployed, Deployment};

/// What becomes of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It means what it meant.
    Kept,
    /// It is new, and built from the log.
    Added,
    /// It means something else, and is built from the log while the generation before serves.
    Rebuilt,
    /// It is not wanted any more.
    Removed,
}

/// One group of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub group: String,
    /// What becomes of it.
    pub fate: Fate,
    /// Columns that it has and had not.
    pub columns_added: Vec<String>,
    /// Columns that it had and has not.
    pub columns_removed: Vec<String>,
}

/// One generation that has to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its number, and that of the revision with its spec.
    pub number: u32,
    /// Its groups.
    pub groups: BTreeSet<String>,
    /// Whether some of its groups are not served yet.
    pub builds: bool,
}

/// Compares the groups of a spec, by name and schema, with those in force. In the order of the spec; removed ones last.
pub fn changes(current: Option<&Deployment>, before: &[(String, Schema)], after: &[(String, Schema)]) -> Vec<Change> {
    let deployed = |name: &str| current.and_then(|current| current.groups.iter().find(|deployed| deployed.group == *name));
    let columns = |of: &[(String, Schema)], name: &str| -> BTreeSet<String> {
        let schema = of.iter().find(|(other, _)| other == name);
        schema.into_iter().flat_map(|(_, schema)| schema.columns.iter().map(|(column, _)| column.clone())).collect()
    };
    let change = |group: &str, fate: Fate| {
        let (old, new) = (columns(before, group), columns(after, group));
        let difference = |one: &BTreeSet<String>, other: &BTreeSet<String>| one.difference(other).cloned().collect();
        let (columns_added, columns_removed) = (difference(&new, &old), difference(&old, &new));
        Change { group: group.to_owned(), fate, columns_added, columns_removed }
    };
    let stay = after.iter().map(|(name, schema)| match deployed(name) {
        Some(deployed) if deployed.definition == schema.id => change(name, Fate::Kept),
        Some(_) => change(name, Fate::Rebuilt),
        None => change(name, Fate::Added),
    });
    let gone = current.into_iter().flat_map(|current| &current.groups);
    let gone = gone.filter(|deployed| after.iter().all(|(name, _)| *name != deployed.group));
    stay.chain(gone.map(|deployed| change(&deployed.group, Fate::Removed))).collect()
}

/// The deployment that puts a spec in force; none when nothing changes. `predicts_otherwise` says that its case is another one, which
/// touches no group.
pub fn next(
    current: Option<&Deployment>,
    pipeline: &str,
    spec: &str,
    after: &[(String, Schema)],
    changes: &[Change],
    predicts_otherwise: bool,
    at: Timestamp,
) -> Option<Deployment> {
    if current.is_some() && !predicts_otherwise && changes.iter().all(|change| change.fate == Fate::Kept) {
        return None;
    }
    let revision = current.map_or(1, |current| current.revision + 1);
    let generation = u32::try_from(revision).unwrap_or(u32::MAX);
    let before = |name: &str| current.and_then(|current| current.groups.iter().find(|deployed| deployed.group == *name));
    let groups = after.iter().map(|(name, schema)| match before(name) {
        Some(kept) if kept.definition == schema.id => kept.clone(),
        Some(old) => {
            // A generation that was not served yet is no use to readers: the one that it would have replaced stays.
            let replaces = Some(old.replaces.unwrap_or(old.generation));
            Deployed { group: name.clone(), generation, replaces, definition: schema.id }
        }
        None => {
            // At the very first deployment there is nothing to wait for, and nothing to read.
            let replaces = current.map(|_| 0);
            Deployed { group: name.clone(), generation, replaces, definition: schema.id }
        }
    });
    let groups: Vec<Deployed> = groups.collect();
    let mut built = current.map_or(Vec::new(), |current| current.generations.clone());
    built.push(Built { generation, spec: spec.to_owned(), at });
    let deployment =
        Deployment { pipeline: pipeline.to_owned(), revision, spec: spec.to_owned(), groups, generations: built, at };
    Some(without_needless(deployment))
}

/// Without the specs of generations that have no groups left.
fn without_needless(mut deployment: Deployment) -> Deployment {
    let needed: BTreeSet<u32> = generations(&deployment).into_iter().map(|generation| generation.number).collect();
    deployment.generations.retain(|built| needed.contains(&built.generation));
    deployment
}

/// The generations that a deployment needs: those that serve and those that are being built.
pub fn generations(deployment: &Deployment) -> Vec<Generation> {
    let mut all: BTreeMap<u32, Generation> = BTreeMap::new();
    for deployed in &deployment.groups {
        let builds = deployed.replaces.is_some();
        let wanted = [(Some(deployed.generation), builds), (deployed.replaces.filter(|replaced| *replaced > 0), false)];
        for (number, builds) in wanted.into_iter().filter_map(|(number, builds)| Some((number?, builds))) {
            let generation = all.entry(number).or_insert_with(|| Generation { number, groups: BTreeSet::new(), builds: false });
            generation.groups.insert(deployed.group.clone());
            generation.builds |= builds;
        }
    }
    all.into_values().collect()
}

/// The same deployment with a generation served that was being built.
pub fn promoted(deployment: &Deployment, generation: u32, at: Timestamp) -> Deployment {
    let mut next = Deployment { revision: deployment.revision + 1, at, ..deployment.clone() };
    for deployed in next.groups.iter_mut().filter(|deployed| deployed.generation == generation) {
        deployed.replaces = None;
    }
    without_needless(next)
}

/// Which generation readers read, for each group that can be read.
pub fn serving(deployment: &Deployment) -> Vec<ports::Serving> {
    let read = |deployed: &Deployed| {
        let generation = deployed.replaces.unwrap_or(deployed.generation);
        (generation > 0).then(|| ports::Serving { group: deployed.group.clone(), generation })
    };
    deployment.groups.iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests;
