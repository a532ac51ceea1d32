//! Named bytes that are written once: pieces of snapshots, model packages, reports.

use std::future::Future;

use bytes::Bytes;

use crate::Error;

/// A place for artifacts. Names are paths of lower-case words, digits, `-`, `_` and `.`, separated by `/`; a name that is not is
/// `Invalid`.
pub trait Artifacts: Clone + Send + Sync + 'static {
    /// Stores bytes under a name, in place of what was there. When it returns they survive a crash; a reader sees all or nothing.
    fn put(&self, name: &str, bytes: Bytes) -> impl Future<Output = Result<(), Error>> + Send;

    /// The bytes of a name, none when there is no such artifact. Bytes that are not the ones that were put are `Poison`.
    fn get(&self, name: &str) -> impl Future<Output = Result<Option<Bytes>, Error>> + Send;

    /// All names that begin with a prefix, in order.
    fn list(&self, prefix: &str) -> impl Future<Output = Result<Vec<String>, Error>> + Send;

    /// Removes an artifact; one that is not there is no error.
    fn remove(&self, name: &str) -> impl Future<Output = Result<(), Error>> + Send;
}
