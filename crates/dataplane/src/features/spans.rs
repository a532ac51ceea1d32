//! What a trace shows of a worker: a span for each step that takes records, and for each thing that a step waits for.
//!
//! Never one for a record. Everything that happens with each step is at level debug, so that it costs one comparison when nobody
//! wants traces; what happens a few times in a process's life is at level info. No key of an entity is ever in a field. Numbers
//! have a sign, since those of a trace do.

use std::sync::Arc;

use ports::Commit;
use tracing::{Span, debug_span, field, info, info_span};

use super::{Counts, Plan, shard::Chunk};

/// Links a span to the trace that a record's `traceparent` header names. Whoever runs the workers knows how.
pub type Linker = Arc<dyn Fn(&Span, &[u8]) + Send + Sync>;

/// The header of a record that says in which trace it was made, as the W3C wrote it down.
const TRACE_HEADER: &str = "traceparent";
/// Traces that one step is linked to. It may take 16,384 records, and nobody follows more than a few.
const LINKS_MAX: usize = 16;

/// A step that takes records; none when only time passes, which is several times a second.
pub(super) fn step<'a>(plan: &Plan, chunks: impl Iterator<Item = &'a [Chunk]>) -> Span {
    let (mut partitions, mut records) = (0, 0);
    for chunks in chunks {
        partitions += i64::from(!chunks.is_empty());
        records += chunks.iter().map(|chunk| chunk.records.len()).sum::<usize>();
    }
    if partitions == 0 {
        return Span::none();
    }
    debug_span!(
        "step",
        pipeline = %plan.pipeline.id,
        generation = i64::from(plan.generation),
        partitions,
        records = records as i64,
        links_left_out = field::Empty,
    )
}

/// The commit of what some partitions took in one step.
pub(super) fn commit(plan: &Plan, commits: &[Commit]) -> Span {
    let outputs: usize = commits.iter().map(|commit| commit.outputs.len()).sum();
    debug_span!("commit", pipeline = %plan.pipeline.id, generation = i64::from(plan.generation), partitions = commits.len() as i64, outputs = outputs as i64)
}

/// Vectors on their way to the online store; none for the question whether it still knows the partition.
pub(super) fn publish(plan: &Plan, partition: u32, vectors: usize) -> Span {
    if vectors == 0 {
        return Span::none();
    }
    debug_span!("publish", pipeline = %plan.pipeline.id, generation = i64::from(plan.generation), partition = i64::from(partition), vectors = vectors as i64)
}

/// A piece of a snapshot on its way to the artifacts.
pub(super) fn snapshot(plan: &Plan, partition: u32, bytes: usize) -> Span {
    debug_span!("snapshot", pipeline = %plan.pipeline.id, generation = i64::from(plan.generation), partition = i64::from(partition), bytes = bytes as i64)
}

/// The making of a shard from snapshots and log.
pub(super) fn recover(plan: &Plan, partition: u32) -> Span {
    info_span!("recover", pipeline = %plan.pipeline.id, generation = i64::from(plan.generation), partition = i64::from(partition), replayed = field::Empty)
}

/// Says of a recovery what came of it.
pub(super) fn recovered(span: &Span, counts: &Counts) {
    span.record("replayed", counts.replayed.cast_signed());
    info!(parent: span, entities = counts.entities, "owns a partition");
}

/// Links a step to the traces of its records, as far as there is room.
pub(super) fn link<'a>(linker: Option<&Linker>, span: &Span, chunks: impl Iterator<Item = &'a Chunk>) {
    let (Some(linker), false) = (linker, span.is_disabled()) else { return };
    let (linked, left_out) = traces(chunks);
    linked.iter().for_each(|trace| linker(span, trace));
    if left_out > 0 {
        span.record("links_left_out", left_out as i64);
    }
}

/// The different traces of these records in their order, up to the bound, and how many records were beyond it.
fn traces<'a>(chunks: impl Iterator<Item = &'a Chunk>) -> (Vec<&'a [u8]>, usize) {
    let (mut found, mut left_out) = (Vec::new(), 0);
    let headers = chunks.flat_map(|chunk| &chunk.records).flat_map(|record| &record.headers);
    for header in headers.filter(|header| header.name == TRACE_HEADER) {
        let trace = &*header.value;
        if found.contains(&trace) {
            continue;
        }
        if found.len() < LINKS_MAX { found.push(trace) } else { left_out += 1 }
    }
    (found, left_out)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use domain::Timestamp;
    use ports::{Header, Record};

    use super::*;

    #[test]
    fn a_step_is_linked_to_a_few_different_traces() {
        let record = |offset: u64, name: &str, value: String| Record {
            offset,
            append_at: Timestamp(0),
            key: Bytes::new(),
            value: Bytes::new(),
            headers: vec![Header { name: name.to_owned(), value: Bytes::from(value) }],
            decoded: None,
        };
        let twice = (0..40).map(|number| record(number, TRACE_HEADER, format!("{}", number / 2)));
        let records = twice.chain([record(40, "content-type", "x".into())]).collect();
        let chunks = [Chunk { topic: 0, records }];
        let (found, left_out) = traces(chunks.iter());
        assert_eq!((found.len(), left_out), (LINKS_MAX, 8));
        assert_eq!(found[..2], [b"0", b"1"]);
    }
}
