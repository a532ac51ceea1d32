//! The vectors that quotes are made of: all of a request in one read of the online store, and what was read last where it does not
//! answer in time.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use pipeline::Pipeline;
use ports::{Clock, Error, ErrorKind, OnlineStore, Serving, VectorKey};
use scoring::{Origin, Remembered};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use tracing::warn;

/// How often it is looked which generations readers read.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Where vectors are read.
#[derive(Debug)]
pub(crate) struct Vectors<O> {
    online: O,
    pipeline: Arc<Pipeline>,
    clock: Clock,
    serving: Mutex<Looked>,
    remembered: Arc<Remembered>,
}

/// Which generations readers read, and when that was looked up.
#[derive(Debug, Default)]
struct Looked {
    at: Option<Instant>,
    serving: Arc<Vec<Serving>>,
}

/// The vectors of one case, one for each group of the pipeline, and where they come from.
pub(crate) type Fetched = (Origin, Vec<Option<Arc<[u8]>>>);

/// Each vector that is needed once, whoever needs it: by group and key.
type Needed<'k> = BTreeMap<(usize, &'k str), Option<Arc<[u8]>>>;

impl<O: OnlineStore> Vectors<O> {
    pub(crate) fn new(online: O, pipeline: Arc<Pipeline>, clock: Clock) -> Self {
        let remembered = Arc::new(Remembered::new(&pipeline));
        Self { online, pipeline, clock, serving: Mutex::default(), remembered }
    }

    /// The same, sharing what was read last with others.
    pub(crate) fn remembering(self, remembered: Arc<Remembered>) -> Self {
        Self { remembered, ..self }
    }

    /// The vectors of each case. `keys` are those of its entities, one for each group. Never takes longer than `within`, about.
    pub(crate) async fn fetch(&self, keys: &[Vec<Option<&str>>], within: Duration) -> Vec<Fetched> {
        let mut needed = Needed::new();
        for (group, key) in keys.iter().flat_map(|keys| keys.iter().enumerate()) {
            needed.extend(key.map(|key| ((group, key), None)));
        }
        let reached = match timeout(within, self.read(&mut needed)).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                if error.kind() != ErrorKind::Transient {
                    warn!(%error, pipeline = %self.pipeline.id, "quotes are made without the online store");
                }
                false
            }
            Err(_) => false,
        };
        let now = self.clock.now();
        if !reached {
            return keys.iter().map(|keys| self.remembered.vectors(keys, now)).collect();
        }
        let read = needed.iter().filter_map(|((group, key), vector)| Some((*group, *key, vector.clone()?)));
        self.remembered.keep(read, now);
        let of = |keys: &Vec<Option<&str>>| {
            let vector = |(group, key): (usize, &Option<&str>)| needed.get(&(group, (*key)?))?.clone();
            (Origin::Store, keys.iter().enumerate().map(vector).collect())
        };
        keys.iter().map(of).collect()
    }

    async fn read(&self, needed: &mut Needed<'_>) -> Result<(), Error> {
        let serving = self.serving().await?;
        if serving.is_empty() {
            return Err(Error::new(
                ErrorKind::Transient,
                "nobody said which generations are read: the online store was emptied, or is new",
            ));
        }
        let groups = &self.pipeline.groups;
        let (mut keys, mut found) = (Vec::new(), Vec::new());
        for ((group, key), vector) in needed.iter_mut() {
            let group = &groups[*group];
            let Some(at) = VectorKey::served(&serving, &group.entity, key, &group.name) else { continue };
            keys.push(at);
            found.push(vector);
        }
        let read = self.online.read(&keys).await?;
        found.into_iter().zip(read).for_each(|(vector, read)| *vector = read.map(Arc::from));
        Ok(())
    }

    /// Only one request looks at a time; the others wait for what it finds.
    async fn serving(&self) -> Result<Arc<Vec<Serving>>, Error> {
        let mut looked = self.serving.lock().await;
        if looked.at.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
            looked.serving = Arc::new(self.online.serving().await?);
            looked.at = Some(Instant::now());
        }
        Ok(looked.serving.clone())
    }
}
