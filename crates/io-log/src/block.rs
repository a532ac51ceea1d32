//! A block: the records that one append brought for one partition, as bytes. Never knows its place.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use domain::Timestamp;
use ports::{Header, Outgoing, Record};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    Error,
    codec::{Put, Take},
};

/// A larger append becomes several blocks, so that a reader's share stays small: 6,000 records of 172 bytes.
const BLOCK_BYTES_MAX: usize = 1 << 20;
/// What lengths take beside a record without headers, roughly.
const RECORD_OVERHEAD_BYTES: usize = 4;

/// A block that has no offsets yet.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: u32,
    pub(crate) count: u32,
    pub(crate) bytes: Vec<u8>,
    pub(crate) checksum: u64,
}

/// Blocks of these records; each partition's in the order given.
pub(crate) fn drafts(records: &[Outgoing], bytes_max: usize) -> Result<Vec<Draft>, Error> {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut open: HashMap<(&str, u32), usize> = HashMap::new();
    let mut last: Option<(&Arc<str>, u32, usize)> = None;
    let mut bytes_total = 0;
    for record in records {
        let bytes = record_bytes(record);
        bytes_total += bytes;
        if bytes_total > bytes_max {
            return Err(too_large(records, bytes_max));
        }
        let here = last.filter(|(topic, partition, _)| Arc::ptr_eq(topic, &record.topic) && *partition == record.partition);
        let known = here.map(|(_, _, at)| at).or_else(|| open.get(&(&*record.topic, record.partition)).copied());
        let at = match known.filter(|at| drafts[*at].bytes.len() + bytes <= BLOCK_BYTES_MAX) {
            Some(at) => at,
            None => {
                drafts.push(Draft {
                    topic: record.topic.clone(),
                    partition: record.partition,
                    count: 0,
                    bytes: Vec::new(),
                    checksum: 0,
                });
                open.insert((&record.topic, record.partition), drafts.len() - 1);
                drafts.len() - 1
            }
        };
        last = Some((&record.topic, record.partition, at));
        put(&mut drafts[at].bytes, record);
        drafts[at].count += 1;
    }
    for draft in &mut drafts {
        draft.checksum = xxh3_64(&draft.bytes);
    }
    Ok(drafts)
}

/// The records of a block from an offset on; none when the bytes are no block of this many records.
pub(crate) fn records(bytes: &Bytes, first: u64, count: u32, append_at: Timestamp, from: u64) -> Option<Vec<Record>> {
    let skipped = from.saturating_sub(first).min(u64::from(count));
    let mut take = Take::new(bytes);
    for _ in 0..skipped {
        skip(&mut take)?;
    }
    let mut records = Vec::with_capacity((u64::from(count) - skipped) as usize);
    for offset in first + skipped..first + u64::from(count) {
        let (key, value) = (take.bytes()?, take.bytes()?);
        let headers = take.short()?;
        let headers = (0..headers).map(|_| Some(Header { name: take.text()?, value: take.bytes()? })).collect::<Option<_>>()?;
        records.push(Record { offset, append_at, key, value, headers, decoded: None });
    }
    take.is_empty().then_some(records)
}

fn put(bytes: &mut Vec<u8>, record: &Outgoing) {
    bytes.put_bytes(&record.key);
    bytes.put_bytes(&record.value);
    bytes.put_short(record.headers.len());
    for header in &record.headers {
        bytes.put_bytes(header.name.as_bytes());
        bytes.put_bytes(&header.value);
    }
}

fn skip(take: &mut Take<'_>) -> Option<()> {
    take.skip()?;
    take.skip()?;
    for _ in 0..take.short()? {
        take.skip()?;
        take.skip()?;
    }
    Some(())
}

fn record_bytes(record: &Outgoing) -> usize {
    let headers: usize = record.headers.iter().map(|header| header.name.len() + header.value.len() + RECORD_OVERHEAD_BYTES).sum();
    record.key.len() + record.value.len() + headers + RECORD_OVERHEAD_BYTES
}

fn too_large(records: &[Outgoing], bytes_max: usize) -> Error {
    Error::Request(format!(
        "one append or commit of {} records, the first for {}, holds more than {bytes_max} bytes: send it in pieces, or raise \
         `append_bytes_max`.",
        records.len(),
        records.first().map_or("no topic", |record| &record.topic),
    ))
}
