//! Two pipelines in one process share a log and nothing else, whatever their groups are called.

#![expect(clippy::disallowed_methods, reason = "a real process is driven in real time")]

mod driven;

use std::{fs, path::Path};

use domain::Timestamp;
use driven::{Asking, SPEC, kill, settle, start_with, stop};
use serde_json::json;

const IDS: [&str; 2] = ["scooter-fleet", "second-fleet"];

#[test]
fn pipelines_with_the_same_names_do_not_see_each_other() {
    let (folder, specs) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let second = specs.path().join(IDS[1]);
    fs::create_dir(&second).expect("a folder of ours");
    let spec = fs::read_to_string(Path::new(SPEC).join("pipeline.toml")).expect("a spec");
    let without_tests = spec.split("[[test]]").next().expect("the beginning");
    fs::write(second.join("pipeline.toml"), without_tests).expect("a copy");
    let second = second.to_string_lossy().into_owned();

    let (child, mut asking, _) = start_with(folder.path(), Path::new(SPEC), &[&second], &[]);
    for (battery, id) in [11, 22].into_iter().zip(IDS) {
        append(&mut asking, id, battery);
    }
    settle(&mut asking);
    assert_eq!(IDS.map(|id| battery(&mut asking, id)), [11, 22]);
    kill(child);

    let (child, mut asking, _) = start_with(folder.path(), Path::new(SPEC), &[&second], &[]);
    settle(&mut asking);
    assert_eq!(IDS.map(|id| battery(&mut asking, id)), [11, 22], "each was written anew after the kill");
    stop(child);
}

fn append(asking: &mut Asking, pipeline: &str, battery: u64) {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("after 1970").as_millis() as i64;
    let payload = json!({
        "id": "e1", "source": "test", "occurred_at": Timestamp(now).to_string(), "device_id": "d1", "kind": "position",
        "lat": 48.2, "lon": 16.3, "battery": battery, "speed": 3,
    });
    let event = json!({ "topic": format!("headway.{pipeline}.positions"), "key": "d1", "payload": payload.to_string() });
    let answer = asking.ask(&json!({ "append": { "events": [event] } }));
    assert_eq!(answer["appended"], 1, "{answer}");
}

fn battery(asking: &mut Asking, pipeline: &str) -> u64 {
    let answer = asking.ask(&json!({ "read": { "entity": "scooter", "key": "d1", "pipeline": pipeline } }));
    let groups = answer["reading"]["groups"].as_array().unwrap_or_else(|| panic!("nothing is known: {answer}"));
    let features = groups.iter().flat_map(|group| group["features"].as_array().into_iter().flatten());
    let found = features.filter(|feature| feature[0] == "battery").map(|feature| feature[1].as_u64());
    found.flatten().next().unwrap_or_else(|| panic!("no battery: {answer}"))
}
