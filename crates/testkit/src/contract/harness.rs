//! What a suite asks of whoever brings an adapter, and the few words that all suites share.

use std::future::Future;

use ports::{Error, ErrorKind};

/// Opens an adapter, and kills it.
pub trait Harness {
    /// The adapter.
    type Port: Clone;

    /// Whether a crash takes what a volatile port holds. It does where the port lives in the process that dies. A server of its own
    /// may outlive its clients and may lose its memory, so its adapter passes the suite twice: once for each of the two. Durable
    /// ports do not ask.
    const CRASH_EMPTIES: bool = true;

    /// An adapter over an outside world in which nothing was ever written.
    fn fresh(&mut self) -> impl Future<Output = Self::Port>;

    /// What the next process finds when this one is killed now: dropped without a goodbye and opened anew over the same outside
    /// world. One that is volatile comes back empty, unless [`Self::CRASH_EMPTIES`] says that it is only the client that dies.
    fn crash(&mut self, port: Self::Port) -> impl Future<Output = Self::Port>;
}

/// How often a random run crashes between two operations: always, now and then, and never.
pub(super) const CRASH_SHARES: [f64; 3] = [1.0, 0.2, 0.0];

/// The value of a call that has to work.
pub(super) fn good<T>(result: Result<T, Error>) -> T {
    result.unwrap_or_else(|error| panic!("an operation that has to work did not ({:?}): {error}", error.kind()))
}

/// Checks that a call failed in this way, in words that a person can use.
pub(super) fn bad<T>(result: Result<T, Error>, kind: ErrorKind, what: &str) {
    match result {
        Ok(_) => panic!("{what} worked, but has to be {kind:?}"),
        Err(error) => {
            assert_eq!(error.kind(), kind, "{what}: {error}");
            assert!(error.to_string().len() > 10, "{what}: {error:?} says nothing");
        }
    }
}
