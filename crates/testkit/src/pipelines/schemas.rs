use domain::Schema;
use pipeline::{Group, Pipeline};

/// A schema for each group of a pipeline, with the group's place for an id: for vectors that are packed without an engine.
pub fn schemas(pipeline: &Pipeline) -> Vec<Schema> {
    let schema = |(id, group): (u32, &Group)| Schema {
        id,
        columns: group.columns().into_iter().map(|column| (column.name, column.kind)).collect(),
        tolerance: group.tolerance,
    };
    (0..).zip(&pipeline.groups).map(schema).collect()
}
