//! A warehouse that cannot be written: predictions go on, it is said and counted, and when it can be written again each prediction and each
//! outcome has its row.

#![expect(clippy::disallowed_methods, reason = "a real process is driven in real time")]

mod driven;
#[path = "telemetry/http.rs"]
#[allow(dead_code, reason = "other tests are ruder")]
mod http;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use driven::{Asking, Load, SPEC, address, audit_orders, audit_rows, orders, settle, start_heard_with, stop};

const PATIENCE: Duration = Duration::from_secs(60);

/// The sum of a metric over all its labels; none before it is told.
fn metric(asking: &mut Asking, name: &str) -> Option<f64> {
    let metrics = http::get(&address(asking), "/metrics").body;
    let values =
        metrics.lines().filter(|line| line.starts_with(name)).filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok());
    values.reduce(|sum, value| sum + value)
}

fn until(asking: &mut Asking, what: &str, mut is_so: impl FnMut(&mut Asking) -> bool) {
    let begun = Instant::now();
    while !is_so(asking) {
        assert!(begun.elapsed() < PATIENCE, "not in time: {what}");
    }
}

#[test]
fn while_it_cannot_be_written_predictions_go_on_and_then_each_has_its_row() {
    let (folder, specs) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let home = folder.path().join("home");
    let spec = orders::write_spec(specs.path());
    // The process has its folder, and then somebody puts a file where a table is to be.
    let (child, mut asking, heard) = start_heard_with(&home, Path::new(SPEC), &[&spec.to_string_lossy()]);
    let obstacle = home.join("warehouse/.rows/driven_orders_predictions");
    fs::create_dir_all(obstacle.parent().expect("a folder above")).expect("a folder");
    fs::write(&obstacle, "in the way").expect("a file");
    let mut load = Load::new(3).with_orders();
    until(&mut asking, "it fails", |asking| {
        load.send(asking);
        metric(asking, "headway_warehouse_failures_total").is_some_and(|failures| failures > 0.0)
    });
    heard.until("The warehouse takes no rows, which wait in the log meanwhile");
    let before = metric(&mut asking, "headway_predictions_total{").expect("predictions");
    until(&mut asking, "predictions go on", |asking| {
        load.send(asking);
        metric(asking, "headway_predictions_total{").is_some_and(|now| now > before + 20.0)
    });
    assert_eq!(metric(&mut asking, "headway_warehouse_rows_total"), None, "there is no row yet");
    fs::remove_file(&obstacle).expect("a file");
    settle(&mut asking);
    until(&mut asking, "rows are written", |asking| {
        metric(asking, "headway_warehouse_rows_total").is_some_and(|rows| rows >= before)
    });
    heard.until("The warehouse takes rows again.");
    stop(child);
    let audited = audit_orders(&home, &load);
    let rows = audit_rows(&home);
    assert!(rows >= audited.stages && audited.outcomes > 0, "{rows} rows, {audited:?}");
    let files = |table: &str| {
        let days = fs::read_dir(home.join("warehouse").join(table)).expect("days").flatten();
        days.flat_map(|day| fs::read_dir(day.path()).expect("files")).count()
    };
    assert!(
        files("driven_orders_predictions") > 0 && files("driven_orders_outcomes") > 0,
        "a stop leaves files for other programs"
    );
}
