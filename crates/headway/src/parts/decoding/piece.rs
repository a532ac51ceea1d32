//! How much of a batch is decoded at once, and what becomes of each of its records. Asks nobody.

use std::collections::BTreeSet;

use bytes::Bytes;
use io_registry::{Decoder, Fault, SchemaId};
use ports::{Decoded, Record, Unreadable, UnreadableReason};

/// Schemas that are asked for together. An event has had some tens of shapes; garbage that looks like ids names a new one with each
/// record, and nobody else should wait until the registry was asked for all of them.
pub(super) const SCHEMAS_MAX: usize = 64;

/// How many of the first records name no more schemas than are asked for together, and these.
pub(super) fn piece(records: &[Record]) -> (usize, BTreeSet<SchemaId>) {
    let mut ids = BTreeSet::new();
    let mut latest = None;
    for (place, record) in records.iter().enumerate() {
        let id = SchemaId::of(&record.value);
        if id == latest {
            continue;
        }
        if let Some(id) = id.filter(|id| !ids.contains(id)) {
            if ids.len() == SCHEMAS_MAX {
                return (place, ids);
            }
            ids.insert(id);
        }
        latest = id;
    }
    (records.len(), ids)
}

/// Says of each record what it says in JSON, or why that cannot be said.
pub(super) fn decode(records: &mut [Record], decoder: &Decoder) {
    for record in records {
        let decoded = match decoder.json(&record.value) {
            Ok(json) => Decoded::Json(Bytes::from(json)),
            Err(fault) => Decoded::Unreadable(Unreadable { reason: reason(&fault), why: fault.to_string() }),
        };
        record.decoded = Some(Box::new(decoded));
    }
}

fn reason(fault: &Fault) -> UnreadableReason {
    match fault {
        Fault::NotFramed => UnreadableReason::NotFramed,
        Fault::TooLarge => UnreadableReason::TooLarge,
        Fault::UnknownSchema { .. } => UnreadableReason::UnknownSchema,
        Fault::UnusableSchema { .. } => UnreadableReason::UnusableSchema,
        Fault::Undecodable { .. } => UnreadableReason::Undecodable,
        Fault::NotPrepared { id } => {
            unreachable!("schema {id} was not asked for: a piece names the schemas of all of its records")
        }
    }
}
