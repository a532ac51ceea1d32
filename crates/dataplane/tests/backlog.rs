//! After a stop, what was missed is lived through in its order: nothing is told that the next records take back.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use dataplane::{
    Topics,
    features::{Parts, Plan, Settings, Watch, Worker},
};
use domain::{Span, Timestamp};
use ports::{Log, OnlineStore, Outgoing, Serving, VectorKey, clock_fn};
use testkit::fake::{MemoryArtifacts, MemoryLog, MemoryOnlineStore};
use tokio::{sync::watch, time::Instant};

const SPEC: &str = r#"
[source.beats]
topic = "beats"
key = "device"
time = "at"
skew = "1m"
lateness = "10m"
peak_per_second = 10
fields = { device = "string" }

[source.doors]
topic = "doors"
key = "device"
time = "at"
skew = "1m"
lateness = "10m"
peak_per_second = 10
fields = { device = "string" }

[source.silent]
absence = { from = "beats", key = "device", within = "30m", topic = "alarms", entities = 100 }

[group.beats]
entity = "device"
key = "device"
source = "beats"
hop = "1m"
entities = 100
features = { beats = { count = "*", windows = ["1h"] } }

[group.doors]
entity = "device"
key = "device"
source = "doors"
hop = "1m"
entities = 100
features = { doors = { count = "*", windows = ["1h"] } }
"#;
/// 2026-03-01T08:00:00Z.
const START: Timestamp = Timestamp(1_772_352_000_000);
const HOURS: u64 = 6;

#[tokio::test(start_paused = true)]
async fn a_backlog_raises_nothing_that_it_takes_back() {
    let pipeline = Arc::new(pipeline::parse("watch", SPEC).expect("a pipeline"));
    let topics = Topics::new(&pipeline);
    let begun = Instant::now();
    let clock = clock_fn(1.0, move || START.plus(Span(begun.elapsed().as_millis() as i64)));
    let parts = Parts {
        log: MemoryLog::new(clock.clone()),
        online: MemoryOnlineStore::default(),
        artifacts: MemoryArtifacts::default(),
        clock: clock.clone(),
    };
    parts.log.create(&topics.specs(1, 1, Span(7 * 86_400_000))).await.expect("topics");
    for minute in 0..HOURS * 60 {
        // Many of the one and few of the other, so that the topics do not come in step by themselves.
        let beats = (0..40).filter(|device| minute % 10 == device % 10).map(|device| event("beats", device, minute, clock.now()));
        let doors = (minute % 60 == 0).then(|| event("doors", 1, minute, clock.now()));
        parts.log.append(beats.chain(doors).collect()).await.expect("appended");
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    // A night in which nobody was there.
    tokio::time::sleep(Duration::from_secs(8 * 3600)).await;
    let watch = Watch::default();
    let plan = Plan { pipeline, generation: 1, partitions: 1, topics, files: Vec::new(), quiet_until: None };
    let (stop, stopped) = watch::channel(false);
    let worker = Worker::new(plan, Settings::default(), parts.clone(), watch.clone(), "worker".into(), 1);
    let worker = tokio::spawn(worker.run(stopped));
    while !watch.counts().get(&(1, 0)).is_some_and(|counts| counts.written && counts.clock >= clock.now().minus(Span(60_000))) {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    stop.send_replace(true);
    worker.await.expect("no panic").expect("a clean end");

    let told = parts.log.read("headway.watch.alarms", 0, 0, 1 << 30).await.expect("readable");
    let told: Vec<String> = told.iter().map(|record| String::from_utf8_lossy(&record.value).into_owned()).collect();
    assert_eq!(told.len(), 40, "each device fell silent once, at the end: {told:#?}");
    assert!(told.iter().all(|alarm| alarm.contains("absence.raised")), "{told:#?}");
    parts.online.serve(&[Serving { group: "beats".into(), generation: 1 }]).await.expect("served");
    let key = VectorKey { entity: "device", key: "d1", group: "beats", generation: 1 };
    let vector = parts.online.read(&[key]).await.expect("readable").pop().flatten().expect("known");
    let (header, _) = domain::unpack_header(&vector).expect("packed");
    assert!(header.as_of > clock.now().minus(Span(8 * 3_600_000)), "the hours without beats have passed as well: {header:?}");
}

fn event(topic: &str, device: u64, minute: u64, at: Timestamp) -> Outgoing {
    let payload = format!(r#"{{"id":"{topic}-{device}-{minute}","source":"t","at":{},"device":"d{device}"}}"#, at.0);
    Outgoing {
        topic: format!("headway.watch.{topic}").into(),
        partition: 0,
        key: Bytes::new(),
        value: Bytes::from(payload),
        headers: Vec::new(),
    }
}
