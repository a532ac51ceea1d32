//! What was said last of a case, what it was made of, and what is known of the case: read back from the end of the log, as far as a
//! case may reach back.

use dataplane::{
    Topics, past,
    scorer::{Columns, Life, Served},
};
use domain::{ValueKind, partition_of};
use pipeline::Pipeline;
use ports::{Log, Record};

use crate::Error;

/// Records of the first look; each further one takes four times as many, since most cases that somebody asks about are under way.
const LOOK_RECORDS: u64 = 4_096;
const LOOK_GROWS: u64 = 4;
/// Bytes that are read at once.
const READ_BYTES: usize = 1 << 20;
/// A topic of a busy partition for a quarter of an hour; further back nobody waits for.
const RECORDS_MAX: u64 = 1_000_000;

/// What was said of a case.
#[derive(Clone, Debug)]
pub struct LastSaid {
    /// The prediction as it was committed.
    pub prediction: serde_json::Value,
    /// The row that it was made of; none where the log has it no longer.
    pub served: Option<Served>,
    /// What is known of the case by now.
    pub life: Life,
}

/// Looks a case up by its key.
///
/// # Errors
///
/// When the pipeline predicts nothing, nothing was said of the case, or the log cannot be read.
pub async fn last_said<L: Log>(log: &L, pipeline: &Pipeline, partitions: u32, key: &str) -> Result<LastSaid, Error> {
    let Some(case) = &pipeline.case else {
        return Err(Error::setting(format!("{} predicts nothing", pipeline.id), "ask for a value of an entity by --feature"));
    };
    let (topics, partition) = (Topics::new(pipeline), partition_of(key.as_bytes(), partitions));
    let of_key = |record: Record| (*record.key == *key.as_bytes() && !record.value.is_empty()).then_some(record);
    let said = last(log, &topics.predictions(), partition, of_key).await?;
    let known = last(log, &topics.cases(), partition, of_key).await?;
    let (Some(said), Some(known)) = (said, known) else {
        let message = format!("nothing was predicted of {} {key} lately", case.entity);
        return Err(Error::setting(message, "see whether the key is right, and whether its events have come"));
    };
    let unreadable =
        |what: &str| Error::setting(format!("the latest {what} of {} {key} cannot be read", case.entity), "ask again");
    let prediction: serde_json::Value = serde_json::from_slice(&said.value).map_err(|_| unreadable("prediction"))?;
    let id = prediction["id"].as_str().and_then(|id| u128::from_str_radix(id, 16).ok());
    let of_prediction = |record: Record| Served::decode(&of_key(record)?.value).filter(|served| Some(served.id) == id);
    let served = last(log, &topics.feature_log(), partition, of_prediction).await?;
    let life = Life::decode(case, &known.value).map_err(|fault| unreadable(&format!("state ({fault})")))?;
    Ok(LastSaid { prediction, served, life })
}

/// What the columns of a row are called and of which kind each is, as the log told it; none where it does so no longer.
///
/// # Errors
///
/// When the log cannot be read.
pub async fn columns_of<L: Log>(
    log: &L,
    pipeline: &Pipeline,
    partitions: u32,
    key: &str,
    served: &Served,
) -> Result<Option<Vec<(String, ValueKind)>>, Error> {
    let (topic, partition) = (Topics::new(pipeline).feature_log(), partition_of(key.as_bytes(), partitions));
    let told = |record: Record| record.key.is_empty().then(|| Columns::decode(&record.value)).flatten();
    let of_row = |record: Record| told(record).filter(|(schema, _)| *schema == served.schema).map(|(_, columns)| columns);
    last(log, &topic, partition, of_row).await
}

/// What the latest record says that says anything.
async fn last<L: Log, T>(log: &L, topic: &str, partition: u32, says: impl Fn(Record) -> Option<T>) -> Result<Option<T>, Error> {
    let Some(bounds) = past::bounds(log, topic, partition).await? else { return Ok(None) };
    let (mut until, mut look) = (bounds.next, LOOK_RECORDS);
    while until > bounds.first && bounds.next - until < RECORDS_MAX {
        let from = until.saturating_sub(look).max(bounds.first);
        let (mut next, mut found) = (from, None);
        while next < until {
            let records = log.read(topic, partition, next, READ_BYTES).await?;
            let Some(newest) = records.last() else { break };
            next = newest.offset + 1;
            found = records.into_iter().rev().find_map(&says).or(found);
        }
        if found.is_some() {
            return Ok(found);
        }
        (until, look) = (from, look * LOOK_GROWS);
    }
    Ok(None)
}
