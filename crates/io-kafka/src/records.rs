//! Records as the client hands them out, and as the port knows them: many of them share one buffer.

use std::{
    ops::Range,
    panic::{AssertUnwindSafe, catch_unwind},
};

use bytes::{Bytes, BytesMut};
use domain::Timestamp;
use ports::{Header, Record};
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Headers, Message, Timestamp as Stamp};

/// What a record takes beside its key and value.
const RECORD_BYTES: usize = 64;

/// Records that come together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    bytes: BytesMut,
    records: Vec<Draft>,
    /// Of names and values of headers.
    header_bytes: usize,
    foreign_times: bool,
}

#[derive(Debug)]
struct Draft {
    offset: u64,
    append_at: Timestamp,
    key: Range<usize>,
    value: Range<usize>,
    headers: Vec<Header>,
}

impl Batch {
    pub(crate) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// When the newest was appended.
    pub(crate) fn newest_at(&self) -> Option<Timestamp> {
        self.records.last().map(|last| last.append_at)
    }

    /// Whether a producer has said when one of them was appended.
    pub(crate) fn has_foreign_times(&self) -> bool {
        self.foreign_times
    }

    /// What they take, about. A record without any content takes something, too.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len() + self.header_bytes + self.records.len() * RECORD_BYTES
    }

    pub(crate) fn push(&mut self, message: &BorrowedMessage<'_>) {
        let (key, value) = (self.copy(message.key()), self.copy(message.payload()));
        let headers = message.headers().map_or_else(Vec::new, headers);
        self.header_bytes += headers.iter().map(|header| header.name.len() + header.value.len()).sum::<usize>();
        let stamp = message.timestamp();
        self.foreign_times |= matches!(stamp, Stamp::CreateTime(_));
        let append_at = Timestamp(stamp.to_millis().unwrap_or_default());
        self.records.push(Draft { offset: message.offset().unsigned_abs(), append_at, key, value, headers });
    }

    fn copy(&mut self, bytes: Option<&[u8]>) -> Range<usize> {
        let begin = self.bytes.len();
        self.bytes.extend_from_slice(bytes.unwrap_or_default());
        begin..self.bytes.len()
    }

    pub(crate) fn finish(self) -> Vec<Record> {
        let bytes = self.bytes.freeze();
        let record = |Draft { offset, append_at, key, value, headers }| Record {
            offset,
            append_at,
            key: bytes.slice(key),
            value: bytes.slice(value),
            headers,
            decoded: None,
        };
        self.records.into_iter().map(record).collect()
    }
}

/// A header whose name is no text is left out: nothing of ours could ask for it.
fn headers(all: &BorrowedHeaders) -> Vec<Header> {
    let header = |place| {
        // The client panics where the name is no text, and a record that anybody may write must not end a member.
        let found = catch_unwind(AssertUnwindSafe(|| all.try_get(place)));
        let header = found.ok().flatten()?;
        Some(Header { name: header.key.to_owned(), value: Bytes::copy_from_slice(header.value.unwrap_or_default()) })
    };
    (0..all.count()).filter_map(header).collect()
}
