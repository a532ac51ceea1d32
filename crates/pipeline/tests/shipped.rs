//! The pipelines that are shipped have no faults and are what they claim to be.

use std::path::{Path, PathBuf};

use expect_test::expect;
use pipeline::{Faults, Pipeline};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines").join(name)
}

fn load(name: &str) -> Pipeline {
    pipeline::load(&folder(name)).unwrap_or_else(|faults: Faults| panic!("{faults}"))
}

fn summary(name: &str) -> String {
    let pipeline = load(name);
    let groups = pipeline.groups.iter().map(|group| {
        let columns: Vec<String> = group.columns().into_iter().map(|column| column.name).collect();
        format!("{} ({}): {}\n", group.name, group.entity, columns.join(" "))
    });
    let transforms = pipeline.transforms.iter().map(|transform| format!("{} ", transform.name));
    let (groups, transforms) = (groups.collect::<String>(), transforms.collect::<String>());
    let tests = pipeline.tests.len();
    let memory = pipeline::memory(&pipeline).total() >> 20;
    format!("{groups}transforms: {}\n{tests} tests, {memory} MiB of {}\n", transforms.trim_end(), pipeline.memory_max >> 20)
}

#[test]
fn every_shipped_pipeline_loads() {
    let folders = std::fs::read_dir(folder("")).expect("the workspace has pipelines");
    let names: Vec<String> = folders.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    assert!(names.len() >= 2, "{names:?}");
    for name in names {
        assert!(!load(&name).tests.is_empty(), "{name} has tests of its own");
    }
}

#[test]
fn delivery_eta() {
    expect![[r#"
        store_preparation (store): prep_mean_15m prep_mean_1h prep_mean_6h prep_p90_15m prep_p90_1h prep_p90_6h prep_std_15m prep_std_1h prep_std_6h prep_recent_1h prep_slow_1h preps_15m preps_6h
        store_month (store): prep_mean_28d prep_p90_28d prep_std_28d preps_28d
        store_orders (store): orders_5m orders_15m orders_1h orders_per_minute_15m items_15m basket_mean_1h cancel_rate_1h
        store_acceptance (store): accept_mean_15m accept_mean_1h accept_max_15m
        store_load (store): open_orders orders_cooking orders_ready
        store_doors (store): store_open store_busy
        store_settings (store): kitchen_capacity
        store_facts (store): cuisine has_parking
        rider_movement (rider): rider_distance_5m rider_distance_15m rider_last_seen
        rider_trips (rider): trip_mean_1h trips_1h
        rider_load (rider): rider_open_orders
        area_delivery (area): area_delivery_mean_20m area_delivery_mean_60m area_delivery_p90_60m area_delivered_20m
        area_preparation (area): area_prep_mean_6h area_preps_6h
        area_orders (area): area_orders_15m area_orders_60m area_stores_60m
        area_load (area): area_open_orders
        area_riders (area): riders_on_shift riders_idle
        area_weather (area): weather
        transforms: orders_per_idle_rider kitchen_load prep_trend rider_speed bad_weather
        4 tests, 1367 MiB of 3072
    "#]].assert_eq(&summary("delivery-eta"));
}

#[test]
fn scooter_fleet() {
    expect![[r#"
        ride (scooter): distance_15m distance_1h speed_mean_15m speed_max_1h battery_min_1h battery last_seen
        attendance (scooter): check_ins_26h last_check_in
        supply (area): scooters scooters_low
        contact (area): lost_1d lost_low_1d
        discipline (scooter): missed_28d missed_since
        transforms: missing_check_in share_low
        6 tests, 658 MiB of 1024
    "#]]
    .assert_eq(&summary("scooter-fleet"));
}

#[test]
fn files_of_the_folder_have_to_exist() {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("without-files");
    std::fs::create_dir_all(&scratch).expect("the target folder can be written");
    std::fs::copy(folder("scooter-fleet").join("pipeline.toml"), scratch.join("pipeline.toml")).expect("the spec can be copied");
    let faults = pipeline::load(&scratch).expect_err("the tests' events are missing");
    assert!(faults.all().iter().all(|fault| fault.code == "missing_file"), "{faults}");
    assert!(faults.all().iter().any(|fault| fault.path.starts_with("test[0]")), "{faults}");
}

#[test]
fn a_folder_without_a_spec_says_so() {
    let faults = pipeline::load(&folder("no-such-pipeline")).expect_err("there is no such folder");
    assert_eq!(faults.all()[0].code, "unreadable");
    assert!(faults.to_string().contains("a pipeline is a folder with a pipeline.toml"), "{faults}");
}

#[test]
fn the_tour_of_the_reference_is_a_sound_pipeline() {
    let reference = include_str!("../../../docs/reference/pipeline.md");
    let tour = reference.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the reference has a tour");
    let pipeline = pipeline::parse("tour", tour).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!((pipeline.sources.len(), pipeline.groups.len(), pipeline.tests.len()), (3, 2, 1));
}

#[test]
fn the_reference_shows_every_aggregator_with_a_sound_example() {
    let reference = include_str!("../../../docs/reference/pipeline.md");
    let rows = reference.split("| aggregator | takes | example |").nth(1).and_then(|rest| rest.split("\n\n").next());
    let examples: Vec<&str> = rows.unwrap_or_default().lines().skip(2).filter_map(|row| row.split('`').rev().nth(1)).collect();
    assert_eq!(examples.len(), 13, "{examples:?}");
    let fields = "type='string', store_id='string', seconds={decimal='0.001'}, items='integer', battery='integer', \
                  weather={category=['clear','rain']}, lat={decimal='0.0001'}, lon={decimal='0.0001'}";
    let source = format!("[source.s]\ntopic='s'\nkey='k'\ntime='occurred_at'\nskew='0s'\nlateness='0s'\nfields={{{fields}}}\n");
    let table = "[source.t]\ntable={from='s', key='k', longest='1h'}\n";
    for example in examples {
        let (name, table) = if example.contains("open_count") { ("t", table) } else { ("s", "") };
        let group =
            format!("[group.g]\nentity='e'\nkey='k'\nsource='{name}'\nhop='1m'\nentities=10\n[group.g.features]\n{example}\n");
        let spec = format!("{source}{table}{group}");
        let parsed = pipeline::parse("example", &spec).unwrap_or_else(|faults| panic!("{faults}"));
        assert_eq!(parsed.groups[0].features.len(), 1, "{example}");
    }
}
