//! What the shared fixtures leave out.

use domain::Span;
use pipeline::{Aggregator, Arithmetic, Comparison, Expr, Function, Pipeline, SourceKind};
use testkit::pipelines::build::{bare, compare, feature, feature_if, group};

/// The pipeline with one more group: how many stores of the file there are by their size, so that an entity has several rows.
pub(crate) fn stores_by_size(pipeline: &Pipeline) -> Pipeline {
    let mut pipeline = pipeline.clone();
    let stores = pipeline.sources.iter().position(|source| matches!(source.kind, SourceKind::File { .. }));
    let place = stores.expect("a pipeline with a file table");
    let stores = &pipeline.sources[place];
    let hundreds = Expr::Arithmetic(Arithmetic::Divide, Box::new(bare(stores, "capacity")), Box::new(Expr::Number(100.0)));
    let large = compare(stores, "capacity", Comparison::Greater, Expr::Number(50.0));
    let features = vec![
        feature("stores_of_size", Aggregator::OpenCount, Vec::new(), &[]),
        feature_if(large, feature("large_stores_of_size", Aggregator::OpenCount, Vec::new(), &[])),
    ];
    let size = group("size", place, Expr::Call(Function::Floor, vec![hundreds]), "1m", features);
    pipeline.groups.push(size);
    pipeline
}

/// The pipeline with another longest silence of its streams and of all that is derived of them.
pub(crate) fn silent_after(pipeline: &Pipeline, silent_after: Option<Span>) -> Pipeline {
    let mut pipeline = pipeline.clone();
    let sources = pipeline.sources.iter_mut().filter(|source| !matches!(source.kind, SourceKind::File { .. }));
    sources.for_each(|source| source.silent_after = silent_after);
    pipeline
}
