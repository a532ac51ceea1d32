//! What a running Headway tells the outside: metrics, probes, traces and lines, to friendly, slow and hanging listeners.

#![expect(clippy::disallowed_methods, reason = "a real process is driven in real time")]

mod collector;
#[path = "../driven/mod.rs"]
mod driven;
#[path = "../models/eta.rs"]
#[allow(dead_code, reason = "the tests of models damage and change more")]
mod eta;
mod http;
#[path = "../models/package.rs"]
#[allow(dead_code, reason = "the tests of models look at packages themselves")]
mod package;
mod prometheus;
#[path = "../models/scene.rs"]
#[allow(dead_code, reason = "the tests of models read what was predicted")]
mod scene;
mod wire;

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use domain::{Span, Timestamp};
use driven::{Asking, Load, SPEC, address, settle, start_with, stop};
use io_log::EmbeddedLog;
use ports::{Header, Log, Outgoing, clock_fn};
use prometheus::Page;
use scene::Scene;
use tempfile::TempDir;

/// What was learned is told every ten seconds, and heard two seconds later.
const PATIENCE: Duration = Duration::from_secs(40);

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("headway");
    (folder, path)
}

fn spec() -> &'static Path {
    Path::new(SPEC)
}

/// Tries until it is true.
fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} did not come");
        std::thread::yield_now();
    }
}

#[test]
fn metrics_say_what_was_done() {
    let (_kept, folder) = folder();
    let (child, mut asking, _) = start_with(&folder, spec(), &[], &[]);
    let address = address(&mut asking);
    let mut load = Load::new(7);
    while load.sent < 400 {
        load.send(&mut asking);
    }
    settle(&mut asking);
    let ready = wait_for("/readyz", || Some(http::get(&address, "/readyz")).filter(|answer| answer.status == 200));
    assert!(ready.body.starts_with("ready: "), "{}", ready.body);
    // What is told may be half a second old.
    let taken = |page: &Page| page.sum("headway_records_taken_total");
    let page = wait_for("all records", || {
        let page = Page::parse(&http::get(&address, "/metrics").body);
        (taken(&page) >= load.sent as f64 && page.sum("headway_lag_records") == 0.0).then_some(page)
    });
    assert_eq!(page.value("headway_ready", &[]), 1.0);
    assert!(page.sum("headway_vectors_made_total") > 0.0 && page.sum("headway_commits_total") > 0.0);
    assert!(page.sum("headway_entities") > 0.0 && page.sum("process_memory_usage_bytes") > 1e6);
    assert!(page.sum("process_cpu_time_seconds_total") > 0.0 && page.sum("process_uptime_seconds") > 0.0);
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    assert_eq!(page.value("headway_build_info", &version), 1.0);
    // One in ten events comes a second time.
    let refused = [("pipeline", "scooter-fleet"), ("generation", "1"), ("reason", "duplicate")];
    assert!(page.value("headway_records_refused_total", &refused) > 0.0);
    // Each record that was taken has waited, and is in exactly one bucket.
    let generation = [("pipeline", "scooter-fleet"), ("generation", "1")];
    assert_eq!(page.value("headway_freshness_seconds_count", &generation), taken(&page));
    assert_eq!(page.buckets("headway_freshness_seconds", &generation).last(), Some(&(f64::INFINITY, taken(&page))));
    for sample in page.samples("headway_engine_clock_age_seconds") {
        assert!((0.0..60.0).contains(&sample.value), "{sample:?}");
    }
    page.has_no_label_like(|value| value.starts_with('d') && value[1..].parse::<u32>().is_ok());
    stop(child);
}

#[test]
fn every_metric_is_in_the_reference_and_the_other_way_round() {
    let scene = Scene::new(true);
    let (child, mut asking) = scene.start(&[SPEC]);
    let address = address(&mut asking);
    let mut load = Load::new(3);
    while load.sent < 100 {
        load.send(&mut asking);
    }
    // What nobody has asked for is not counted, and neither is what has never happened: a model that is not taken, one that challenges,
    let strange = scene.packages.path().join("strange");
    eta::write(&strange, "1", 900.0, 2);
    scene.refuses(&strange, "it is none of the 1 trusted here");
    scene.challenge("2", 900.0);
    // an order that took five minutes, which the pipeline believes, of a store that has never cooked,
    happened(&mut asking, "order.placed", Span(300_000));
    happens(&mut asking, "order.delivered");
    // and a store of which nothing is known.
    assert_eq!(http::quote(&address, r#"{"candidates":[{"store_id":"1"}]}"#).status, 200);
    settle(&mut asking);
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/metrics.md");
    let reference = std::fs::read_to_string(root).expect("the page");
    let listed: Vec<(String, String)> = reference
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|line| {
            let cells: Vec<&str> = line.split(" | ").collect();
            (cells[0].trim_end_matches('`').to_owned(), cells[2].to_owned())
        })
        .collect();
    assert!(listed.len() > 10, "{reference}");
    let begun = Instant::now();
    loop {
        let told = Page::parse(&http::get(&address, "/metrics").body).families();
        assert!(told.iter().all(|metric| listed.contains(metric)), "{told:?}");
        let missing: Vec<&(String, String)> = listed.iter().filter(|metric| !told.contains(metric)).collect();
        if missing.is_empty() {
            assert_eq!(told.len(), listed.len(), "one is there twice: {told:?}");
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{missing:?} did not come");
    }
    stop(child);
}

#[test]
fn probes_answer_and_other_paths_are_problems() {
    let (_kept, folder) = folder();
    let (child, mut asking, _) = start_with(&folder, spec(), &[], &[]);
    let address = address(&mut asking);
    assert_eq!(http::get(&address, "/livez").status, 200);
    // Not ready for a while, with a reason; then ready, and never again anything else.
    let mut statuses = Vec::new();
    wait_for("/readyz", || {
        let answer = http::get(&address, "/readyz");
        statuses.push(answer.status);
        if answer.status == 503 {
            let problem = answer.problem();
            assert!(problem["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{problem}");
        }
        (answer.status == 200).then_some(())
    });
    assert!(statuses[..statuses.len() - 1].iter().all(|status| *status == 503), "{statuses:?}");
    let missing = http::get(&address, "/metrics/x");
    assert_eq!((missing.status, &missing.problem()["instance"]), (404, &"/metrics/x".into()));
    let written = http::request(&address, "POST /metrics HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc");
    assert_eq!((written.status, &written.problem()["title"]), (405, &"Method Not Allowed".into()));
    assert_eq!(http::request(&address, "HEAD /metrics HTTP/1.1\r\n\r\n").body, "");
    assert_eq!(http::request(&address, "\u{1}\u{2}\r\n\r\n").status, 400);
    stop(child);
}

#[test]
fn quotes_are_answered_by_the_running_process() {
    let (_kept, folder) = folder();
    let (child, mut asking, _) = start_with(&folder, spec(), &["../../pipelines/delivery-eta"], &[]);
    let address = address(&mut asking);
    let body = r#"{"draft":{"area":"881f1d4895fffff","items":3,"basket":25.9},"candidates":[{"store_id":"1"},{"store_id":"2"}]}"#;
    let answer = http::quote(&address, body);
    assert_eq!(answer.status, 200, "{answer:?}");
    let quote: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    // Nobody has sold anything yet.
    let candidate = &quote["candidates"][1];
    assert_eq!((&quote["pipeline"], &candidate["candidate"]["store_id"]), (&"delivery-eta".into(), &"2".into()));
    assert_eq!((&candidate["degraded"], &candidate["p50"]), (&"anywhere".into(), &2100.0.into()));
    assert_eq!(candidate["unknown"], serde_json::json!(["store", "area"]));
    let refused = http::quote(&address, &body.replace("\"items\":3", "\"items\":-3"));
    assert_eq!((refused.status, &refused.problem()["errors"][0]["pointer"]), (422, &"/draft/items".into()));
    let described: serde_json::Value = serde_json::from_str(&http::get(&address, "/v1/openapi.json").body).expect("JSON");
    assert_eq!(described["openapi"], "3.1.0");
    wait_for("both candidates", || {
        let page = Page::parse(&http::get(&address, "/metrics").body);
        (page.sum("headway_quotes_candidates_total") == 2.0).then_some(())
    });
    stop(child);
}

#[test]
fn what_is_predicted_is_answered_until_the_case_is_over() {
    let (_kept, folder) = folder();
    let (child, mut asking, _) = start_with(&folder, Path::new("../../pipelines/delivery-eta"), &[], &[]);
    let address = address(&mut asking);
    let asked = || http::get(&address, "/v1/orders/o1/eta");
    wait_for("all that was predicted before", || (asked().status == 404).then_some(()));
    happens(&mut asking, "order.placed");
    let told = wait_for("a prediction", || Some(asked()).filter(|answer| answer.status == 200));
    let told: serde_json::Value = serde_json::from_str(&told.body).expect("JSON");
    assert_eq!((&told["order"], &told["stage"], &told["degraded"]), (&"o1".into(), &"placed".into(), &"anywhere".into()));
    happens(&mut asking, "order.ready");
    wait_for("the next stage", || asked().body.contains("\"stage\":\"ready\"").then_some(()));
    happens(&mut asking, "order.delivered");
    wait_for("the end", || (asked().status == 410).then_some(()));
    stop(child);
}

#[test]
fn clients_that_dawdle_hold_up_nobody() {
    let (_kept, folder) = folder();
    let (child, mut asking, _) = start_with(&folder, spec(), &[], &[]);
    let address = address(&mut asking);
    // Twice as many as are served at once, each with half a request.
    let slow: Vec<_> = (0..512).map(|_| http::begin(&address, "GET /metrics HTTP/1.1\r\nx: y")).collect();
    for _ in 0..20 {
        let begun = Instant::now();
        assert_eq!(http::get(&address, "/livez").status, 200);
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    }
    // The oldest had to go at once, and the youngest is told to after a while.
    let mut slow = slow.into_iter();
    assert_eq!(slow.next().map(http::end), Some(None));
    assert_eq!(slow.next_back().and_then(http::end).map(|answer| answer.status), Some(408));
    stop(child);
}

#[test]
fn a_second_process_finds_another_address_unless_one_is_asked_for() {
    let (_kept, one) = folder();
    let (_other, two) = folder();
    let (child, mut asking, _) = start_with(&one, spec(), &[], &[]);
    let address = address(&mut asking);
    let output = Command::new(env!("CARGO_BIN_EXE_headway"))
        .args(["run", SPEC, "--headless", "--listen", &address, "--folder"])
        .arg(&two)
        .output()
        .expect("the binary");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains(&address) && words.contains("--listen"), "{words}");
    // Nobody asks for an address: the usual one or any other, but never a failure.
    let plain = |folder: &Path, log: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_headway"))
            .args(["run", SPEC, "--headless", "--for", "1s", "--log", log, "--folder"])
            .arg(folder)
            .output()
            .expect("the binary");
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).expect("text"));
        assert!(output.status.success(), "{out}{err}");
        (out, err)
    };
    let usual = TcpListener::bind("127.0.0.1:9464");
    let (out, err) = plain(&two, "warn");
    assert!(out.contains("Metrics and probes: http://127.0.0.1:"), "{out}");
    assert_eq!(err, "", "nothing to warn of");
    drop(usual);
    let (_, err) = plain(&two, "info");
    assert!(err.contains("owns a partition") && err.contains("pipeline=scooter-fleet"), "{err}");
    stop(child);
}

#[test]
fn a_collector_gets_spans_with_their_links_and_metrics() {
    let (_kept, folder) = folder();
    // Somebody else's record, made in a trace of theirs.
    let (child, mut asking, _) = start_with(&folder, spec(), &[], &[]);
    settle(&mut asking);
    stop(child);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    append_with_trace(&folder, &format!("00-{trace}-00f067aa0ba902b7-01"));
    let collector = collector::Collector::start();
    let endpoint = format!("http://{}", collector.address);
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=city%201"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
        ("OTEL_BSP_SCHEDULE_DELAY", "100"),
        ("OTEL_SERVICE_NAME", "scooters"),
    ];
    let (child, mut asking, _) = start_with(&folder, spec(), &[], &environment);
    settle(&mut asking);
    wait_for("spans and metrics", || (collector.spans().len() > 4 && !collector.metrics().is_empty()).then_some(()));
    stop(child);
    let spans = collector.spans();
    let names: Vec<&str> = spans.iter().map(|span| &*span.name).collect();
    for wanted in ["step", "commit", "publish", "recover"] {
        assert!(names.contains(&wanted), "{wanted} is missing: {names:?}");
    }
    let step = spans.iter().find(|span| span.name == "step" && !span.links.is_empty()).expect("a step with a link");
    assert_eq!(step.links, [trace]);
    assert_eq!(step.attributes["pipeline"], "scooter-fleet");
    assert_eq!(step.attributes["generation"], "1");
    // What other partitions said of themselves may be in the same step.
    assert!(step.attributes["records"].parse::<u64>().is_ok_and(|records| records > 0), "{step:?}");
    let commit = spans.iter().find(|span| span.name == "commit" && span.parent == step.id).expect("its commit");
    assert_eq!(commit.trace, step.trace);
    assert!(commit.begun >= step.begun && commit.ended <= step.ended, "{commit:?} {step:?}");
    let metrics = collector.metrics();
    let taken = metrics.iter().rfind(|metric| metric.name == "headway.records.taken").expect("counts");
    assert!(taken.is_monotonic_and_cumulative && taken.unit == "{record}");
    let freshness = metrics.iter().rfind(|metric| metric.name == "headway.freshness").expect("a histogram");
    assert_eq!(freshness.counts.len(), freshness.bounds.len() + 1);
    assert!(taken.sum() > 0 && freshness.counts.iter().sum::<u64>() == taken.sum(), "{freshness:?} {taken:?}");
    assert!(freshness.bounds.is_sorted(), "{freshness:?}");
    assert_eq!(collector.service(), "scooters");
    assert!(collector.heads().iter().all(|head| head.to_lowercase().contains("x-tenant: city 1")), "{:?}", collector.heads());
}

#[test]
fn a_collector_that_hangs_or_is_gone_delays_nothing() {
    let hanging = TcpListener::bind("127.0.0.1:0").expect("a port");
    let gone = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    for at in [hanging.local_addr().expect("an address"), gone] {
        let (_kept, folder) = folder();
        let endpoint = format!("http://{at}");
        let environment = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint),
            ("OTEL_METRIC_EXPORT_INTERVAL", "50"),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
        ];
        let (child, mut asking, _) = start_with(&folder, spec(), &[], &environment);
        let mut load = Load::new(5);
        load.send_for(&mut asking, Duration::from_millis(500));
        settle(&mut asking);
        // It checks that this takes less than two seconds.
        stop(child);
    }
    drop(hanging);
}

#[test]
fn two_pipelines_count_apart() {
    let (_kept, folder) = folder();
    let (child, mut asking, _) = start_with(&folder, spec(), &["../../pipelines/delivery-eta"], &[]);
    let address = address(&mut asking);
    let mut load = Load::new(9);
    while load.sent < 100 {
        load.send(&mut asking);
    }
    settle(&mut asking);
    wait_for("/readyz", || (http::get(&address, "/readyz").status == 200).then_some(()));
    wait_for("all records", || {
        let page = Page::parse(&http::get(&address, "/metrics").body);
        let taken = |pipeline| {
            let partitions = ["0", "1", "2", "3"];
            let value = |partition| {
                let labels = [("pipeline", pipeline), ("generation", "1"), ("partition", partition)];
                page.value("headway_records_taken_total", &labels)
            };
            partitions.map(value).iter().sum::<f64>()
        };
        // Nobody sends orders, so all that the other one takes is what its partitions tell each other.
        (taken("scooter-fleet") >= load.sent as f64 && taken("delivery-eta") < load.sent as f64).then_some(())
    });
    stop(child);
}

/// Something happens to the one order that there is.
fn happens(asking: &mut Asking, kind: &str) {
    happened(asking, kind, Span(0));
}

/// The same, so long ago.
fn happened(asking: &mut Asking, kind: &str, ago: Span) {
    let at = wall().minus(ago).to_string();
    let payload = serde_json::json!({
        "id": kind, "source": "test", "type": kind, "occurred_at": at, "order_id": "o1", "store_id": "42",
        "area": "881f1d4895fffff", "items": 3, "basket": 25.9,
    });
    let event = serde_json::json!({ "topic": "headway.delivery-eta.orders", "key": "o1", "payload": payload.to_string() });
    let answer = asking.ask(&serde_json::json!({ "append": { "events": [event] } }));
    assert!(answer["appended"].is_u64(), "{answer}");
}

fn wall() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    Timestamp(since.as_millis() as i64)
}

/// Puts one event with a trace into the log of a folder that nobody holds.
fn append_with_trace(folder: &Path, trace: &str) {
    let now = wall();
    let log = EmbeddedLog::open(io_log::Settings::new(folder.join("log")), clock_fn(1.0, move || now)).expect("free");
    let payload = serde_json::json!({
        "id": "traced", "source": "test", "occurred_at": now.to_string(), "device_id": "d1", "kind": "position",
        "lat": 48.2, "lon": 16.3, "battery": 50, "speed": 1.5,
    });
    let record = Outgoing {
        topic: Arc::from("headway.scooter-fleet.positions"),
        partition: 0,
        key: Bytes::from_static(b"d1"),
        value: Bytes::from(payload.to_string()),
        headers: vec![Header { name: "traceparent".to_owned(), value: Bytes::from(trace.to_owned()) }],
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(log.append(vec![record])).expect("appended");
}
