//! Named bytes that are written once: pieces of snapshots, model packages, reports.

use std::future::Future;

use bytes::Bytes;

use crate::Error;

/// File systems allow 255 bytes between two `/`, and an adapter may need some of them.
const SEGMENT_BYTES_MAX: usize = 250;
/// Object stores allow 1024 bytes in a name, and a prefix may have to fit in front.
const NAME_BYTES_MAX: usize = 768;

/// A place for artifacts. A name with a fault, see [`artifact_name_fault`], is `Invalid`.
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

/// Why a text is no name for an artifact: names are paths of lower-case words, digits, `-`, `_` and `.`, separated by `/`.
pub fn artifact_name_fault(name: &str) -> Option<&'static str> {
    if name.len() > NAME_BYTES_MAX {
        return Some("it has more than 768 bytes");
    }
    name.split('/').find_map(|segment| match segment {
        "" => Some("it begins or ends with `/`, or has two of them in a row, or is empty"),
        "." | ".." => Some("`.` and `..` lead elsewhere"),
        _ if segment.len() > SEGMENT_BYTES_MAX => Some("it has more than 250 bytes between two `/`"),
        _ => {
            let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
            (!segment.bytes().all(known)).then_some("it may have a-z, 0-9, `-`, `_`, `.` and `/`")
        }
    })
}
