//! Under which epochs a share is being written, so that a mark is never put on a server that lost part of what was written before it.
//!
//! A writer that hears that its share is not marked writes everything again, and marks it then. A server that is emptied in between
//! would carry the mark without what it promises. So the epoch of each node is kept from the moment at which the writer heard, and the
//! mark is made under that epoch only; when it has passed, nothing is marked and the writer hears it again.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use ports::Share;

/// The epoch of each node, by the key of its marks.
pub(crate) type Epochs = BTreeMap<String, String>;

/// Of the shares that are being written anew: one entry for each partition that this process has.
#[derive(Debug, Default)]
pub(crate) struct Unmarked(Mutex<BTreeMap<Share, Epochs>>);

impl Unmarked {
    /// The share is not marked. The first of these counts until it is marked.
    pub(crate) fn heard(&self, share: Share, epochs: Epochs) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(share).or_insert(epochs);
    }

    /// Under which a mark would be true; none when this process never heard that it is missing.
    pub(crate) fn epochs(&self, share: Share) -> Option<Epochs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&share).cloned()
    }

    /// It is marked, or has to be written once more from now on.
    pub(crate) fn settled(&self, share: Share) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&share);
    }
}
