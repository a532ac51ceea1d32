//! What is chosen of an online store, and what is said of its values. The store is real, and its clock is in the hand of the test.

use domain::{Header, pack};
use ports::{Share, VectorWrite, clock_fn};

use super::*;

const SPEC: &str = r#"
[source.rides]
topic = "rides"
key = "bike"
time = "at"
skew = "30s"
lateness = "10m"
fields = { bike = "string", metres = { type = "integer", min = 0, max = 100000 } }

[group.checks]
entity = "bike"
key = "bike"
source = "rides"
hop = "1m"
features = { checks = { count = "*", windows = ["1h"] } }

[group.use]
entity = "bike"
key = "bike"
source = "rides"
hop = "1m"
features = { rides = { count = "*", windows = ["5m", "1h"] }, longest = { max = "metres", windows = ["1h"] } }
"#;

const NOW: Timestamp = Timestamp(1_000_000_000);

/// One vector of the group of rides.
struct Bike {
    key: &'static str,
    rides: u64,
    age_ms: i64,
    valid_until: Timestamp,
    silent: bool,
}

const FRESH: Bike = Bike { key: "", rides: 0, age_ms: 0, valid_until: NEVER, silent: false };

/// What is shown of these bikes, as lines.
async fn shown(bikes: &[Bike]) -> Vec<String> {
    let pipeline = pipeline::parse("bikes", SPEC).expect("a pipeline in order");
    let kind = kinds(&pipeline, |_| Some(1)).remove(0);
    let of_rides = kind.groups.iter().find(|shown| shown.group.name == "use").expect("the group is there").clone();
    let online = AnyOnline::memory(&clock_fn(1.0, || NOW));
    for bike in bikes {
        let header = Header {
            schema: of_rides.schema.id,
            generation: 1,
            position: 1,
            as_of: Timestamp(NOW.0 - bike.age_ms),
            valid_until: bike.valid_until,
            source_seen_at: None,
            source_silent: bike.silent,
        };
        let mut packed = Vec::new();
        pack(&mut packed, &header, &[Some(1), Some(bike.rides), None]);
        let at = VectorKey { entity: "bike", key: bike.key, group: "use", generation: 1 };
        online
            .write(Share { generation: 1, partition: 0 }, &[VectorWrite { at, packed: &packed, expires_at: NEVER }])
            .await
            .expect("memory takes it");
    }
    let mut chosen = Chosen { kind, online, keys: Vec::new(), count: 0, more: false };
    chosen.rank().await.expect("memory can be read");
    let panel = chosen.panel(NOW, 3).await.expect("memory answers");
    let row = |row: &Row| {
        let cells: Vec<String> = row.cells.iter().map(|cell| format!("{} {:?}", cell.text, cell.condition)).collect();
        format!("{}: {}, {}", row.key, cells.join(", "), row.age.map_or(String::new(), text::age))
    };
    let head = format!("{} of {}", panel.columns.join(", "), panel.count);
    [head].into_iter().chain(panel.rows.iter().map(row)).collect()
}

#[tokio::test]
async fn the_busiest_come_first_and_no_more_than_there_is_room_for() {
    let bike = |key: &'static str, rides: u64| Bike { key, rides, ..FRESH };
    let shown = shown(&[bike("10", 4), bike("9", 4), bike("11", 70), bike("12", 1)]).await;
    assert_eq!(shown, ["rides_1h of 4", "11: 70 Good, 0 s", "9: 4 Good, 0 s", "10: 4 Good, 0 s"]);
}

#[tokio::test]
async fn a_value_says_what_to_think_of_it() {
    // The tolerance is one hop of a minute.
    let bikes = [
        Bike { key: "just good", rides: 3, age_ms: 61_000, valid_until: Timestamp(NOW.0 - 60_000), ..FRESH },
        Bike { key: "outdated", rides: 2, age_ms: 62_000, valid_until: Timestamp(NOW.0 - 60_001), ..FRESH },
        Bike { key: "silent", rides: 1, age_ms: 7_200_000, valid_until: Timestamp(0), silent: true },
    ];
    let shown = shown(&bikes).await;
    let rows = ["rides_1h of 3", "just good: 3 Good, 1 m", "outdated: 2 Outdated, 1 m", "silent: 1 Silent, 2 h"];
    assert_eq!(shown, rows);
}

#[tokio::test]
async fn nobody_is_there_at_first() {
    assert_eq!(shown(&[]).await, ["checks_1h of 0"]);
}
