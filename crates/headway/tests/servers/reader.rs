//! Somebody who reads vectors all the time, straight from Redis, and remembers what was seen: a version never goes back, and a count
//! never falls below what was there before a crash. After Redis was emptied everything may be seen anew.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use domain::unpack_header;
use io_redis::{RedisOnline, Settings};
use ports::{OnlineStore, VectorKey};

use crate::{
    driven::DEVICES,
    fleet::{Fleet, spec},
};

pub(crate) struct Reader {
    stop: Arc<AtomicBool>,
    emptied: Arc<AtomicU64>,
    thread: JoinHandle<Vec<String>>,
}

impl Reader {
    pub(crate) fn start(fleet: &Fleet) -> Self {
        let settings = Settings::parse("scooter-fleet", &fleet.servers.address("redis")).expect("an address");
        let pipeline = pipeline::load(spec()).expect("a pipeline");
        let groups: Vec<(String, String)> = pipeline
            .groups
            .iter()
            .map(|group| (group.entity.clone(), group.name.clone()))
            .filter(|(entity, _)| entity == "scooter")
            .collect();
        let (stop, emptied) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, times) = (stop.clone(), emptied.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(watch(settings, &groups, &stopped, &times))
        });
        Self { stop, emptied, thread }
    }

    /// What was seen before is of no meaning any more.
    pub(crate) fn expect_emptiness(&self) {
        self.emptied.fetch_add(1, Ordering::SeqCst);
    }

    /// What went back.
    pub(crate) fn stop(self) -> Vec<String> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().expect("a reader never breaks down")
    }
}

async fn watch(settings: Settings, groups: &[(String, String)], stopped: &AtomicBool, emptied: &AtomicU64) -> Vec<String> {
    let online = RedisOnline::new(&settings).expect("settings");
    let names: Vec<String> = (0..DEVICES).map(|device| format!("d{device}")).collect();
    let keys: Vec<VectorKey<'_>> = names
        .iter()
        .flat_map(|key| groups.iter().map(move |(entity, group)| VectorKey { entity, key, group, generation: 1 }))
        .collect();
    let (mut seen, mut back, mut known) = (BTreeMap::new(), Vec::new(), 0);
    let mut looks = 0_u64;
    while !stopped.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let times = emptied.load(Ordering::SeqCst);
        let read = online.read(&keys).await;
        if times != emptied.load(Ordering::SeqCst) || times != known {
            // It may have been emptied between the question and the answer.
            known = emptied.load(Ordering::SeqCst);
            seen.clear();
            continue;
        }
        let Ok(read) = read else { continue };
        looks += 1;
        for (key, packed) in keys.iter().zip(read) {
            let Some((header, _)) = packed.and_then(|packed| unpack_header(&packed).ok()) else { continue };
            let version = (header.position, header.as_of);
            if let Some(before) = seen.insert(*key, version).filter(|before| *before > version) {
                back.push(format!("{key:?}: {before:?}, then {version:?}"));
            }
        }
    }
    assert!(looks > 0, "the reader never saw anything");
    back
}
