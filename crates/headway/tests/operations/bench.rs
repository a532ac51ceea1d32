//! Measurements on real servers: small ones, which show that what is counted has happened, and who is needed for them.

use crate::scene::{CITY, Scene};

fn redis(words: &str) -> String {
    format!("{words} --redis {}", testkit::servers::shared("redis"))
}

#[test]
fn the_backlog_of_a_pipeline_is_measured_with_a_city() {
    let scene = Scene::shared("");
    let said = scene.ask(&redis(&format!("bench pipeline --pipeline {CITY} --events 20000 --json --quiet")));
    said.check(0, &[]);
    let told = said.object();
    assert_eq!((told["pipeline"].as_str(), told["events"].as_u64()), (Some("delivery-eta"), Some(20_000)), "{told:#}");
    assert!(told["events_per_second"].as_f64().is_some_and(|rate| rate > 0.0), "{told:#}");
    assert!(told.get("freshness_p50_ms").is_none(), "nothing was measured that could be told: {told:#}");
    assert!(!scene.folder().exists());
}

#[test]
fn processes_share_a_backlog_and_need_servers_for_it() {
    let scene = Scene::shared("");
    scene.ask("bench pipeline --processes 2 --events 1000").check(2, &["--kafka BROKERS and --redis URL"]);
    let said = scene.ask(&redis("bench pipeline --processes 2 --events 20000 --json --quiet"));
    said.check(0, &[]);
    let told = said.object();
    assert_eq!((told["processes"].as_u64(), told["pipeline"].as_str()), (Some(2), Some("orders, built in")), "{told:#}");
    assert!(told.get("cpu_us_per_event").is_none(), "{told:#}");
}

#[test]
fn the_others_answer_for_a_process_that_was_killed() {
    let scene = Scene::shared("");
    let said = scene.ask(&redis("bench takeover --entities 2000 --json --quiet"));
    said.check(0, &[]);
    let told = said.object();
    assert_eq!(told["entities"].as_u64(), Some(2_000), "{told:#}");
    let seconds = |name: &str| told[name].as_f64().unwrap_or_else(|| panic!("no {name} in {told:#}"));
    assert_eq!(told["partitions"].as_array().map(Vec::len), Some(8), "{told:#}");
    assert!(seconds("first_partition_seconds") <= seconds("last_partition_seconds"), "{told:#}");
    // Nobody can know sooner that it is gone, and whoever is there goes on meanwhile.
    assert!(seconds("takeover_seconds") > seconds("session_seconds") / 2.0, "{told:#}");
    assert!(seconds("other_partitions_seconds_max") < seconds("takeover_seconds"), "{told:#}");
}
