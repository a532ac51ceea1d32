//! Somebody who reads all the time, and never sees anything go back.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use domain::{Timestamp, unpack};
use ports::{OnlineStore, VectorKey};
use testkit::fake::MemoryOnlineStore;

use crate::world::{EVER, Key, Setting};

/// What was seen of each entity last.
pub(crate) struct Reader {
    setting: Arc<Setting>,
    online: MemoryOnlineStore,
    keys: Vec<Key>,
    seen: BTreeMap<Key, Seen>,
    /// No vector is of an instant before this one.
    fence: Arc<AtomicI64>,
}

#[derive(Clone, Copy)]
struct Seen {
    position: u64,
    count: Option<i64>,
}

impl Reader {
    pub(crate) fn new(setting: Arc<Setting>, online: MemoryOnlineStore, keys: Vec<Key>, fence: Arc<AtomicI64>) -> Self {
        Self { setting, online, keys, seen: BTreeMap::new(), fence }
    }

    /// Reads everything once.
    pub(crate) async fn look(&mut self) {
        let pipeline = &self.setting.pipeline;
        let at = |(group, key): &Key| {
            let group = &pipeline.groups[*group];
            (group.entity.clone(), key.clone(), group.name.clone())
        };
        let names: Vec<(String, String, String)> = self.keys.iter().map(at).collect();
        let keys: Vec<VectorKey<'_>> =
            names.iter().map(|(entity, key, group)| VectorKey { entity, key, group, generation: 1 }).collect();
        let read = self.online.read(&keys).await.expect("reads do not fail");
        for (key, packed) in self.keys.iter().zip(read) {
            let Some(packed) = packed else { continue };
            let vector = unpack(&packed, &self.setting.schemas[key.0]).expect("what was written can be read");
            let column = self.setting.schemas[key.0].columns.iter().position(|(name, _)| name == EVER);
            let count = column.and_then(|column| match vector.values[column] {
                Some(domain::Value::Integer(count)) => Some(count),
                _ => None,
            });
            let now = Seen { position: vector.position, count };
            let context = format!("seed {}, {} {}", self.setting.seed, pipeline.groups[key.0].name, key.1);
            let fence = Timestamp(self.fence.load(Ordering::Relaxed));
            assert!(vector.as_of >= fence || vector.source_silent, "{context}: written as of {}, before {fence}", vector.as_of);
            if let Some(before) = self.seen.insert(key.clone(), now) {
                assert!(now.position >= before.position, "{context}: position {} after {}", now.position, before.position);
                assert!(now.count >= before.count, "{context}: count {:?} after {:?}", now.count, before.count);
            }
        }
    }
}
