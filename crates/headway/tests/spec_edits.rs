//! A spec that is edited while events come: the changed group is built anew from the log, the others go on, nonsense changes nothing.

mod driven;

use std::{fs, path::Path, time::Duration};

use driven::{Load, SPEC, audit, kill, read_all, refused, settle, start, start_heard, stop};
use serde_json::json;

/// The pipeline in a folder of its own, which a test may edit.
fn copy(to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    fs::copy(Path::new(SPEC).join("pipeline.toml"), to.join("pipeline.toml")).expect("a copy");
    let cases = to.join("tests");
    fs::create_dir_all(&cases).expect("a folder");
    for case in fs::read_dir(Path::new(SPEC).join("tests")).expect("cases") {
        let case = case.expect("a case");
        fs::copy(case.path(), cases.join(case.file_name())).expect("a copy");
    }
}

fn edit(spec: &Path, from: &str, to: &str) {
    let file = spec.join("pipeline.toml");
    let text = fs::read_to_string(&file).expect("a spec");
    assert!(text.contains(from), "the spec does not say {from} any more");
    fs::write(&file, text.replace(from, to)).expect("an edit");
}

/// A value of an answer.
fn value(answer: &serde_json::Value, feature: &str) -> serde_json::Value {
    let groups = answer["reading"]["groups"].as_array().expect("groups");
    let mut all = groups.iter().flat_map(|group| group["features"].as_array().expect("values"));
    all.find(|entry| entry[0] == feature).expect("the feature")[1].clone()
}

#[test]
fn an_edited_group_is_built_anew_while_events_come() {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = folder.path().join("scooter-fleet");
    let home = folder.path().join("home");
    copy(&spec);
    let mut load = Load::new(7);
    let (child, mut asking, _) = start(&home, &spec);
    load.send_for(&mut asking, Duration::from_millis(500));
    edit(
        &spec,
        r#"distance = { travel = ["lat", "lon"], windows = ["15m", "1h"]"#,
        r#"distance = { travel = ["lat", "lon"], windows = ["15m", "2h"]"#,
    );
    // Told beforehand, by the process that still runs the spec before.
    let told = asking.ask(&json!({ "plan": { "spec": spec, "hours": 1 } }));
    assert_eq!(told["told"]["object"]["changes"], "rebuilds ride", "{told}");
    assert_eq!(told["told"]["object"]["generations"].as_array().map(Vec::len), Some(1), "{told}");
    kill(child);
    // Killed while the new generation may be half built, and begun again.
    let (child, mut asking, _) = start(&home, &spec);
    load.send_for(&mut asking, Duration::from_millis(100));
    kill(child);
    let (child, mut asking, _) = start(&home, &spec);
    load.send_for(&mut asking, Duration::from_millis(300));
    while !asking
        .ask(&json!({ "read": { "entity": "scooter", "key": "d0", "pipeline": null } }))
        .to_string()
        .contains("distance_2h")
    {
        load.send(&mut asking);
    }
    settle(&mut asking);
    let read = read_all(&mut asking);
    let explain = json!({ "explain": { "pipeline": null, "entity": "scooter:d0", "feature": "check_ins_26h", "at_ms": null } });
    let explained = asking.ask(&explain)["told"]["object"]["value"].clone();
    assert_eq!(explained, value(&read[0].1, "check_ins_26h"));
    stop(child);
    assert!(audit(&home, &spec, &load, &read, 7) > 0);
    let generations: Vec<u64> = read
        .iter()
        .flat_map(|(_, answer)| {
            let groups = answer["reading"]["groups"].as_array().cloned().unwrap_or_default();
            groups.into_iter().filter_map(|group| group["generation"].as_u64())
        })
        .collect();
    assert!(generations.contains(&1) && generations.contains(&2), "only the edited group is of the second generation");
}

#[test]
fn a_spec_that_is_edited_into_nonsense_is_refused_and_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = folder.path().join("scooter-fleet");
    let home = folder.path().join("home");
    copy(&spec);
    let mut load = Load::new(8);
    let (child, mut asking, _) = start(&home, &spec);
    load.send_for(&mut asking, Duration::from_millis(200));
    edit(&spec, r#"source = "scooters_now""#, r#"source = "nowhere""#);
    // Nobody looks at the file while it runs.
    load.send_for(&mut asking, Duration::from_millis(100));
    stop(child);
    let (code, words) = refused(&home, &spec);
    assert_eq!(code, Some(78), "{words}");
    assert!(words.contains("pipeline.toml:"), "{words}");
    edit(&spec, r#"source = "nowhere""#, r#"source = "scooters_now""#);
    let (child, mut asking, _) = start(&home, &spec);
    settle(&mut asking);
    let read = read_all(&mut asking);
    stop(child);
    assert!(audit(&home, &spec, &load, &read, 8) > 0);
}

#[test]
fn windows_that_the_log_can_never_fill_are_refused_and_young_ones_announced() {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = folder.path().join("scooter-fleet");
    let home = folder.path().join("home");
    copy(&spec);
    let (missed, too_wide) =
        (r#"missed = { count = "*", windows = ["28d"] }"#, r#"missed = { count = "*", windows = ["28d", "29d"] }"#);
    let mut load = Load::new(9);
    let (child, mut asking, _) = start(&home, &spec);
    load.send_for(&mut asking, Duration::from_millis(100));
    stop(child);
    edit(&spec, missed, too_wide);
    let (code, words) = refused(&home, &spec);
    assert_eq!(code, Some(78), "{words}");
    assert!(words.contains("group discipline can never be built from the log: window 29d + hop 1d"), "{words}");
    assert!(words.contains("topics keep records for 37d"), "{words}");
    edit(&spec, too_wide, missed);
    edit(
        &spec,
        r#"speed_mean = { mean = "speed", windows = ["15m"] }"#,
        r#"speed_mean = { mean = "speed", windows = ["15m", "2h"] }"#,
    );
    let (child, mut asking, heard) = start_heard(&home, &spec);
    // The revision that was refused is not one: this is the second.
    heard.until("scooter-fleet: revision 2: rebuilds ride");
    let said = heard.until("so the windows of some groups are not full yet");
    assert!(said.contains("ride until "), "{said}");
    heard.until("generation 2 is built and served: ride");
    settle(&mut asking);
    let read = read_all(&mut asking);
    stop(child);
    assert!(audit(&home, &spec, &load, &read, 9) > 0);
}
