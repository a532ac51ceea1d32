//! Transforms: values computed from the joined row of features and from each other.

use super::computed::{self, Computed, Noun, Row};
use super::groups::Groups;
use crate::document::Path;
use crate::raw::RawPipeline;
use crate::report::Report;

const NOUN: Noun = Noun { one: "a transform", many: "transforms" };

/// Reads all transforms.
pub(super) fn resolve(raw: &RawPipeline, groups: &Groups, report: &mut Report<'_>) -> Computed {
    let all = Path::default().key("transform");
    let mut broken = Vec::new();
    let parsed = computed::parse(&raw.transform, &all, &NOUN, &mut broken, report);
    for name in report.document().keys(&all) {
        if let Some(other) = groups.columns.get(&name) {
            let message = format!("the column `{name}` is made by `{other}` already");
            report.key(&all.key(&name), "duplicate_name", message).suggest("rename one of the two");
        }
    }
    let columns = groups.groups.iter().flat_map(|group| group.columns()).map(|column| (column.name, column.kind));
    let mut row = Row::new("the feature columns", columns, [groups.broken.as_slice(), &broken].concat());
    let mut transforms = computed::in_order(parsed, &mut row, &NOUN, report);
    transforms.broken.extend(broken);
    transforms
}
