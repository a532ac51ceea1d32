//! What is said of the memory that cases take, beside what they take. A test of its own, since it looks at the whole process.

use std::{fs, sync::Arc};

use dataplane::scorer::{Cases, Heard, Rules};
use domain::{Carried, Timestamp};
use features::Told;

const CASES: u64 = 150_000;
const NOW: i64 = 1_795_348_800_000;

/// Memory of this process that is resident now.
fn resident_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("the process");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("its memory");
    let kilobytes = line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number");
    kilobytes * 1024
}

#[test]
fn cases_take_what_is_planned_for_them() {
    let spec = testkit::pipelines::predicted("label = [\"1s\", \"1h\"]", "2m");
    let pipeline = pipeline::parse("measured", &spec).unwrap_or_else(|faults| panic!("{faults}"));
    let rules = Arc::new(Rules::new(&pipeline).expect("a case"));
    let before = resident_bytes();
    let mut cases = Cases::new(rules.clone());
    for number in 0..CASES {
        let (key, now) = (format!("order-{number:024}"), Timestamp(NOW + number as i64));
        let store = Carried::Text(format!("store-{:018}", number % 1000).into());
        let (stages, attributes) = (vec![0], vec![(0, store)]);
        let told = Told { key, time: now, identity: u128::from(number), stages, ends: Vec::new(), attributes };
        assert_eq!(cases.hear(0, &told, now, &mut Vec::new()), Heard::News);
        if number % 1000 == 0 {
            drop(cases.take_changes());
        }
    }
    let (each, planned) = ((resident_bytes() - before) / CASES, rules.case_bytes());
    println!("{each} bytes of each of {} cases, and {planned} planned", cases.open());
    assert!(each <= planned && 2 * each >= planned, "{each} bytes, and {planned} planned");
}
