//! How long the transforms of a pipeline take for the fifty rows of one quote: `cargo run --release -p scoring --example transforms`.

use std::error::Error;
use std::hint::black_box;
use std::path::Path;

use domain::{Value, ValueKind};
use scoring::Transforms;

const ROWS: usize = 50;
const ROUNDS: usize = 2001;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../pipelines/delivery-eta"));
    let pipeline = pipeline::load(folder)?;
    let columns: Vec<ValueKind> = pipeline.groups.iter().flat_map(|group| group.columns()).map(|column| column.kind).collect();
    let rows: Vec<Vec<Option<Value>>> = (0..ROWS).map(|row| columns.iter().map(|kind| value(kind, row)).collect()).collect();
    let transforms = Transforms::of(&pipeline);
    let mut evaluator = transforms.evaluator();
    let mut results = Vec::new();
    let mut microseconds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            measured(|| {
                results.clear();
                rows.iter().for_each(|row| evaluator.append(black_box(row), &mut results));
                black_box(&results);
            })
        })
        .collect();
    microseconds.sort_by(f64::total_cmp);
    let (median, slow) = (microseconds[ROUNDS / 2], microseconds[ROUNDS * 99 / 100]);
    let shape = format!("{} columns, {} transforms, {ROWS} rows", columns.len(), pipeline.transforms.len());
    #[expect(clippy::print_stdout, reason = "what a person runs this for")]
    {
        println!("{shape}: median {median:.1} µs, 99th percentile {slow:.1} µs");
    }
    Ok(())
}

fn value(kind: &ValueKind, row: usize) -> Option<Value> {
    match kind {
        _ if row % 7 == 6 => None,
        ValueKind::Float => Some(Value::Float(row as f64 + 0.5)),
        _ => Some(Value::Integer((row % 2) as i64)),
    }
}

#[expect(clippy::disallowed_methods, reason = "it measures; nothing that is computed depends on it")]
fn measured(work: impl FnOnce()) -> f64 {
    let begin = std::time::Instant::now();
    work();
    begin.elapsed().as_secs_f64() * 1e6
}
