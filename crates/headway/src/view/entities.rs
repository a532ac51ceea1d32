//! Which features of which entities a person sees, by what a pipeline declares and by nothing else. Pure.

use domain::{Schema, ValueKind};
use pipeline::{Aggregator, Column, Group, Pipeline};

/// Features of one entity type: more than that side by side nobody reads, and no screen has room for.
const COLUMNS_MAX: usize = 12;

/// One entity type of a pipeline, with the features that are shown.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    /// With the pipeline before it where several run.
    pub(super) title: String,
    pub(super) entity: String,
    /// The groups that have vectors.
    pub(super) groups: Vec<Shown>,
    /// At least one. Entities are sorted by the first.
    pub(super) columns: Vec<Chosen>,
}

/// One group that has vectors.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    pub(super) group: Group,
    pub(super) schema: Schema,
    pub(super) generation: u32,
}

/// One feature that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) name: String,
    /// Place of its group among those of the kind.
    pub(super) group: usize,
    /// Place in the group's vector.
    pub(super) place: usize,
}

/// The entity types of a pipeline in its order, of the groups that are served.
pub(super) fn kinds(pipeline: &Pipeline, served: impl Fn(&str) -> Option<u32>) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    for (group, schema) in pipeline.groups.iter().zip(features::schemas(pipeline)) {
        let Some(generation) = served(&group.name) else { continue };
        let shown = Shown { group: group.clone(), schema, generation };
        add(&mut kinds, shown);
    }
    for kind in &mut kinds {
        kind.choose();
    }
    kinds.retain(|kind| !kind.columns.is_empty());
    kinds
}

/// Adds a group to the kind of its entity type.
fn add(kinds: &mut Vec<Kind>, shown: Shown) {
    let entity = shown.group.entity.clone();
    match kinds.iter_mut().find(|kind| kind.entity == entity) {
        Some(kind) => kind.groups.push(shown),
        None => kinds.push(Kind { title: entity.clone(), entity, groups: vec![shown], columns: Vec::new() }),
    }
}

impl Kind {
    /// What happened how often over the widest window first, since that says where the most happens and does not change from one
    /// second to the next; then the first number of each group, the second of each, and so on. Of features of one name one is enough.
    pub(super) fn choose(&mut self) {
        let mut groups: Vec<(usize, Vec<Column>)> =
            (0..).zip(&self.groups).map(|(at, shown)| (at, numbers(&shown.group))).collect();
        let counted = groups.iter().position(|(at, numbers)| counts(&self.groups[*at].group, numbers));
        groups.rotate_left(counted.unwrap_or_default());
        let rounds = groups.iter().map(|(_, numbers)| numbers.len()).max().unwrap_or_default();
        let mut features: Vec<&str> = Vec::new();
        let mut columns = Vec::new();
        for round in 0..rounds {
            for (at, numbers) in &groups {
                let (Some(column), shown) = (numbers.get(round), &self.groups[*at]) else { continue };
                let feature = shown.group.features[column.feature].name.as_str();
                let place = shown.schema.columns.iter().position(|(name, _)| *name == column.name);
                if let Some(place) = place.filter(|_| !features.contains(&feature)) {
                    features.push(feature);
                    columns.push(Chosen { name: column.name.clone(), group: *at, place });
                }
            }
        }
        columns.truncate(COLUMNS_MAX);
        self.columns = columns;
    }
}

/// A column of each feature that is a number and no label, instant or yes-and-no: a count over its widest window and before all
/// others, anything else over its narrowest.
fn numbers(group: &Group) -> Vec<Column> {
    let columns = group.columns();
    let is_number = |column: &&Column| matches!(column.kind, ValueKind::Float | ValueKind::Integer);
    let of = |feature: usize| columns.iter().filter(is_number).filter(move |column| column.feature == feature);
    let mut numbers: Vec<Column> = Vec::new();
    let counted = (0..group.features.len()).find(|feature| is_count(group, *feature) && of(*feature).next().is_some());
    numbers.extend(counted.and_then(|feature| of(feature).next_back()).cloned());
    let others = (0..group.features.len()).filter(|feature| Some(*feature) != counted);
    numbers.extend(others.filter_map(|feature| of(feature).next().cloned()));
    numbers
}

fn counts(group: &Group, numbers: &[Column]) -> bool {
    numbers.first().is_some_and(|column| is_count(group, column.feature))
}

fn is_count(group: &Group, feature: usize) -> bool {
    matches!(group.features[feature].aggregator, Aggregator::Count | Aggregator::Rate { .. } | Aggregator::OpenCount)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The columns of each entity type of a pipeline with these groups.
    fn check(groups: &str, served: impl Fn(&str) -> Option<u32>, expected: &[(&str, &[&str])]) {
        let source = r#"
            [source.rides]
            topic = "rides"
            key = "bike"
            time = "at"
            skew = "30s"
            lateness = "10m"
            fields = { bike = "string", dock = "string", metres = { type = "integer", min = 0, max = 100000 }, kind = { category = ["a", "b"] } }
        "#;
        let pipeline = pipeline::parse("bikes", &format!("{source}{groups}")).expect("a pipeline in order");
        let found = kinds(&pipeline, served);
        let found: Vec<(&str, Vec<&str>)> =
            found.iter().map(|kind| (&*kind.entity, kind.columns.iter().map(|column| &*column.name).collect())).collect();
        let expected: Vec<(&str, Vec<&str>)> = expected.iter().map(|(entity, columns)| (*entity, columns.to_vec())).collect();
        assert_eq!(found, expected);
    }

    const GROUPS: &str = r#"
        [group.way]
        entity = "bike"
        key = "bike"
        source = "rides"
        hop = "1m"
        features = { metres = { mean = "metres", windows = ["5m", "1h"] }, longest = { max = "metres", windows = ["1h"] } }

        [group.docks]
        entity = "dock"
        key = "dock"
        source = "rides"
        features = { kind = { last = "kind" } }

        [group.use]
        entity = "bike"
        key = "bike"
        source = "rides"
        hop = "1m"
        features = { rides = { count = "*", windows = ["5m", "1h"] }, kind_of_last = { last = "kind" } }
    "#;

    #[test]
    fn a_count_comes_first_and_then_something_of_each_group() {
        check(GROUPS, |_| Some(1), &[("bike", &["rides_1h", "metres_5m", "longest_1h"])]);
    }

    #[test]
    fn what_is_not_served_is_not_shown() {
        check(GROUPS, |group| (group == "way").then_some(1), &[("bike", &["metres_5m", "longest_1h"])]);
        check(GROUPS, |_| None, &[]);
    }
}
