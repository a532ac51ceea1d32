//! The pipeline that decoder and codec are fuzzed with, the instant at which they are, and sound records for it.

use std::sync::{Arc, OnceLock};

use domain::Timestamp;
use features::{Config, Engine};
use pipeline::Pipeline;

/// When the log takes the first record: 2050-01-01T00:00:00Z, in the middle of the times that an event may carry.
pub(crate) const CLOCK: Timestamp = Timestamp(2_524_608_000_000);

/// Every kind of field, source and aggregator.
pub(crate) fn every_field() -> Arc<Pipeline> {
    static PIPELINE: OnceLock<Arc<Pipeline>> = OnceLock::new();
    let checked = || {
        let pipeline = parsed(include_str!("every_field.toml"));
        let payload = sound("1", "d", "slow", CLOCK);
        let record = features::Record { source: 0, offset: 0, append_at: CLOCK, payload: payload.as_bytes() };
        let out = engine(&pipeline, Config::default()).ingest(&[record], CLOCK.plus(domain::Span(1)));
        assert_eq!(out.refused, [], "what is called sound is taken");
        pipeline
    };
    PIPELINE.get_or_init(checked).clone()
}

/// The pipeline of a spec that is known to be sound.
pub(crate) fn parsed(spec: &str) -> Arc<Pipeline> {
    Arc::new(pipeline::parse("fuzz", spec).unwrap_or_else(|faults| panic!("a spec of the fuzz crate is at fault: {faults}")))
}

/// An engine without state.
pub(crate) fn engine(pipeline: &Arc<Pipeline>, config: Config) -> Engine {
    Engine::new(pipeline.clone(), config).unwrap_or_else(|error| panic!("a sound pipeline gives an engine: {error}"))
}

/// A payload that the pipeline of [`every_field`] takes.
pub(crate) fn sound(id: &str, device: &str, mode: &str, at: Timestamp) -> String {
    format!(
        r#"{{"source":"fuzz","id":"{id}","device":"{device}","at":{at},"mode":"{mode}","score":7,"amount":12.34,"rough":0.5,"#,
        at = at.0
    ) + r#""level":1000,"flag":true,"latitude":48.1,"longitude":11.5,"note":"n","precise":0.25,"seen_at":"2049-12-31T23:59:59Z"}"#
}
