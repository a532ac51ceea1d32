//! One part of the online store: a hash table of vectors, each one block of bytes with its key in front.
//!
//! ```text
//! expires_at 8 | name 4 | generation 4 | length of the key 4 | key | packed vector
//! ```
//!
//! Never looks at the values of a vector, only at its header.

use std::hash::BuildHasher;

use domain::{Header, Timestamp, unpack_header};
use hashbrown::{DefaultHashBuilder, HashTable, hash_table::Entry};
use ports::{VectorWrite, supersedes};

/// Bytes of a block before its key.
const FIXED_BYTES: usize = 20;
/// Places that a write looks at for expired vectors. A table grows to the double only after writes for 7 of 16 of its places, so
/// that with four everything is looked at once before it does.
const SWEPT_PER_WRITE: usize = 4;

#[derive(Debug, Default)]
pub(super) struct Shard {
    vectors: HashTable<Box<[u8]>>,
    /// Where the sweep goes on.
    cursor: usize,
}

/// Where a vector belongs.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) hash: u64,
    name: u32,
    generation: u32,
    key: &'a [u8],
}

impl<'a> Place<'a> {
    pub(super) fn new(hasher: &DefaultHashBuilder, name: u32, generation: u32, key: &'a str) -> Self {
        Self { hash: hasher.hash_one((name, generation, key.as_bytes())), name, generation, key: key.as_bytes() }
    }

    fn is_of(&self, block: &[u8]) -> bool {
        let (name, generation, key) = parts(block);
        (name, generation) == (self.name, self.generation) && key == self.key
    }
}

impl Shard {
    pub(super) fn len(&self) -> usize {
        self.vectors.len()
    }

    pub(super) fn read(&self, place: &Place<'_>, now: Timestamp) -> Option<&[u8]> {
        let block = self.vectors.find(place.hash, |block| place.is_of(block))?;
        (expires_at(block) > now).then(|| packed(block))
    }

    /// Keys and packed vectors of a name and generation that have not expired, in no order.
    pub(super) fn living(&self, name: u32, generation: u32, now: Timestamp) -> impl Iterator<Item = (&[u8], &[u8])> {
        let wanted = move |block: &&[u8]| parts(block).0 == name && parts(block).1 == generation && expires_at(block) > now;
        self.vectors.iter().map(|block| &**block).filter(wanted).map(|block| (parts(block).2, packed(block)))
    }

    /// Whether the vector took its place.
    pub(super) fn write(
        &mut self,
        hasher: &DefaultHashBuilder,
        place: &Place<'_>,
        header: &Header,
        write: &VectorWrite<'_>,
        now: Timestamp,
    ) -> bool {
        match self.vectors.entry(place.hash, |block| place.is_of(block), |block| hasher.hash_one(parts(block))) {
            Entry::Vacant(vacant) => {
                vacant.insert(block(place, write));
            }
            Entry::Occupied(mut occupied) => {
                let there = occupied.get_mut();
                let older = unpack_header(packed(there)).is_ok_and(|(old, _)| !supersedes(header, &old));
                if older && expires_at(there) > now {
                    return false;
                }
                let at = FIXED_BYTES + place.key.len();
                if there.len() == at + write.packed.len() {
                    there[..8].copy_from_slice(&write.expires_at.0.to_le_bytes());
                    there[at..].copy_from_slice(write.packed);
                } else {
                    *there = block(place, write);
                }
            }
        }
        true
    }

    /// Removes what has expired from the next few places.
    pub(super) fn sweep(&mut self, now: Timestamp) {
        let places = self.vectors.num_buckets();
        for _ in 0..SWEPT_PER_WRITE.min(places) {
            self.cursor = (self.cursor + 1) % places;
            if let Ok(there) = self.vectors.get_bucket_entry(self.cursor)
                && expires_at(there.get()) <= now
            {
                there.remove();
            }
        }
    }

    pub(super) fn forget(&mut self, names: &[u32], generation: u32) {
        self.vectors.retain(|block| {
            let (name, of, _) = parts(block);
            of != generation || !names.contains(&name)
        });
    }
}

fn block(place: &Place<'_>, write: &VectorWrite<'_>) -> Box<[u8]> {
    let mut block = Vec::with_capacity(FIXED_BYTES + place.key.len() + write.packed.len());
    block.extend_from_slice(&write.expires_at.0.to_le_bytes());
    for number in [place.name, place.generation, length(place.key)] {
        block.extend_from_slice(&number.to_le_bytes());
    }
    block.extend_from_slice(place.key);
    block.extend_from_slice(write.packed);
    block.into_boxed_slice()
}

fn length(key: &[u8]) -> u32 {
    u32::try_from(key.len()).unwrap_or_else(|_| panic!("a key is a few bytes, not {}", key.len()))
}

fn expires_at(block: &[u8]) -> Timestamp {
    Timestamp(i64::from_le_bytes(std::array::from_fn(|place| block[place])))
}

fn number(block: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|place| block[at + place]))
}

fn key_end(block: &[u8]) -> usize {
    FIXED_BYTES + number(block, 16) as usize
}

fn parts(block: &[u8]) -> (u32, u32, &[u8]) {
    (number(block, 8), number(block, 12), &block[FIXED_BYTES..key_end(block)])
}

fn packed(block: &[u8]) -> &[u8] {
    &block[key_end(block)..]
}
