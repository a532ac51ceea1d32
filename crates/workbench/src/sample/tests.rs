//! Samples are the same every time, fit their pipeline, and are worth asking about.

use std::{fs, path::Path, sync::Arc};

use super::*;
use crate::{Mode, Report, Request, Unseen, backfill, scratch::Scratch};

/// Makes a sample of a shipped pipeline and backfills it.
fn check(name: &str, events: u64) -> (Report, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines").join(name);
    let pipeline = pipeline::load(&folder).unwrap_or_else(|faults| panic!("{faults}"));
    let scratch = Scratch::new();
    let (out, spine) = (scratch.path().join("events.jsonl"), scratch.path().join("spine.jsonl"));
    let request =
        SampleRequest { folder: folder.clone(), events, rows: 50, seed: 1, out: out.clone(), spine: Some(spine.clone()) };
    let made = sample(&pipeline, &request, &Unseen).expect("a sample");
    assert_eq!((made.events, made.rows), (events, 50));
    let text = fs::read_to_string(&out).expect("the events");
    let request = Request {
        pipeline: Arc::new(pipeline),
        folder,
        events: vec![out],
        spine,
        mode: Mode::Available,
        out: scratch.path().join("features.csv"),
        show: 50,
    };
    (backfill(&request, &Unseen).expect("a backfill"), text)
}

/// In how many rows each feature has a value.
fn filled(report: &Report) -> Vec<(&str, usize)> {
    let columns = report.preview.columns.iter().enumerate().skip(report.preview.of_spine);
    columns.map(|(at, name)| (name.as_str(), report.preview.rows.iter().filter(|row| !row[at].is_empty()).count())).collect()
}

#[test]
fn the_evening_of_the_flagship_fills_its_features() {
    let (report, _) = check("delivery-eta", 30_000);
    let known: u64 = report.counts.refused.values().sum();
    assert!(known * 50 < report.counts.records, "{:?}", report.counts);
    for (name, rows) in filled(&report) {
        // Facts are known of some stores only.
        let is_fact = ["cuisine", "has_parking"].contains(&name);
        assert!(is_fact || rows > 20, "{name} has a value in {rows} of 50 rows");
    }
}

#[test]
fn a_pipeline_without_a_script_gets_events_that_it_takes() {
    let (report, _) = check("scooter-fleet", 5000);
    assert!(report.counts.refused.values().sum::<u64>() < 100, "{:?}", report.counts);
    let filled = filled(&report);
    assert!(filled.iter().filter(|(_, rows)| *rows > 25).count() * 2 > filled.len(), "{filled:?}");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    assert!(check("scooter-fleet", 2000).1 == check("scooter-fleet", 2000).1);
}

#[test]
fn a_script_that_names_what_is_not_there_is_refused() {
    let scratch = Scratch::new();
    let pipeline = crate::orders_pipeline(&["5m".to_owned()]).expect("a spec");
    let fails = |script: &str, expected: &str| {
        let path = scratch.file("sample.toml", script.as_bytes());
        let error = Script::read(&path, &pipeline).expect_err("a fault").to_string();
        assert!(error.contains(expected), "{error}");
    };
    let head = "middle = { lat = 1, lon = 1, within = 1 }\n";
    fails(&format!("{head}[life.a]\nper_hour = 1\nstep = [{{ source = \"riders\" }}]"), "no stream `riders`");
    fails(&format!("{head}[life.a]\nstep = [{{ source = \"orders\" }}]"), "nothing says when it begins");
    fails(&format!("{head}[life.a]\nper_hour = 1\npick = [\"x\"]\nstep = []"), "no pool `x`");
    fails(&format!("{head}[life.a]\nper_hour = 1\nstep = [{{ source = \"orders\", at = \"x\" }}]"), "no place `x`");
    fails("nonsense", "sample.toml");
}
