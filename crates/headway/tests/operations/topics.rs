//! `headway topics`, and topics that belong to somebody else.

use bytes::Bytes;
use domain::{Span, partition_of};
use ports::{Log, Outgoing, TopicSpec};
use serde_json::json;

use crate::scene::{FLEET, Scene, wall};

#[test]
fn topics_are_shown_made_and_refused() {
    let scene = Scene::shared("");
    let plan = format!("topics plan {FLEET} --partitions 2");
    let first = scene.ask(&format!("{plan} --json"));
    first.check(3, &[]);
    let topics = first.object();
    let positions =
        topics["topics"].as_array().expect("topics").iter().find(|topic| topic["topic"] == "headway.scooter-fleet.positions");
    let positions = positions.unwrap_or_else(|| panic!("{topics:#}"));
    assert_eq!(positions["name"], format!("{}headway.scooter-fleet.positions", scene.prefix));
    assert_eq!(positions["changes"], json!([{ "kind": "missing", "partitions": 2 }]));
    assert_eq!((&positions["owner"], &positions["there"]), (&json!("headway"), &json!(null)));
    scene.ask(&plan).check(3, &["is missing, and is made with 2 partitions", "`headway topics apply` does it"]);
    scene.ask(&format!("topics apply {FLEET} --partitions 2")).check(0, &["made ", "5 made, 0 changed, 0 were"]);
    scene.ask(&plan).check(0, &["Nothing to do: 5 topics are as they should be."]);
    scene.ask(&format!("topics apply {FLEET} --partitions 2")).check(0, &["0 made, 0 changed, 5 were"]);
    // Cut otherwise, which nobody can change: told by the plan, by what would do it, and at a start.
    scene.ask(&format!("topics plan {FLEET} --partitions 3")).check(78, &["has 2 partitions and not 3", "`--partitions 2`"]);
    scene.ask(&format!("topics apply {FLEET} --partitions 3")).check(78, &["Nothing was changed."]);
    scene.run(FLEET, "--partitions 3").check(78, &["has 2 partitions and not 3", "`--partitions 2`"]);
}

#[test]
fn names_that_nobody_reads_are_refused_with_those_that_there_are() {
    let scene = Scene::shared("[kafka.topics]\npositons = \"fleet.v1\"\n");
    let words = ["no pipeline here reads a topic positons; there are scooter-fleet.positions"];
    scene.ask(&format!("topics plan {FLEET}")).check(78, &words);
    scene.run(FLEET, "").check(78, &words);
}

fn event(number: u32, topic: &str) -> Outgoing {
    let key = format!("d{number}");
    let payload = json!({
        "id": format!("e{number}"), "source": "test", "occurred_at": wall().to_string(), "device_id": key, "kind": "position",
        "lat": 48.2, "lon": 16.3, "battery": 50, "speed": 3.5,
    });
    Outgoing {
        topic: topic.into(),
        partition: partition_of(key.as_bytes(), 2),
        key: Bytes::from(key),
        value: Bytes::from(payload.to_string()),
        headers: Vec::new(),
    }
}

/// Read under the name that it has, and never made; that it forgets sooner than windows reach back is told.
#[test]
fn a_topic_of_a_team_is_read_and_left_alone() {
    let scene = Scene::shared("[kafka.topics]\npositions = \"PREFIXfleet.positions.v1\"\n");
    let name = format!("{}fleet.positions.v1", scene.prefix);
    let plan = format!("topics plan {FLEET} --partitions 2");
    scene.ask(&plan).check(78, &[&format!("topic {name} is not there and belongs to somebody else"), "ask its owner"]);
    scene.run(FLEET, "--partitions 2").check(78, &["belongs to somebody else"]);
    let team = scene.log();
    let minute =
        TopicSpec { name: "fleet.positions.v1".into(), partitions: 2, retention: Some(Span(60_000)), retention_bytes: None };
    scene.block_on(team.create(std::slice::from_ref(&minute))).expect("the team makes it");
    scene.block_on(team.append((0..50).map(|number| event(number, &minute.name)).collect())).expect("appended");
    let short = format!("topic {name} keeps records for 1m, and group");
    scene.ask(&plan).check(3, &["others", &short]);
    scene.ask("simulate --kafka 127.0.0.1:1 ../../pipelines/scooter-fleet").check(1, &["look whether the brokers run"]);
    let ran = scene.run(FLEET, "--partitions 2");
    ran.check(0, &[&short]);
    let doctor = scene.ask("doctor").out;
    assert!(doctor.contains(&short), "{doctor}");
    scene.ask(&format!("simulate {FLEET}")).check(78, &["expects no simulated events there"]);
    let there = scene.block_on(team.plan(&[minute])).expect("a plan");
    assert!(there.is_done(), "nothing about it was changed: {there:?}");
    // What was taken of it is what is committed for the topic as the pipeline calls it.
    let foreign = [("headway.scooter-fleet.positions".to_owned(), name.clone())].into();
    let settings = io_kafka::Settings { prefix: scene.prefix.clone(), foreign, ..io_kafka::Settings::new(&scene.brokers) };
    let log = io_kafka::KafkaLog::open(settings, ports::clock_fn(1.0, wall)).expect("settings");
    let read = ["headway.scooter-fleet.positions".into(), "headway.scooter-fleet.partials.1".into()];
    let committed = scene.block_on(log.committed("headway.scooter-fleet.features.1", &read)).expect("read");
    let taken: u64 = committed.iter().filter_map(|one| one.next("headway.scooter-fleet.positions")).sum();
    assert_eq!(taken, 50);
}
