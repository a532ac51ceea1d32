//! Records as the client hands them out, and as the port knows them: many of them share one buffer.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use domain::Timestamp;
use ports::{Header, Record};
use rdkafka::message::{BorrowedMessage, Headers, Message};

/// Records that come together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    bytes: BytesMut,
    records: Vec<Draft>,
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

    /// Of keys and values.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn push(&mut self, message: &BorrowedMessage<'_>) {
        let (key, value) = (self.copy(message.key()), self.copy(message.payload()));
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        let headers = headers
            .map(|header| Header { name: header.key.to_owned(), value: Bytes::copy_from_slice(header.value.unwrap_or_default()) })
            .collect();
        let append_at = Timestamp(message.timestamp().to_millis().unwrap_or_default());
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
        };
        self.records.into_iter().map(record).collect()
    }
}
