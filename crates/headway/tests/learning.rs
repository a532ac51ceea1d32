//! What became of predictions moves the next ones: a fallback that is wrong by twenty minutes is right once outcomes are in, in what is
//! predicted and in what is quoted alike; and after a kill from the first prediction on.

#![expect(clippy::disallowed_methods, reason = "a real process is driven in real time")]

mod driven;
#[path = "telemetry/http.rs"]
#[allow(dead_code, reason = "other tests are ruder")]
mod http;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use domain::{Span, Timestamp};
use driven::{Asking, address, kill, settle, start_with, stop};
use serde_json::{Value, json};

const TOPIC: &str = "headway.learning.orders";
/// Time passes so much faster, since orders take ten minutes.
const SPEED: &str = "600";
/// What each order really takes; the only fallback says thirty minutes.
const REALLY: Span = Span(600_000);
/// Orders of one round. All of them together are evidence enough for either way of learning.
const ORDERS: u64 = 60;
const ROUNDS: u64 = 3;
const PATIENCE: Duration = Duration::from_secs(60);

fn write_spec(folder: &Path, learns: &str) -> PathBuf {
    let spec = folder.join("learning");
    fs::create_dir_all(&spec).expect("a folder");
    let case = format!("label = [\"1s\", \"1h\"]\n{learns}");
    fs::write(spec.join("pipeline.toml"), testkit::pipelines::predicted(&case, "5m")).expect("a spec");
    spec
}

fn now(asking: &mut Asking) -> Timestamp {
    let status = asking.ask(&json!("status"));
    status["status"]["now"].as_str().and_then(Timestamp::parse).unwrap_or_else(|| panic!("{status} tells no time"))
}

/// Tells of some orders, each by the clock of the process.
fn tell(asking: &mut Asking, what: &str, orders: impl Iterator<Item = String>) -> Timestamp {
    let at = now(asking);
    let event = |order: String| {
        let payload = json!({
            "id": format!("{order}-{what}"), "source": "test", "at": at.to_string(), "type": what, "order_id": order, "store": "s1",
        });
        json!({ "topic": TOPIC, "key": order, "payload": payload.to_string() })
    };
    let events: Vec<Value> = orders.map(event).collect();
    let answer = asking.ask(&json!({ "append": { "events": events } }));
    assert_eq!(answer["appended"], json!(events.len()), "{answer}");
    at
}

/// The prediction of an order that was just placed.
fn predicted(asking: &mut Asking, order: &str) -> Value {
    let (address, begun) = (address(asking), Instant::now());
    tell(asking, "placed", [order.to_owned()].into_iter());
    loop {
        let answer = http::get(&address, &format!("/v1/orders/{order}/eta"));
        if answer.status == 200 {
            return serde_json::from_str(&answer.body).expect("JSON");
        }
        assert!(begun.elapsed() < PATIENCE, "nobody predicts {order}: {answer:?}");
    }
}

fn seconds(prediction: &Value, name: &str) -> f64 {
    prediction[name].as_f64().unwrap_or_else(|| panic!("{name} of {prediction}"))
}

/// The true time, within two minutes and a half.
fn is_right(seconds: f64) -> bool {
    (seconds - REALLY.0 as f64 / 1000.0).abs() < 150.0
}

#[test]
fn a_corrector_moves_a_fallback_that_is_wrong() {
    check("corrector = { strength = 1 }", ["corrector", "calibration"]);
}

#[test]
fn a_calibration_moves_a_fallback_that_is_wrong() {
    check("calibration = {}", ["calibration", "corrector"]);
}

#[test]
fn a_row_is_told_by_its_own_columns_when_others_were_declared_since() {
    let (folder, specs) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let started = |name: &str| {
        let spec = write_spec(specs.path(), &format!("inputs = {{ {name} = \"since_placed + 5\" }}"));
        start_with(folder.path(), &spec, &[], &[])
    };
    let (child, mut asking, _) = started("before");
    predicted(&mut asking, "first");
    stop(child);
    let (child, ..) = started("since");
    let told: Value = serde_json::from_str(&explained(folder.path(), "first", &["--json"])).expect("JSON");
    let columns: Vec<&str> = told["columns"].as_array().expect("a list").iter().filter_map(|one| one["name"].as_str()).collect();
    assert!(columns.contains(&"before") && columns.contains(&"local_hour") && !columns.contains(&"since"), "{told:#}");
    assert_eq!((&told["missing"], &told["inputs"]), (&json!("the pipeline declared other columns then"), &json!([])));
    let text = explained(folder.path(), "first", &[]);
    let expected = "Which input mattered how much cannot be told: the pipeline declared other columns then\n\nWhat was known\n";
    assert!(text.contains(expected) && text.contains("\nbefore "), "{text}");
    stop(child);
}

/// By what is declared, and not by the other.
fn check(learns: &str, [applied, other]: [&str; 2]) {
    let (folder, specs) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let spec = write_spec(specs.path(), learns);
    let start = || start_with(folder.path(), &spec, &["--speed", SPEED], &[]);
    let (child, mut asking, _) = start();
    let first = predicted(&mut asking, "first");
    assert_eq!((&first["corrector"], &first["calibration"], seconds(&first, "p50")), (&Value::Null, &Value::Null, 1800.0));
    for round in 0..ROUNDS {
        let orders = || (0..ORDERS).map(move |number| format!("o{round}-{number}"));
        let placed_at = tell(&mut asking, "placed", orders());
        settle(&mut asking);
        while now(&mut asking) < placed_at.plus(REALLY) {}
        tell(&mut asking, "delivered", orders());
        settle(&mut asking);
    }
    let begun = Instant::now();
    let learned = (0..).map(|number| predicted(&mut asking, &format!("then{number}")));
    let is_learned = |prediction: &Value| is_right(seconds(prediction, "p50"));
    let mut learned = learned.take_while(|_| begun.elapsed() < PATIENCE).skip_while(|prediction| !is_learned(prediction));
    let learned = learned.next().expect("something is learned");
    assert_eq!(learned["said"][1].as_f64(), Some(1800.0), "{learned}");
    assert!(learned[applied].is_string() && learned[other].is_null(), "{learned}");
    quotes_are_right(&mut asking);
    explains(folder.path(), learned["order"].as_str().expect("a key"), applied);
    counts(&mut asking);
    kill(child);
    let (child, mut asking, _) = start();
    let again = predicted(&mut asking, "again");
    assert!(again[applied].is_string() && is_right(seconds(&again, "p50")), "{again}");
    stop(child);
}

/// What is asked before there is an order is corrected as well.
fn quotes_are_right(asking: &mut Asking) {
    let address = address(asking);
    let answer = http::quote(&address, r#"{"candidates":[{"store":"s1"}]}"#);
    assert_eq!(answer.status, 200, "{answer:?}");
    let quotes: Value = serde_json::from_str(&answer.body).expect("JSON");
    assert!(is_right(seconds(&quotes["candidates"][0], "p50")), "{quotes}");
}

/// What is told of the latest prediction of an order.
fn explained(folder: &Path, order: &str, more: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headway"));
    let output = command.arg("explain").arg(format!("order:{order}")).args(more).arg("--folder").arg(folder).output();
    let output = output.expect("the binary");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// It says by how many seconds.
fn explains(folder: &Path, order: &str, applied: &str) {
    let told: Value = serde_json::from_str(&explained(folder, order, &["--json"])).expect("JSON");
    let learned = &told["learned"];
    assert_eq!(learned["said"][1].as_f64(), Some(1800.0), "{told:#}");
    assert!(learned[applied].is_string(), "{told:#}");
    let moved = seconds(learned, "corrector_seconds") + learned["calibration_seconds"][1].as_f64().expect("a number");
    assert!(moved < -1000.0 && (1800.0 + moved - seconds(&told["prediction"], "p50")).abs() < 0.3, "{told:#}");
    assert_eq!(told["prediction"]["order"], order);
    let text = explained(folder, order, &[]);
    assert!(text.contains(&format!("  {applied} {}: ", learned[applied].as_str().expect("an id"))), "{text}");
}

/// Metrics say what came out, who learns, and how old it is.
fn counts(asking: &mut Asking) {
    let metrics = http::get(&address(asking), "/metrics").body;
    let value = |name: &str| {
        let line = metrics.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name} in {metrics}"));
        line.rsplit_once(' ').and_then(|(_, value)| value.parse::<f64>().ok()).unwrap_or_else(|| panic!("{line} has no value"))
    };
    assert!(value("headway_outcomes_total{pipeline=\"learning\",label=\"taken\"}") >= (ROUNDS * ORDERS) as f64);
    assert!(value("headway_outcomes_measured_total{pipeline=\"learning\",stage=\"placed\"}") >= (ROUNDS * ORDERS) as f64);
    assert!(value("headway_outcomes_bias_seconds{pipeline=\"learning\",stage=\"placed\"}") < 0.0);
    assert!(value("headway_learner_lessons_total") >= (ROUNDS * ORDERS) as f64 && value("headway_learner_told_total") > 0.0);
    assert!(value("headway_tuning_slots") >= 1.0 && value("headway_tuning_age_seconds") < 60.0);
    assert!(value("headway_predictions_moved_seconds_total") > 0.0);
    let status = asking.ask(&json!("status"));
    assert!(status["status"]["outcomes"].as_u64().is_some_and(|count| count >= ROUNDS * ORDERS), "{status}");
}
