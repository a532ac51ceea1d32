//! The online store: the latest packed vector of each entity and group, for readers that cannot wait.
//!
//! It is not committed together with the log. It may run behind, be emptied, or hear from a writer that has been replaced: the
//! guard below is all that it promises.

use std::future::Future;

use domain::Header;
use domain::Timestamp;

use crate::Error;

/// Where a vector lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VectorKey<'a> {
    /// Entity type: the `store` of `store:42`.
    pub entity: &'a str,
    /// The entity's key.
    pub key: &'a str,
    /// Name of the group.
    pub group: &'a str,
    /// Generation of the group.
    pub generation: u32,
}

impl<'a> VectorKey<'a> {
    /// Where readers find it, if they may read its group already.
    pub fn served(serving: &'a [Serving], entity: &'a str, key: &'a str, group: &str) -> Option<Self> {
        let served = serving.iter().find(|served| served.group == group)?;
        Some(Self { entity, key, group: &served.group, generation: served.generation })
    }
}

/// What one writer is there for: one partition of one generation. Whether the store has all of it is known by its mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Share {
    /// Of which generation.
    pub generation: u32,
    /// Which partition.
    pub partition: u32,
}

/// One vector to be written.
#[derive(Clone, Copy, Debug)]
pub struct VectorWrite<'a> {
    /// Where.
    pub at: VectorKey<'a>,
    /// In the packed form of `domain`.
    pub packed: &'a [u8],
    /// The store may forget it then.
    pub expires_at: Timestamp,
}

/// What came of a batch of writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Vectors that were not newer than the one that is there.
    pub refused: usize,
    /// Whether the store carries the mark of this share. It does not after it was emptied: write everything again and then
    /// [`OnlineStore::mark`].
    pub marked: bool,
}

/// The generation of a group that readers read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serving {
    /// Name of the group.
    pub group: String,
    /// Which of its generations.
    pub generation: u32,
}

/// Whether a vector may take the place of another one of the same key: when it has seen more records, or as many at a later
/// instant. Equal ones may, since they are the same bytes.
pub fn supersedes(new: &Header, old: &Header) -> bool {
    (new.position, new.as_of) >= (old.position, old.as_of)
}

/// A store of vectors for one pipeline.
pub trait OnlineStore: Clone + Send + Sync + 'static {
    /// Writes those of the vectors that supersede what is there, as one round trip. A vector that is not packed is `Bug`.
    fn write(&self, share: Share, batch: &[VectorWrite<'_>]) -> impl Future<Output = Result<Written, Error>> + Send;

    /// Reads many vectors in one round trip; none for those that are not there.
    fn read(&self, keys: &[VectorKey<'_>]) -> impl Future<Output = Result<Vec<Option<Vec<u8>>>, Error>> + Send;

    /// Says that everything of a share is in the store.
    fn mark(&self, share: Share) -> impl Future<Output = Result<(), Error>> + Send;

    /// Which generations readers read; empty at first and after the store was emptied.
    fn serving(&self) -> impl Future<Output = Result<Vec<Serving>, Error>> + Send;

    /// Makes readers read these generations, all at once. Groups that are not named keep theirs.
    fn serve(&self, serving: &[Serving]) -> impl Future<Output = Result<(), Error>> + Send;

    /// Forgets all vectors of a generation of a group.
    fn forget(&self, serving: &Serving) -> impl Future<Output = Result<(), Error>> + Send;
}
