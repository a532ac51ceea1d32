//! The database beside the segments: topics, where blocks lie, what was committed, and up to where in the log all that is true.
//! Written in one transaction at a time, rarely; what came since is read again from the segments.

mod overlay;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

use bytes::Bytes;
use domain::Timestamp;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, TableDefinition};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    Error,
    codec::{Put, Take},
    frame::{self, BlockHead},
    state::{Block, BlockKey, Committed, Partition, Place, State},
};
use overlay::Overlay;

const FILE: &str = "index.redb";
/// Pages kept in memory: the inner nodes of some hundred million blocks.
const CACHE_BYTES: usize = 16 << 20;
/// Blocks that one look-up returns at most, so that a reader never holds a transaction for long.
pub(crate) const BLOCKS_MAX: usize = 256;

/// Segment and place, count and length, append time and checksum.
type Row = (u64, u64, u32, u32, i64, u64);

const TOPICS: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("topics");
const PARTITIONS: TableDefinition<'_, (u32, u32), (u64, u64, u64, i64)> = TableDefinition::new("partitions");
const BLOCKS: TableDefinition<'_, BlockKey, Row> = TableDefinition::new("blocks");
const COMMITTED: TableDefinition<'_, (&str, u32), &[u8]> = TableDefinition::new("committed");
const LIVE: TableDefinition<'_, u64, u64> = TableDefinition::new("live");
const APPLIED: TableDefinition<'_, (), (u64, u64, u64)> = TableDefinition::new("applied");

#[derive(Debug)]
pub(crate) struct Index {
    path: PathBuf,
    /// Whether nothing may be changed on the disk.
    looks_only: bool,
    /// None after a failure, until it is opened again.
    database: RwLock<Option<Database>>,
}

impl Index {
    pub(crate) fn open(folder: &Path) -> Result<Self, Error> {
        Self::opened(folder, false)
    }

    /// The index as it is, without a change of its file: whatever would be written stays in memory.
    pub(crate) fn look(folder: &Path) -> Result<Self, Error> {
        Self::opened(folder, true)
    }

    fn opened(folder: &Path, looks_only: bool) -> Result<Self, Error> {
        let index = Self { path: folder.join(FILE), looks_only, database: RwLock::new(None) };
        index.write(|transaction| {
            // A transaction that only reads finds no table that was never opened for writing.
            transaction.open_table(TOPICS)?;
            transaction.open_table(PARTITIONS)?;
            transaction.open_table(BLOCKS)?;
            transaction.open_table(COMMITTED)?;
            transaction.open_table(LIVE)?;
            transaction.open_table(APPLIED)?;
            Ok(())
        })?;
        Ok(index)
    }

    /// Reads everything but the blocks; the place is the one behind the last frame that is in here.
    pub(crate) fn load(&self, state: &mut State) -> Result<Place, Error> {
        let mut damaged = None;
        let place = self.read(|transaction| {
            for row in transaction.open_table(TOPICS)?.iter()? {
                let bytes = proved(row?.1.value());
                match bytes.as_ref().and_then(|bytes| frame::take_topic(&mut Take::new(bytes))) {
                    Some((id, spec)) => state.apply_topic(id, spec),
                    None => damaged = Some("a topic".to_owned()),
                }
            }
            for row in transaction.open_table(PARTITIONS)?.iter()? {
                let (key, value) = row?;
                let (topic, partition) = key.value();
                let (first, next, bytes, appended_at) = value.value();
                let appended_at = Timestamp(appended_at);
                let recent = Default::default();
                let known = state.topics.get_mut(topic as usize).and_then(|topic| topic.partitions.get_mut(partition as usize));
                match known {
                    Some(known) => *known = Partition { first, next, bytes, appended_at, indexed: next, recent },
                    None => damaged = Some(format!("partition {partition} of topic number {topic}")),
                }
            }
            for row in transaction.open_table(COMMITTED)?.iter()? {
                let (key, value) = row?;
                let (group, partition) = key.value();
                match proved(value.value()).as_ref().and_then(|bytes| frame::take_committed(&mut Take::new(bytes))) {
                    Some((positions, note)) => {
                        let committed = Committed { positions: positions.into_iter().collect(), note };
                        state.committed.insert((group.to_owned(), partition), committed);
                    }
                    None => damaged = Some(format!("what group {group:?} committed for partition {partition}")),
                }
            }
            for row in transaction.open_table(LIVE)?.iter()? {
                let (segment, bytes) = row?;
                state.live.insert(segment.value(), bytes.value());
            }
            let (segment, at, sequence) = transaction.open_table(APPLIED)?.get(())?.map_or((0, 0, 0), |row| row.value());
            state.sequence = sequence;
            Ok(Place { segment, at })
        })?;
        damaged.map_or(Ok(place), |what| {
            let instead = "there is no way to go on without it".to_owned();
            Err(Error::Damaged { path: self.path.clone(), at: 0, what, instead })
        })
    }

    /// Writes what changed since the last time; true up to this place from then on.
    pub(crate) fn save(&self, state: &State, applied: Place) -> Result<(), Error> {
        self.write(|transaction| {
            let mut topics = transaction.open_table(TOPICS)?;
            let mut partitions = transaction.open_table(PARTITIONS)?;
            let mut blocks = transaction.open_table(BLOCKS)?;
            for (id, topic) in (0..).zip(&state.topics) {
                let mut bytes = Vec::new();
                frame::put_topic(&mut bytes, id, &topic.spec);
                topics.insert(id, &*sealed(bytes))?;
                for (number, partition) in (0..).zip(&topic.partitions) {
                    let row = (partition.first, partition.next, partition.bytes, partition.appended_at.0);
                    partitions.insert((id, number), row)?;
                    for block in partition.recent.iter().filter(|block| block.head.first >= partition.indexed) {
                        blocks.insert((id, number, block.head.first), row_of(block))?;
                    }
                }
            }
            for (key, block) in &state.unsaved.moved {
                blocks.insert(*key, row_of(block))?;
            }
            for (topic, partition) in &state.unsaved.trimmed {
                let first = state.partition((*topic, *partition)).first;
                blocks.retain_in((*topic, *partition, 0)..(*topic, *partition, first), |_, _| false)?;
            }
            let mut rows = transaction.open_table(COMMITTED)?;
            for (group, partition) in &state.unsaved.committed {
                let committed = &state.committed[&(group.clone(), *partition)];
                let positions: Vec<_> = committed.positions.iter().map(|(topic, next)| (*topic, *next)).collect();
                let mut bytes = Vec::new();
                frame::put_committed(&mut bytes, &positions, &committed.note);
                rows.insert((group.as_str(), *partition), &*sealed(bytes))?;
            }
            let mut live = transaction.open_table(LIVE)?;
            live.retain(|segment, _| state.live.contains_key(&segment))?;
            for (segment, bytes) in &state.live {
                live.insert(*segment, *bytes)?;
            }
            transaction.open_table(APPLIED)?.insert((), (applied.segment, applied.at, state.sequence))?;
            Ok(())
        })
    }

    /// The block that holds an offset and the ones behind it, up to a number of blocks, as far as the index knows them.
    pub(crate) fn blocks(&self, (topic, partition): (u32, u32), from: u64, blocks_max: usize) -> Result<Vec<Block>, Error> {
        self.read(|transaction| {
            let table = transaction.open_table(BLOCKS)?;
            let mut before = table.range((topic, partition, 0)..=(topic, partition, from))?;
            let first = before.next_back().transpose()?.map_or(from, |(key, _)| key.value().2);
            let range = table.range((topic, partition, first)..=(topic, partition, u64::MAX))?;
            let rows = range.take(blocks_max.min(BLOCKS_MAX));
            Ok(rows.map(|row| row.map(|(key, value)| block_of(key.value(), value.value()))).collect::<Result<_, _>>()?)
        })
    }

    fn read<T>(&self, job: impl FnOnce(&redb::ReadTransaction) -> Result<T, redb::Error>) -> Result<T, Error> {
        self.with(|database| job(&database.begin_read()?))
    }

    fn write(&self, job: impl FnOnce(&redb::WriteTransaction) -> Result<(), redb::Error>) -> Result<(), Error> {
        self.with(|database| {
            let mut transaction = database.begin_write()?;
            // A restart must not walk through the whole index to find out what of its file is free.
            transaction.set_quick_repair(true);
            job(&transaction)?;
            Ok(transaction.commit()?)
        })
    }

    fn database(&self) -> Result<Database, DatabaseError> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        if self.looks_only { builder.create_with_backend(Overlay::open(&self.path)?) } else { builder.create(&self.path) }
    }

    /// Does something with the database, which is opened when it is not; it refuses to go on after a failed write, so then it is
    /// closed.
    fn with<T>(&self, job: impl FnOnce(&Database) -> Result<T, redb::Error>) -> Result<T, Error> {
        // It proves few of its pages before it follows them, and breaks down over those that nobody has written. Nothing of it is
        // used again then.
        let done = catch_unwind(AssertUnwindSafe(|| {
            if self.database.read().unwrap_or_else(PoisonError::into_inner).is_none() {
                let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
                if database.is_none() {
                    *database = Some(self.database()?);
                }
            }
            let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
            database.as_ref().ok_or(redb::Error::PreviousIo).and_then(job)
        }));
        let fault = match done {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(source)) => Error::Index { path: self.path.clone(), source: Box::new(source) },
            Err(_) => Error::Contradiction { path: self.path.clone() },
        };
        self.database.write().unwrap_or_else(PoisonError::into_inner).take();
        Err(fault)
    }
}

/// The bytes with their checksum behind them: the database proves its pages only after a crash.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.put_u64(xxh3_64(&bytes));
    bytes
}

fn proved(bytes: &[u8]) -> Option<Bytes> {
    let (bytes, checksum) = bytes.split_last_chunk::<8>()?;
    (xxh3_64(bytes) == u64::from_le_bytes(*checksum)).then(|| Bytes::copy_from_slice(bytes))
}

fn row_of(Block { head, place, .. }: &Block) -> Row {
    (place.segment, place.at, head.count, head.length, head.append_at.0, head.checksum)
}

fn block_of((topic, partition, first): BlockKey, (segment, at, count, length, append_at, checksum): Row) -> Block {
    let head = BlockHead { topic, partition, first, count, length, append_at: Timestamp(append_at), checksum };
    Block { head, place: Place { segment, at }, bytes: None }
}
