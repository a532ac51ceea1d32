//! The online store of a pipeline: in memory, or Redis.

use io_folder::MemoryOnline;
use io_redis::RedisOnline;
use ports::{Clock, Error, OnlineStore, Serving, Share, VectorKey, VectorWrite, Written};

use crate::settings::Servers;

/// Either store.
#[derive(Clone, Debug)]
pub(crate) enum AnyOnline {
    Memory(MemoryOnline),
    Redis(RedisOnline),
}

impl AnyOnline {
    /// The store of a pipeline. Connects to a server only when it is used.
    pub(crate) fn open(servers: &Servers, clock: &Clock, pipeline: &str) -> Result<Self, Error> {
        match servers.redis(pipeline)? {
            Some(settings) => Ok(Self::Redis(RedisOnline::new(&settings)?)),
            None => Ok(Self::memory(clock)),
        }
    }

    pub(crate) fn memory(clock: &Clock) -> Self {
        Self::Memory(MemoryOnline::new(clock.clone()))
    }

    /// How many vectors it holds; none when a server does, which would have to count them.
    pub(crate) fn vectors(&self) -> Option<u64> {
        match self {
            Self::Memory(online) => Some(online.vectors() as u64),
            Self::Redis(_) => None,
        }
    }

    /// Some entities of a group with their vectors, in no order: for people who look.
    pub(crate) async fn sample(&self, entity: &str, serving: &Serving, most: usize) -> Result<Vec<(String, Vec<u8>)>, Error> {
        match self {
            Self::Memory(online) => Ok(online.sample(entity, serving, most)),
            Self::Redis(online) => online.sample(entity, serving, most).await,
        }
    }
}

/// Says the same to whichever it is.
macro_rules! either {
    ($self:expr, $one:ident => $call:expr) => {
        match $self {
            AnyOnline::Memory($one) => $call,
            AnyOnline::Redis($one) => $call,
        }
    };
}

impl OnlineStore for AnyOnline {
    async fn write(&self, share: Share, batch: &[VectorWrite<'_>]) -> Result<Written, Error> {
        either!(self, online => online.write(share, batch).await)
    }

    async fn read(&self, keys: &[VectorKey<'_>]) -> Result<Vec<Option<Vec<u8>>>, Error> {
        either!(self, online => online.read(keys).await)
    }

    async fn mark(&self, share: Share) -> Result<(), Error> {
        either!(self, online => online.mark(share).await)
    }

    async fn serving(&self) -> Result<Vec<Serving>, Error> {
        either!(self, online => online.serving().await)
    }

    async fn serve(&self, serving: &[Serving]) -> Result<(), Error> {
        either!(self, online => online.serve(serving).await)
    }

    async fn forget(&self, serving: &Serving) -> Result<(), Error> {
        either!(self, online => online.forget(serving).await)
    }
}
