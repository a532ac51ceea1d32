//! What `headway doctor` finds of servers.

use serde_json::Value;
use testkit::servers::{Own, shared};

use crate::scene::{FLEET, Scene};

/// Findings about a subject: how bad, and everything that is said.
fn about(object: &Value, subject: &str) -> Vec<(String, String)> {
    let findings = object["findings"].as_array().expect("findings").iter();
    let found = findings.filter(|finding| finding["subject"] == subject);
    found.map(|finding| (finding["level"].as_str().unwrap_or_default().to_owned(), finding.to_string())).collect()
}

#[track_caller]
fn check(object: &Value, subject: &str, level: &str, word: &str) {
    let found = about(object, subject);
    assert!(found.iter().any(|(one, told)| one == level && told.contains(word)), "{subject} {level} {word}: {object:#}");
}

#[test]
fn servers_that_answer_are_looked_at_before_anything_was_run() {
    let scene = Scene::shared(&format!("[redis]\nurl = \"{}\"\n", shared("redis")));
    let said = scene.ask("doctor --json");
    said.check(0, &[]);
    let object = said.object();
    check(&object, "kafka", "ok", &scene.brokers);
    check(&object, "topics", "ok", "no pipeline is deployed yet");
    check(&object, "redis", "ok", "maxmemory-policy");
    check(&object, "redis", "ok", "never written to");
}

#[test]
fn topics_of_what_is_deployed_are_compared() {
    let scene = Scene::shared("");
    scene.run(FLEET, "--partitions 2").check(0, &["Caught up"]);
    let object = scene.ask("doctor --json").object();
    check(&object, "topics", "ok", "5 topics are as they should be");
    scene.write("[kafka.topics]\npositions = \"PREFIXnobody\"\n");
    let said = scene.ask("doctor --json");
    said.check(1, &[]);
    check(&said.object(), "topics", "fault", "is not there and belongs to somebody else");
    scene.write("session = \"100ms\"\n");
    check(&scene.ask("doctor --json").object(), "kafka", "fault", "Set `session` in the servers file to 1000ms or more.");
}

#[test]
fn servers_that_are_away_are_faults_with_something_to_do() {
    let scene = Scene::new("127.0.0.1:1", "[redis]\nurl = \"redis://127.0.0.1:1\"\n");
    let said = scene.ask("doctor --json");
    said.check(1, &[]);
    check(&said.object(), "kafka", "fault", "Look whether the brokers run and can be reached from here.");
    check(&said.object(), "redis", "fault", "Look whether the server runs and the address is right.");
}

#[test]
fn a_redis_is_looked_at_with_what_to_change_and_no_secret() {
    let own = Own::start(&["redis-secure"]);
    let folder = own.folder("redis-secure");
    let secrets = tempfile::tempdir().expect("a folder");
    std::fs::write(secrets.path().join("wrong"), "opensesame\n").expect("written");
    let redis = |user: &str, password: &std::path::Path| {
        format!(
            "[redis]\nurl = \"{}\"\nauthorities = \"{}\"\nuser = \"{user}\"\npassword_file = \"{}\"\n",
            own.address("redis-secure"),
            folder.join("ca.pem").display(),
            password.display()
        )
    };
    let scene = Scene::shared(&redis("headway", &folder.join("password")));
    check(&scene.ask("doctor --json").object(), "redis", "warning", "Set it to 512");
    scene.write(&redis("headway", &secrets.path().join("wrong")));
    let said = scene.ask("doctor --json");
    said.check(1, &["Check user and password"]);
    assert!(!said.out.contains("opensesame"), "{}", said.out);
    // A process that is started so ends, and says the same.
    let ran = scene.run(FLEET, "--partitions 2");
    ran.check(78, &["check user and password"]);
    assert!(!ran.err.contains("opensesame"), "{}", ran.err);
}
