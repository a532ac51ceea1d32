//! One group of one shard: its entities, what was touched in this step, and which vectors are due.

use domain::{Header, NEVER, Timestamp, pack};

use crate::{
    Reason,
    layout::Layout,
    output::Vectors,
    ring::{NO_TIMER, Ring, Row, Scratch, Taken},
    slab::{Slab, key_hash},
    wheel::Wheel,
};

/// How long after the lateness a partial may still come from another shard.
pub(crate) const LAG_MS: i64 = 60_000;

/// One group of one shard.
#[derive(Debug)]
pub(crate) struct GroupState {
    /// Index of the group in the pipeline.
    pub(crate) index: usize,
    pub(crate) layout: Layout,
    pub(crate) slab: Slab<Ring>,
    /// Lateness of the base stream.
    pub(crate) lateness_ms: i64,
    touched: Vec<u32>,
    /// Entities that were due while the source was silent.
    parked: Vec<u32>,
    scratch: Scratch,
    generation: u32,
}

/// The instants of one step, for one group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The clock.
    pub(crate) now: i64,
    /// The clock, or where time stood still when the source fell silent.
    pub(crate) at: i64,
    /// When the source was last heard.
    pub(crate) heard: Option<i64>,
    /// Records taken.
    pub(crate) position: u64,
}

impl Moment {
    fn is_silent(&self) -> bool {
        self.at < self.now
    }
}

impl GroupState {
    pub(crate) fn new(index: usize, layout: Layout, lateness_ms: i64, generation: u32) -> Self {
        Self {
            index,
            layout,
            slab: Slab::new(),
            lateness_ms,
            touched: Vec::new(),
            parked: Vec::new(),
            scratch: Scratch::default(),
            generation,
        }
    }

    /// Merges the partial of one tile of one entity.
    pub(crate) fn merge(&mut self, key: (u64, &str), head: (i64, i64), words: &[u64], sketches: &[crate::sketch::Sketch]) -> Result<(), Reason> {
        let at = self.entity(key)?;
        let (tile, latest) = head;
        let (tile_words, always) = words.split_at(self.layout.words);
        let ring = self.slab.change(at, &self.layout);
        if !self.layout.widths.is_empty() && ring.merge_tile(&self.layout, tile, tile_words, sketches) == Taken::Sealed {
            return Err(Reason::Sealed);
        }
        ring.merge_always(&self.layout, always, latest);
        self.touch(at);
        Ok(())
    }

    /// Takes a row of a derived source, or takes it back.
    pub(crate) fn apply(&mut self, key: (u64, &str), row: &Row, weight: i8, now: i64) -> Result<(), Reason> {
        let at = self.entity(key)?;
        let sealed = self.sealed_tile(now);
        let ring = self.slab.change(at, &self.layout);
        let taken = if self.layout.source_is_table {
            ring.apply_table_row(&self.layout, row, weight);
            Taken::Yes
        } else {
            ring.apply_pair_row(&self.layout, row, weight, sealed)
        };
        self.touch(at);
        if taken == Taken::Sealed { Err(Reason::Sealed) } else { Ok(()) }
    }

    /// Writes the vectors of all entities that were touched, and of those that waited for their source.
    pub(crate) fn finish_touched(&mut self, moment: Moment, wheel: &mut Wheel, out: &mut Vectors) {
        if !moment.is_silent() {
            for at in std::mem::take(&mut self.parked) {
                if self.slab.get(at).is_some() {
                    self.touch(at);
                }
            }
        }
        let mut touched = std::mem::take(&mut self.touched);
        for at in touched.drain(..) {
            self.slab.adjust(at).touched = false;
            self.finish(at, moment, wheel, out);
        }
        self.touched = touched;
    }

    /// Writes the vector of an entity whose timer has run out, if it still is the entity's timer.
    pub(crate) fn fire(&mut self, at: u32, moment: Moment, wheel: &mut Wheel, out: &mut Vectors) {
        let Some(fire_at) = self.slab.get(at).map(|ring| ring.fire_at) else { return };
        if fire_at > moment.now {
            return;
        }
        self.finish(at, moment, wheel, out);
        if moment.is_silent() && self.slab.get(at).is_some() {
            self.slab.adjust(at).fire_at = NO_TIMER;
            self.parked.push(at);
        }
    }

    /// The packed vector of an entity at a moment, without changing anything.
    pub(crate) fn read(&self, key: &str, moment: Moment) -> Option<Vec<u8>> {
        let at = self.slab.find(key_hash(key), key)?;
        let (mut scratch, mut bytes) = (Scratch::default(), Vec::new());
        let valid_until = self.slab.get(at)?.finish(&self.layout, moment.at, &mut scratch);
        pack(&mut bytes, &self.header(moment, valid_until), &scratch.values);
        Some(bytes)
    }

    /// Sets the timers of all entities anew, after a restore.
    pub(crate) fn wake_all(&mut self, moment: Moment, wheel: &mut Wheel) {
        let all: Vec<u32> = self.slab.iter().map(|(at, ..)| at).collect();
        let mut scratch = Scratch::default();
        for at in all {
            let Some(ring) = self.slab.get(at) else { continue };
            let valid_until = ring.finish(&self.layout, moment.at, &mut scratch);
            self.schedule(at, valid_until, wheel);
        }
    }

    fn finish(&mut self, at: u32, moment: Moment, wheel: &mut Wheel, out: &mut Vectors) {
        let (first, sealed) = (self.layout.first_tile(moment.at), self.sealed_tile(moment.at));
        let ring = self.slab.change(at, &self.layout);
        ring.expire(&self.layout, first, sealed);
        ring.forget_unkept(&self.layout, moment.at);
        let valid_until = ring.finish(&self.layout, moment.at, &mut self.scratch);
        let header = self.header(moment, valid_until);
        out.push(self.index, self.slab.key(at), |bytes| pack(bytes, &header, &self.scratch.values));
        let Some(ring) = self.slab.get(at) else { return };
        if ring.is_empty(&self.layout) {
            self.slab.remove(at, &self.layout);
        } else {
            self.schedule(at, valid_until, wheel);
        }
    }

    fn header(&self, moment: Moment, valid_until: Timestamp) -> Header {
        Header {
            schema: self.layout.schema.id,
            generation: self.generation,
            position: moment.position,
            as_of: Timestamp(moment.at),
            valid_until,
            source_seen_at: moment.heard.map(Timestamp),
            source_silent: moment.is_silent(),
        }
    }

    fn schedule(&mut self, at: u32, valid_until: Timestamp, wheel: &mut Wheel) {
        let jitter = key_hash(self.slab.key(at)) % (self.layout.group.tolerance.0.unsigned_abs() + 1);
        let ring = self.slab.adjust(at);
        let due = if valid_until == NEVER { NO_TIMER } else { valid_until.0.saturating_add_unsigned(jitter) };
        let fire_at = due.min(ring.unkept_at(&self.layout)).min(ring.settled_at(&self.layout, self.lateness_ms));
        if fire_at != ring.fire_at {
            ring.fire_at = fire_at;
            if fire_at != NO_TIMER {
                wheel.push(fire_at, self.index, at);
            }
        }
    }

    fn touch(&mut self, at: u32) {
        let ring = self.slab.adjust(at);
        if !ring.touched {
            ring.touched = true;
            self.touched.push(at);
        }
    }

    fn entity(&mut self, (hash, key): (u64, &str)) -> Result<u32, Reason> {
        if let Some(at) = self.slab.find(hash, key) {
            return Ok(at);
        }
        if self.slab.len() as u64 >= self.layout.group.entities_max {
            return Err(Reason::OverCapacity);
        }
        Ok(self.slab.insert(hash, key, Ring::new(&self.layout)))
    }

    /// The first tile that may still change.
    fn sealed_tile(&self, at: i64) -> i64 {
        self.layout.tile_of(at.saturating_sub(self.lateness_ms).saturating_sub(LAG_MS))
    }
}
