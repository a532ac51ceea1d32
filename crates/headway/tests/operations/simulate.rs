//! A world that writes to Kafka beside whoever reads it.

use std::process::Command;

use crate::scene::{CITY, Scene, until};

const PARTITIONS: u32 = 2;
/// Fewer than a city has.
const STORES: u64 = 100;
const TOPICS: [&str; 4] = ["areas", "orders", "riders", "stores"];

#[test]
fn a_city_writes_until_it_is_stopped_and_tells_what_was_acknowledged() {
    let scene = Scene::shared("");
    scene.ask(&format!("simulate {CITY}")).check(78, &["is not there: `headway topics apply` makes it"]);
    scene.ask(&format!("topics apply {CITY} --partitions {PARTITIONS}")).check(0, &["14 made"]);
    let log = scene.log();
    let written =
        || -> u64 { TOPICS.iter().map(|topic| scene.count(&log, &format!("headway.delivery-eta.{topic}"), PARTITIONS)).sum() };
    let city = scene.command(&format!("simulate rain {CITY} --json")).stdout(std::process::Stdio::piped()).spawn();
    let city = city.expect("the binary");
    until("the city has written of its stores", || scene.count(&log, "headway.delivery-eta.stores", PARTITIONS) > STORES);
    assert!(Command::new("kill").arg("-TERM").arg(city.id().to_string()).status().expect("kill").success());
    let said = crate::scene::Said::from(city.wait_with_output().expect("it ends"));
    said.check(0, &[]);
    let told = said.object();
    assert_eq!(told["acknowledged"].as_u64(), Some(written()), "{told:#}");
    assert_eq!((told["unacknowledged"].as_u64(), told["repeated"].as_u64()), (Some(0), Some(0)));
    assert!(told["topics"]["stores"].as_u64().is_some_and(|stores| stores > STORES), "{told:#}");
    scene.run(CITY, &format!("--partitions {PARTITIONS}")).check(0, &["Caught up"]);
}

#[test]
fn a_span_of_time_ends_by_itself_and_other_questions_are_refused() {
    let scene = Scene::shared("");
    scene.ask(&format!("topics apply {CITY} --partitions {PARTITIONS}")).check(0, &[]);
    scene.ask(&format!("simulate {CITY} --for 1s")).check(0, &["events acknowledged by Kafka"]);
    scene.ask(&format!("simulate {CITY} --truth nowhere")).check(2, &["are for files"]);
    scene.ask("simulate rain").check(2, &["--kafka BROKERS PIPELINE"]);
    scene.ask(&format!("simulate sunshine {CITY}")).check(1, &["there is no scenario sunshine"]);
}
