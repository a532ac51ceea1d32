//! The store itself: what the port asks for, put together from the other files.
//!
//! What is written is repeated as a whole when a part of it fails: the guard lets equal vectors pass, so that is without harm.

use std::sync::Arc;

use futures_util::future::try_join_all;
use ports::{OnlineStore, Serving, Share, VectorKey, VectorWrite, Written};
use redis::{Pipeline, Value};

use crate::{
    Address, Error, Inspection, Settings, batch,
    dial::Dial,
    forget, inspection,
    library::Task,
    map::{Map, Maps, Place},
    marks::{Epochs, Unmarked},
    names::Names,
    node::Call,
    read, reply, sample,
};

/// An online store in Redis. Cheap to clone; nothing connects before it is needed.
#[derive(Clone, Debug)]
pub struct RedisOnline {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    names: Arc<Names>,
    maps: Maps,
    unmarked: Unmarked,
}

impl RedisOnline {
    /// Checks the settings and reads the files that they name.
    pub fn new(settings: &Settings) -> Result<Self, ports::Error> {
        if matches!(settings.address, Address::Cluster(_)) && settings.database != 0 {
            let what = format!("a cluster of Redis has only database 0, and {} is set: leave it out", settings.database);
            return Err(Error::Unusable(what).into());
        }
        let names = Arc::new(Names::new(&settings.pipeline)?);
        let maps = Maps::new(Dial::new(settings)?, names.clone());
        Ok(Self { shared: Arc::new(Shared { names, maps, unmarked: Unmarked::default() }) })
    }

    /// Some entities of a group with their vectors, at most so many and in no order: for people who look.
    pub async fn sample(&self, entity: &str, serving: &Serving, most: usize) -> Result<Vec<(String, Vec<u8>)>, ports::Error> {
        let shared = &self.shared;
        Ok(shared.trying(async |map| sample::sample(&map, &shared.names, entity, serving, most).await).await?)
    }

    /// What a person who looks after the servers should know of them. Changes nothing there.
    pub async fn inspect(&self) -> Result<Inspection, ports::Error> {
        let shared = &self.shared;
        Ok(shared.trying(|map| inspection::inspect(map, shared.maps.library(), &shared.names)).await?)
    }
}

impl OnlineStore for RedisOnline {
    async fn write(&self, share: Share, batch: &[VectorWrite<'_>]) -> Result<Written, ports::Error> {
        // Before anything is sent, and whether or not there is somebody to send it to.
        batch.iter().try_for_each(|write| batch::header(write).map(|_| ()))?;
        let shared = &self.shared;
        Ok(shared.trying(|map| shared.write(map, share, batch)).await?)
    }

    async fn read(&self, keys: &[VectorKey<'_>]) -> Result<Vec<Option<Vec<u8>>>, ports::Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let shared = &self.shared;
        Ok(shared.trying(async |map| read::read(&map, &shared.names, keys).await).await?)
    }

    async fn mark(&self, share: Share) -> Result<(), ports::Error> {
        let shared = &self.shared;
        Ok(shared.trying(|map| shared.mark(map, share)).await?)
    }

    async fn serving(&self) -> Result<Vec<Serving>, ports::Error> {
        let shared = &self.shared;
        Ok(shared.trying(|map| shared.serving(map)).await?)
    }

    async fn serve(&self, serving: &[Serving]) -> Result<(), ports::Error> {
        if serving.is_empty() {
            return Ok(());
        }
        let shared = &self.shared;
        Ok(shared.trying(|map| shared.serve(map, serving)).await?)
    }

    async fn forget(&self, serving: &Serving) -> Result<(), ports::Error> {
        Ok(forget::forget(&self.shared.maps, &self.shared.names, serving).await?)
    }
}

impl Shared {
    /// With the map of the moment, and once more at once when it was the map that was wrong.
    async fn trying<T, F: Future<Output = Result<T, Error>>>(&self, task: impl Fn(Arc<Map>) -> F) -> Result<T, Error> {
        let map = self.maps.get().await?;
        let cluster = map.is_cluster();
        match task(map).await {
            Err(error) if cluster && error.doubts_map() => {
                self.maps.doubt();
                if matches!(error, Error::Moved { .. } | Error::Replica { .. }) {
                    let again = task(self.maps.get().await?).await;
                    return again.inspect_err(|error| {
                        if error.doubts_map() {
                            self.maps.doubt();
                        }
                    });
                }
                Err(error)
            }
            other => other,
        }
    }

    async fn write(&self, map: Arc<Map>, share: Share, batch: &[VectorWrite<'_>]) -> Result<Written, Error> {
        let calls = batch::calls(&map, &self.names, share, batch)?;
        let sent = calls.iter().zip(&map.places).map(|(calls, place)| async move { Ok((place, place.node.call(calls).await?)) });
        let mut written = Written { refused: 0, marked: true };
        let mut epochs = Epochs::new();
        for (place, answers) in try_join_all(sent).await? {
            for answer in answers {
                let (refused, marked, epoch) = of_write(place, answer)?;
                written.refused += refused;
                written.marked &= marked;
                epochs.insert(place.marks.clone(), epoch);
            }
        }
        if !written.marked {
            self.unmarked.heard(share, epochs);
        }
        Ok(written)
    }

    async fn mark(&self, map: Arc<Map>, share: Share) -> Result<(), Error> {
        let epochs = self.unmarked.epochs(share);
        let marking = map.places.iter().map(|place| {
            // A node that nothing was heard of holds nothing: no epoch is `?`.
            let epoch = epochs.as_ref().map_or("", |epochs| epochs.get(&place.marks).map_or("?", String::as_str));
            let arguments = [place.marks.clone(), place.slots.clone(), Names::mark(share), epoch.to_owned()];
            let call = Call { task: Task::Mark, arguments: arguments.map(String::into_bytes).into() };
            async move { place.node.call(&[call]).await }
        });
        try_join_all(marking).await?;
        self.unmarked.settled(share);
        Ok(())
    }

    async fn serving(&self, map: Arc<Map>) -> Result<Vec<Serving>, Error> {
        let key = self.names.serving();
        let node = &map.places[map.place(key.as_bytes())?].node;
        let mut pipeline = Pipeline::new();
        pipeline.cmd("HGETALL").arg(key);
        let answer = node.read(&pipeline).await?.pop().unwrap_or(Value::Nil);
        let pairs = reply::pairs(node.at(), answer)?.into_iter().map(|(group, generation)| {
            let unfit = |_| Error::Unfit { at: node.at().to_owned(), why: format!("{group} is served from no generation") };
            Ok(Serving { generation: generation.parse().map_err(unfit)?, group })
        });
        pairs.collect()
    }

    async fn serve(&self, map: Arc<Map>, serving: &[Serving]) -> Result<(), Error> {
        let key = self.names.serving();
        let node = &map.places[map.place(key.as_bytes())?].node;
        let mut command = redis::cmd("HSET");
        command.arg(key);
        for one in serving {
            command.arg(&one.group).arg(one.generation);
        }
        node.write(command).await.map(|_| ())
    }
}

/// Refused, marked, epoch.
fn of_write(place: &Place, answer: Value) -> Result<(usize, bool, String), Error> {
    let at = place.node.at();
    let mut parts = reply::list(at, answer)?.into_iter();
    let (Some(refused), Some(marked), Some(epoch)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(Error::Unfit { at: at.to_owned(), why: "its library answers in another way".into() });
    };
    let refused = usize::try_from(reply::number(at, &refused)?).unwrap_or(0);
    Ok((refused, reply::number(at, &marked)? == 1, reply::text(at, epoch)?))
}
