//! Whatever the events are: a draft passes its checks and its own test, and takes what is not wrong in itself.

use std::{fs, path::PathBuf};

use testkit::{generate, pipelines};

use super::*;
use crate::{Progress, SampleRequest, Unseen, run_cases, sample, scratch::Scratch};

/// Seeds of each property.
const SEEDS: u64 = 12;

/// Drafts from these lines, writes the pipeline as the command would, loads it and runs its test.
fn check(lines: &[u8]) -> Draft {
    let draft = draft("parking", Path::new("events.jsonl"), lines).unwrap_or_else(|error| panic!("{error}"));
    let scratch = Scratch::new();
    let folder = scratch.path().join("parking");
    fs::create_dir_all(folder.join("tests")).expect("a folder");
    fs::write(folder.join("pipeline.toml"), &draft.pipeline_toml).expect("the spec");
    for (name, content) in &draft.cases {
        fs::write(folder.join(name), content).expect("the events");
    }
    let pipeline = Arc::new(pipeline::load(&folder).unwrap_or_else(|faults| panic!("{faults}\n{}", draft.pipeline_toml)));
    for outcome in run_cases(&pipeline, &folder).expect("cases that run") {
        assert!(outcome.holds(), "{:?}\n{}", outcome.differences, draft.pipeline_toml);
    }
    draft
}

fn fails(lines: &str, expected: &str) {
    let error = draft("parking", Path::new("events.jsonl"), lines.as_bytes()).expect_err("an error").to_string();
    assert!(error.contains(expected), "{error}");
}

/// Cars that come and go: two types, a ticket for each stay, a garage, numbers and gaps.
fn stays(count: u64) -> String {
    let mut lines: Vec<(u64, String)> = Vec::new();
    let mut say = |at: u64, text: String| {
        let time = Timestamp(1_780_000_000_000 + i64::try_from(at).expect("small") * 1000);
        lines.push((at, format!("{{\"event_id\":\"e{}\",\"at\":\"{time}\",{text}}}\n", lines.len())));
    };
    for stay in 0..count {
        let (at, garage, ticket) = (stay * 240, stay % 3, stay);
        let more = if stay % 4 == 0 { "" } else { ",\"height\":1.5" };
        say(
            at,
            format!(
                "\"type\":\"car.entered\",\"garage_id\":\"g{garage}\",\"ticket_id\":\"t{ticket}\",\"car\":{{\"plate\":\"x\"}}{more}"
            ),
        );
        let fee = 2.5 + (stay % 7) as f64 * 0.05;
        say(
            at + 1800 + stay % 5 * 60,
            format!(
                "\"type\":\"car.left\",\"garage_id\":\"g{garage}\",\"ticket_id\":\"t{ticket}\",\"fee\":{fee},\"subscriber\":{}",
                stay % 2 == 0
            ),
        );
    }
    lines.sort_by_key(|(at, _)| *at);
    lines.into_iter().map(|(_, line)| line).collect()
}

#[test]
fn an_own_business_is_understood() {
    let draft = check(stays(60).as_bytes());
    assert_eq!((draft.events, draft.refused.len()), (120, 0), "{:?}", draft.notes);
    for line in [
        "key = \"ticket_id\"",
        "time = \"at\"",
        "identity = [\"type\", \"event_id\"]",
        "type = \"string\"",
        "garage_id = \"string\"",
        "height = { decimal = \"0.1\", min = 0, max = 10 }",
        "fee = { decimal = \"0.01\", min = 0, max = 20 }",
        "subscriber = \"boolean\"",
        "75 of 120 events have none",
        "# car is left out: only fields at the top",
        "[source.entered_to_left]",
        "start = \"type = 'car.entered'\", end = \"type = 'car.left'\", key = \"ticket_id\", longest = \"2h\"",
        "entered_to_left_p90 = { quantile = 0.9, of = \"seconds\", windows = [\"1h\"] }",
        "[group.garage_entered_to_left]",
        "garage_tickets = { distinct = \"ticket_id\"",
        "fee_sum = { sum = \"fee\"",
        "subscriber_share = { mean = \"subscriber\"",
        "events = \"tests/first_events.jsonl\"",
        "refused = {}",
    ] {
        assert!(draft.pipeline_toml.contains(line), "{line} is missing in\n{}", draft.pipeline_toml);
    }
    assert!(draft.notes.iter().any(|note| note.contains("`car` is left out")), "{:?}", draft.notes);
}

#[test]
fn what_is_wrong_in_itself_is_refused_and_told() {
    let mut lines = stays(100);
    lines.push_str("{\"event_id\":\"e0\",\n");
    let first = lines.lines().next().expect("a line").to_owned();
    lines.push_str(&format!("\n{first}\n"));
    let draft = check(lines.as_bytes());
    // The repetition of the first event comes hours later, and that does not make the lateness hours.
    assert_eq!(draft.refused, BTreeMap::from([("late", 1), ("malformed", 1)]), "{:?}", draft.notes);
    assert!(draft.pipeline_toml.contains("lateness = \"1m\""), "{}", draft.pipeline_toml);
    assert!(draft.notes.iter().any(|note| note.contains("refused as `malformed` (no JSON object), the first in line 201")));
}

#[test]
fn the_samples_of_the_shipped_pipelines_are_understood() {
    for (name, entities) in [("delivery-eta", &["order", "rider", "store", "area"][..]), ("scooter-fleet", &["device", "area"])] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines").join(name);
        let pipeline = pipeline::load(&folder).unwrap_or_else(|faults| panic!("{faults}"));
        let scratch = Scratch::new();
        let out: PathBuf = scratch.path().join("events.jsonl");
        let request = SampleRequest { folder, events: 3000, rows: 0, seed: 3, out: out.clone(), spine: None };
        let progress: &dyn Progress = &Unseen;
        sample(&pipeline, &request, progress).expect("a sample");
        let draft = check(&fs::read(out).expect("the events"));
        let refused: u64 = draft.refused.iter().filter(|(reason, _)| **reason != "duplicate").map(|(_, count)| count).sum();
        assert!(refused * 100 < draft.events, "{:?}", draft.notes);
        for entity in entities {
            assert!(draft.pipeline.groups.iter().any(|group| group.entity == *entity), "{entity}\n{}", draft.pipeline_toml);
        }
    }
}

#[test]
fn any_stream_that_a_pipeline_takes_can_be_drafted_from() {
    for pipeline in [pipelines::minimal(), pipelines::orders(), pipelines::every_aggregator()] {
        for seed in 0..SEEDS {
            let knobs = generate::Stream { malformed_share: 0.01, extreme_share: 0.002, ..generate::Stream::default() };
            let records = generate::records(&pipeline, &knobs, seed);
            let of = records.first().map_or(0, |record| record.source);
            let records = records.into_iter().filter(|record| record.source == of);
            // Between members a payload may have a new line, which a file of lines may not.
            let in_one_line =
                |payload: Vec<u8>| payload.into_iter().map(|byte| if byte == b'\n' { b' ' } else { byte }).collect();
            let lines: Vec<Vec<u8>> = records.map(|record| in_one_line(record.payload)).collect();
            check(&lines.join(&b'\n'));
        }
    }
}

#[test]
fn the_same_file_gives_the_same_draft() {
    let lines = stays(30);
    let (first, second) = (check(lines.as_bytes()), check(lines.as_bytes()));
    assert_eq!((first.pipeline_toml, first.notes), (second.pipeline_toml, second.notes));
}

#[test]
fn one_event_is_enough() {
    let draft = check(br#"{"id":"1","source":"s","when":1780000000000,"end":3.5,"a b":"x","gr\u00f6\u00dfe":7}"#);
    for line in ["time = \"when\"", "end = { decimal = \"0.1\"", "\"a b\" = \"string\"", "\"größe\" = { type = \"integer\""] {
        assert!(draft.pipeline_toml.contains(line), "{line} is missing in\n{}", draft.pipeline_toml);
    }
    assert!(draft.notes.iter().any(|note| note.contains("no field with ids that come again")), "{:?}", draft.notes);
}

#[test]
fn files_without_events_are_told_apart() {
    fails("", "events.jsonl: there is no event in this file");
    fails("\n\n", "there is no event in this file");
    fails("id,time,store\n1,2,3\n", "events.jsonl:1: this looks like CSV");
    fails("[{\"id\":\"1\"}]", "this is a JSON list");
    fails("{\n  \"id\": \"1\"\n}\n", "this JSON object does not end in its line");
    fails("hello\n", "this is no JSON object");
    fails("{\"id\":\"1\"}\nx\ny\n", "events.jsonl:2: this is no JSON object");
}

#[test]
fn what_an_event_lacks_is_told_with_how_to_go_on() {
    fails("{\"id\":\"1\",\"source\":\"s\"}", "no field holds the time at which the event happened; there are `id`, `source`");
    fails("{\"id\":\"1\",\"source\":\"s\",\"ts\":1780000000}", "`ts` seems to hold seconds since 1970, such as 1780000000");
    fails("{\"id\":\"1\",\"source\":\"s\",\"at\":\"2026-03-01T10:00:00\"}", "`at` holds times without an offset");
    let time = "\"at\":\"2026-03-01T10:00:00Z\"";
    fails(&format!("{{\"id\":7,\"source\":\"s\",{time}}}"), "`id` is a number, and what identifies an event has to be a text");
    fails(&format!("{{\"shop\":\"s\",{time}}}\n{{\"shop\":\"s\",{time}}}"), "no text is different in each event");
    fails(&format!("{{\"id\":\"1\",{time}}}"), "an identity is made of two");
    fails(&format!("{{\"id\":\"1\",\"source\":\"s\",{time},\"_at\":\"soon\"}}"), "`_at` is no time");
    fails("{\"_source\":\"a\",\"id\":\"1\"}\n{\"id\":\"2\"}", "events.jsonl:2: this event has no `_source`");
}

#[test]
fn a_key_that_most_events_lack_does_not_part_the_topic() {
    let position = |at: u64| {
        let time = Timestamp(1_780_000_000_000 + i64::try_from(at).expect("small") * 1000);
        format!("{{\"event_id\":\"p{at}\",\"at\":\"{time}\",\"type\":\"car.seen\",\"garage_id\":\"g1\"}}\n")
    };
    let draft = check((stays(20) + &(9000..9100).map(position).collect::<String>()).as_bytes());
    assert!(draft.refused.is_empty(), "{:?}", draft.notes);
    assert!(draft.pipeline_toml.contains("key = \"garage_id\"") && draft.pipeline_toml.contains("key = \"ticket_id\", longest"));
}

#[test]
fn streams_are_kept_apart() {
    let event = |line: u64| {
        let (stream, key) = if line.is_multiple_of(2) { ("orders", "order_id") } else { ("Riders", "rider_id") };
        let (at, who) = (1_780_000_000_000 + line * 1000, line % 10);
        format!(
            "{{\"_source\":\"{stream}\",\"id\":\"{line}\",\"source\":\"s\",\"ts\":{at},\"_at\":{},\"{key}\":{who}}}\n",
            at + 500
        )
    };
    let draft = check((0..100).map(event).collect::<String>().as_bytes());
    assert!(draft.refused.is_empty(), "{:?}", draft.notes);
    for line in ["[source.orders]", "[source.riders]\ntopic = \"Riders\"", "order_id = \"integer\"", "[group.rider_riders]"] {
        assert!(draft.pipeline_toml.contains(line), "{line} is missing in\n{}", draft.pipeline_toml);
    }
}

#[test]
fn a_name_that_no_pipeline_may_have_is_refused_first() {
    let error = draft("../Parking", Path::new("events.jsonl"), &b"no event"[..]).expect_err("an error").to_string();
    assert!(error.contains("`../Parking` is no name of a pipeline"), "{error}");
}

/// The guide shows a file and what is drafted from it. `UPDATE=1` writes the draft anew.
#[test]
fn the_guide_shows_what_is_drafted() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guides/a-pipeline-of-your-own.md");
    let guide = fs::read_to_string(&path).expect("the guide");
    let block = |begin: &str| {
        let at = guide.find(begin).unwrap_or_else(|| panic!("the guide has no {begin}")) + begin.len();
        at..at + guide[at..].find("```").expect("the end of the block")
    };
    let (events, spec) = (block("```json\n"), block("```toml\n"));
    let lines = guide[events].to_owned();
    check(lines.as_bytes());
    let drafted = draft("lockers", Path::new("lockers.jsonl"), lines.as_bytes()).expect("a draft").pipeline_toml;
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, format!("{}{drafted}{}", &guide[..spec.start], &guide[spec.end..])).expect("the guide is written");
    } else {
        assert!(
            guide[spec] == drafted,
            "the guide shows another draft; run this test with UPDATE=1 and read the difference\n{drafted}"
        );
    }
}
