//! How partials travel from one partition to another: records of a topic of the generation's own, with the clock of the sender.

use std::sync::Arc;

use bytes::Bytes;
use domain::Timestamp;
use features::Block;
use ports::{Header, Outgoing, Record};

/// The header with the sender's clock in milliseconds, as text.
const CLOCK: &str = "clock";

/// A block as a record for the partition that it is meant for.
pub(super) fn outgoing(topic: Arc<str>, block: Block, clock: Timestamp) -> Outgoing {
    let clock = Header { name: CLOCK.to_owned(), value: Bytes::from(clock.0.to_string()) };
    Outgoing { topic, partition: block.shard, key: Bytes::new(), value: Bytes::from(block.bytes), headers: vec![clock] }
}

/// What time it was for the sender. A record that nobody of ours wrote is of no time: the engine refuses it whenever it comes.
pub(super) fn clock(record: &Record) -> Timestamp {
    let header = record.headers.iter().find(|header| header.name == CLOCK);
    let clock = header.and_then(|header| std::str::from_utf8(&header.value).ok()?.parse().ok());
    Timestamp(clock.unwrap_or(i64::MIN))
}
