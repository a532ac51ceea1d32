//! A value that is followed record by record is the engine's, and what is said of its records adds up to it.

use std::sync::Arc;

use domain::{Span, Timestamp, Value};
use features::{Config, Engine, Record, Trace, Wanted};
use pipeline::{Aggregator, Pipeline, SourceKind};
use testkit::{
    generate::{self, Stream},
    pipelines,
};

/// Records in one step of the engine and of the trace: different, since it must not matter.
const BATCH: usize = 37;
const TRACED_BATCH: usize = 53;

/// Everything that a run needs.
struct Run {
    pipeline: Arc<Pipeline>,
    records: Vec<testkit::Record>,
    at: Timestamp,
}

impl Run {
    fn new(pipeline: Pipeline, seed: u64, share: f64) -> Self {
        let knobs = Stream { events: 600, keys: 3, ..Stream::default() };
        let records = generate::records(&pipeline, &knobs, seed);
        let (first, last) = (records[0].append_at.0, records[records.len() - 1].append_at.0);
        let at = Timestamp(first + ((last - first) as f64 * share) as i64);
        let records = records.into_iter().filter(|record| record.append_at < at).collect();
        Self { pipeline: Arc::new(pipeline), records, at }
    }

    fn engine(&self) -> Engine {
        let mut engine = Engine::new(self.pipeline.clone(), Config::default()).expect("a pipeline that runs");
        let records: Vec<Record<'_>> = numbered(&self.records).collect();
        for batch in records.chunks(BATCH) {
            engine.ingest(batch, batch[batch.len() - 1].append_at.plus(Span(1)));
        }
        engine.tick(self.at);
        engine
    }

    /// The instant of a group's values: time stands still when the source is silent.
    fn instant(&self, group: usize) -> Timestamp {
        let base = self.pipeline.base_of(self.pipeline.groups[group].source).expect("a group over records");
        let heard = self.records.iter().filter(|record| record.source == base).map(|record| record.append_at).max();
        let silent_after = self.pipeline.sources[self.pipeline.groups[group].source].silent_after;
        heard.zip(silent_after).map_or(self.at, |(heard, after)| self.at.min(heard.plus(after)))
    }

    fn trace(&self, group: usize, column: &pipeline::Column, key: &str) -> Trace {
        let at = self.instant(group);
        let wanted = Wanted { group, column, key, at };
        let mut trace = Trace::new(&self.pipeline, wanted, 1).expect("a pipeline that runs").expect("a group over records");
        let base = trace.base();
        let records: Vec<(u32, Record<'_>)> =
            numbered(&self.records).filter(|record| record.source == base).map(|record| (0, record)).collect();
        for batch in records.chunks(TRACED_BATCH) {
            trace.take(batch, batch[batch.len() - 1].1.append_at.plus(Span(1)));
        }
        trace.finish();
        trace
    }
}

fn numbered(records: &[testkit::Record]) -> impl Iterator<Item = Record<'_>> {
    (0..).zip(records).map(|(offset, record)| Record {
        source: record.source,
        offset,
        append_at: record.append_at,
        payload: &record.payload,
    })
}

fn bits(value: Option<Value>) -> Option<u64> {
    value.map(|value| match value {
        Value::Float(float) => float.to_bits(),
        Value::Integer(integer) => integer.cast_unsigned(),
    })
}

/// Follows every value of a run and returns how many there were, and how many refused records were seen.
fn check(run: &Run) -> (usize, u64) {
    let engine = run.engine();
    let (mut values, mut refused) = (0, 0);
    for (index, group) in run.pipeline.groups.iter().enumerate() {
        if matches!(run.pipeline.sources[group.source].kind, SourceKind::File { .. }) {
            continue;
        }
        for key in engine.keys(index) {
            let vector = engine.vector(index, key).expect("a live entity");
            for (column, value) in group.columns().iter().zip(vector.values) {
                let trace = run.trace(index, column, key);
                let shown = format!("{} {key} {}", group.name, column.name);
                assert_eq!(bits(trace.value()), bits(value), "{shown}: {:?} is not {value:?}", trace.value());
                check_sums(run, &trace, group, column, &shown);
                values += 1;
                refused += trace.refused().count;
            }
        }
    }
    (values, refused)
}

/// What is counted is what is listed.
fn check_sums(run: &Run, trace: &Trace, group: &pipeline::Group, column: &pipeline::Column, shown: &str) {
    assert_eq!(trace.rows().left_out(), 0, "{shown}: these runs are short");
    let counting = trace.rows().iter().filter(|row| row.counts).count() as i64;
    if matches!(group.features[column.feature].aggregator, Aggregator::Count | Aggregator::OpenCount) {
        assert_eq!(trace.value(), Some(Value::Integer(counting)), "{shown}");
    }
    if column.window.is_some() {
        let in_tiles: u64 = trace.tiles().iter().map(|tile| tile.events).sum();
        assert_eq!(in_tiles, trace.rows().count, "{shown}: events of tiles and events");
    }
    for row in trace.rows().iter() {
        let origins = [Some(row.record), row.start];
        for origin in origins.into_iter().flatten() {
            let record = &run.records[origin.offset as usize];
            assert_eq!((record.source, record.append_at), (trace.base(), origin.append_at), "{shown}");
        }
    }
}

#[test]
fn every_aggregator_is_followed() {
    for seed in 0..3 {
        let (values, refused) = check(&Run::new(pipelines::every_aggregator(), seed, [0.3, 0.7, 1.0][seed as usize]));
        assert!(values > 30 && refused > 0, "{values} values, {refused} refused");
    }
}

#[test]
fn pairs_and_tables_are_followed() {
    for seed in 0..4 {
        let (values, refused) = check(&Run::new(pipelines::orders(), seed, [0.2, 0.5, 0.9, 1.0][seed as usize]));
        assert!(values > 20 && refused > 0, "{values} values, {refused} refused");
    }
}

#[test]
fn absences_are_followed_to_the_event_after_which_nothing_came() {
    let all: usize =
        (0..8).map(|seed| check(&Run::new(pipelines::absences(), seed, [0.3, 0.6, 0.9, 1.0][seed as usize % 4])).0).sum();
    assert!(all >= 40, "{all} values");
    let run = Run::new(pipelines::absences(), 1, 1.0);
    let (engine, column) = (run.engine(), &run.pipeline.groups[0].columns()[1]);
    let keys: Vec<&str> = engine.keys(0).collect();
    let rows: Vec<features::TracedRow> =
        keys.iter().flat_map(|key| run.trace(0, column, key).rows().iter().cloned().collect::<Vec<_>>()).collect();
    assert!(!rows.is_empty(), "something did not come");
    for row in rows {
        assert_eq!(row.at.0 - row.record.time.0, 120_000, "nothing came for two minutes");
    }
}

#[test]
fn a_silent_source_is_followed_to_where_time_stands_still() {
    let mut run = Run::new(pipelines::orders(), 9, 0.6);
    run.at = run.at.plus(Span(600_000));
    let (values, _) = check(&run);
    assert!(values > 10, "{values}");
}

#[test]
fn a_duration_names_both_its_events() {
    let run = Run::new(pipelines::orders(), 1, 1.0);
    let engine = run.engine();
    let column = &run.pipeline.groups[0].columns()[1];
    let keys: Vec<&str> = engine.keys(0).collect();
    let rows: Vec<features::TracedRow> =
        keys.iter().flat_map(|key| run.trace(0, column, key).rows().iter().cloned().collect::<Vec<_>>()).collect();
    assert!(!rows.is_empty(), "durations were made");
    for row in rows {
        let start = row.start.expect("a duration has a beginning");
        let seconds = (row.record.time.0 - start.time.0) as f64 / 1000.0;
        assert_eq!(row.values, [Some(Value::Float(seconds))]);
    }
}

#[test]
fn a_file_has_no_records_to_follow() {
    let pipeline = pipelines::orders();
    let group = pipeline.groups.len() - 1;
    let column = &pipeline.groups[group].columns()[0];
    let wanted = Wanted { group, column, key: "s1", at: Timestamp(1_780_000_000_000) };
    assert!(Trace::new(&pipeline, wanted, 1).expect("a pipeline that runs").is_none());
}
