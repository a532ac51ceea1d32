//! One group of one shard: its entities, what was touched in this step, and which vectors are due.

use std::{collections::BTreeMap, hint::black_box};

use domain::{Header, NEVER, Timestamp, pack};

use crate::{
    Reason,
    layout::Layout,
    output::Vectors,
    ring::{NO_TIMER, Ring, Row, Scratch, Taken},
    slab::{Slab, key_hash},
    wheel::{SLOT_MS, Wheel},
};

/// How far a shard may be behind the one that is furthest, in the time of its events, before its corrections come too late.
pub(crate) const LAG_MS: i64 = 3_600_000;

/// Entities that are looked at before the first of them is worked on: full rings of an hour's minutes and a handful of features
/// take about 2 KiB each, and so many of them fit the first cache of a processor.
pub(crate) const AHEAD: usize = 16;

/// One group of one shard.
#[derive(Debug)]
pub(crate) struct GroupState {
    /// Index of the group in the pipeline.
    pub(crate) index: usize,
    pub(crate) layout: Layout,
    pub(crate) slab: Slab<Ring>,
    touched: Vec<u32>,
    /// Entities of which the last vector says that the source is silent, by when they are due in its time.
    parked: BTreeMap<i64, Vec<u32>>,
    /// Entities that hold nothing but rows of old tiles, by the last of these.
    settling: BTreeMap<i64, Vec<u32>>,
    /// Entities that a file which is being loaded again has said nothing of yet; they make room for those that it names.
    emptied: usize,
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
    /// No event before this can come any more.
    pub(crate) sealed: i64,
}

impl Moment {
    fn is_silent(&self) -> bool {
        self.at < self.now
    }
}

impl GroupState {
    pub(crate) fn new(index: usize, layout: Layout, generation: u32) -> Self {
        Self {
            index,
            layout,
            slab: Slab::new(),
            touched: Vec::new(),
            parked: BTreeMap::new(),
            settling: BTreeMap::new(),
            emptied: 0,
            scratch: Scratch::default(),
            generation,
        }
    }

    /// Where these keys are, by hash and text; looked up together, since each look-up waits for memory.
    pub(crate) fn find_all<'k>(&self, keys: impl Iterator<Item = (u64, &'k str)>) -> Vec<Option<u32>> {
        keys.map(|(hash, key)| self.slab.find(hash, key)).collect()
    }

    /// Looks at entities that will be needed next. Most are not in the cache, and the waits of many that change nothing in
    /// between overlap, those of one after the other do not.
    pub(crate) fn look_ahead(&self, entities: impl Iterator<Item = u32>, tiles: fn(&Ring) -> u64) {
        for ring in entities.filter_map(|at| self.slab.get(at)) {
            black_box(tiles(ring));
        }
    }

    /// Whether the timer of an entity has run out.
    pub(crate) fn is_due(&self, at: u32, now: i64) -> bool {
        self.slab.get(at).is_some_and(|ring| ring.fire_at <= now)
    }

    /// Merges the partial of one tile of one entity, which was found before if it was there.
    pub(crate) fn merge(
        &mut self,
        found: Option<u32>,
        key: (u64, &str),
        head: (i64, i64),
        words: &[u64],
        sketches: &[crate::sketch::Sketch],
    ) -> Result<(), Reason> {
        let at = match found {
            Some(at) => at,
            None => self.entity(key)?,
        };
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
    pub(crate) fn apply(&mut self, key: (u64, &str), row: &Row, weight: i8, sealed: i64) -> Result<(), Reason> {
        let at = match self.slab.find(key.0, key.1) {
            Some(at) => at,
            // What is taken back here found no room when it came.
            None if weight < 0 => return Ok(()),
            None => self.entity(key)?,
        };
        let sealed = self.layout.tile_of(sealed);
        if self.emptied > 0 && self.slab.get(at).is_some_and(|ring| ring.touched && ring.is_empty(&self.layout)) {
            if self.is_full() {
                return Err(Reason::OverCapacity);
            }
            self.emptied -= 1;
        }
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

    /// Writes the vectors of the entities that were touched, and of those that waited for their source, until so many vectors
    /// were written.
    pub(crate) fn finish_touched(&mut self, moment: Moment, vectors_max: usize, wheel: &mut Wheel, out: &mut Vectors) {
        self.unpark(moment);
        let sealed = self.layout.tile_of(moment.sealed);
        while let Some(entry) = self.settling.first_entry().filter(|entry| *entry.key() < sealed) {
            for at in entry.remove() {
                if self.slab.get(at).is_some() {
                    self.slab.adjust(at).watched = false;
                    self.touch(at);
                }
            }
        }
        let mut touched = std::mem::take(&mut self.touched);
        let now = touched.len().min(vectors_max.saturating_sub(out.len()));
        for some in touched[..now].chunks(AHEAD) {
            self.look_ahead(some.iter().copied(), Ring::all_tiles);
            for at in some {
                self.finish(*at, moment, wheel, out);
            }
        }
        touched.drain(..now);
        self.touched = touched;
    }

    /// Entities that were touched and not yet written.
    pub(crate) fn pending(&self) -> usize {
        self.touched.len()
    }

    /// Has all vectors written again.
    pub(crate) fn touch_all(&mut self) {
        let all: Vec<u32> = self.slab.iter().map(|(at, ..)| at).collect();
        all.into_iter().for_each(|at| self.touch(at));
    }

    /// Writes the vector of an entity whose timer has run out, if it is due and not only was once.
    pub(crate) fn fire(&mut self, at: u32, moment: Moment, wheel: &mut Wheel, out: &mut Vectors) {
        let Some(ring) = self.slab.get(at).filter(|ring| ring.fire_at <= moment.now) else { return };
        if ring.parked {
            return;
        }
        let due_at = self.due_at(at, ring);
        self.slab.adjust(at).fire_at = NO_TIMER;
        if due_at > moment.now {
            return self.arm(at, due_at, wheel);
        }
        self.finish(at, moment, wheel, out);
    }

    /// The packed vector of an entity at a moment, without changing anything.
    pub(crate) fn read(&self, key: &str, moment: Moment) -> Option<Vec<u8>> {
        let at = self.slab.find(key_hash(key), key)?;
        let (mut scratch, mut bytes) = (Scratch::default(), Vec::new());
        let valid_until = self.slab.get(at)?.finish(&self.layout, moment.at, &mut scratch);
        pack(&mut bytes, &self.header(moment, valid_until), &scratch.values);
        Some(bytes)
    }

    /// Sets the timers of all entities, after a restore: by the vectors that were written last, whatever the state would say now.
    pub(crate) fn wake_all(&mut self, wheel: &mut Wheel) {
        let all: Vec<u32> = self.slab.iter().map(|(at, ..)| at).collect();
        for at in all {
            let Some(ring) = self.slab.get(at) else { continue };
            let (due_at, settling) = (self.due_at(at, ring), ring.settling(&self.layout));
            self.arm(at, due_at, wheel);
            if let Some(tile) = settling {
                self.settling.entry(tile).or_default().push(at);
                self.slab.adjust(at).watched = true;
            }
        }
    }

    fn finish(&mut self, at: u32, moment: Moment, wheel: &mut Wheel, out: &mut Vectors) {
        let (first, sealed) = (self.layout.first_tile(moment.at), self.layout.tile_of(moment.sealed));
        let ring = self.slab.change(at, &self.layout);
        // Only now: a snapshot that has yet to write it has to say that it waited.
        ring.touched = false;
        ring.rebuild_dirty(&self.layout);
        ring.expire(&self.layout, first, sealed);
        ring.forget_unkept(&self.layout, moment.at);
        let valid_until = ring.finish(&self.layout, moment.at, &mut self.scratch);
        let header = self.header(moment, valid_until);
        out.push(self.index, self.slab.key(at), |bytes| pack(bytes, &header, &self.scratch.values));
        if moment.is_silent() {
            // It must not say so any longer than it is true, even if there will be nothing else to say.
            return self.park(at, valid_until);
        }
        let Some(ring) = self.slab.get(at) else { return };
        if ring.is_empty(&self.layout) {
            self.emptied = self.emptied.saturating_sub(1);
            return self.slab.remove(at, &self.layout);
        }
        if let Some(tile) = ring.settling(&self.layout).filter(|_| !ring.watched) {
            self.settling.entry(tile).or_default().push(at);
            self.slab.adjust(at).watched = true;
        }
        self.schedule(at, valid_until, wheel);
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

    /// Notes until when the vector holds that was just written, and sets the timer if none comes early enough.
    fn schedule(&mut self, at: u32, valid_until: Timestamp, wheel: &mut Wheel) {
        let ring = self.slab.adjust(at);
        if ring.fires_for == valid_until.0 && ring.fire_at != NO_TIMER && self.layout.always.is_empty() && !self.layout.keeps_rows
        {
            return;
        }
        ring.fires_for = valid_until.0;
        let Some(ring) = self.slab.get(at) else { return };
        let due_at = self.due_at(at, ring);
        self.arm(at, due_at, wheel);
    }

    /// A timer that comes too early asks again when it fires; one that comes too late is replaced.
    fn arm(&mut self, at: u32, due_at: i64, wheel: &mut Wheel) {
        let ring = self.slab.adjust(at);
        if due_at < ring.fire_at {
            ring.fire_at = due_at;
            wheel.push(due_at, self.index, at);
        }
    }

    /// When the vector that was written last has to be written again although nothing came.
    fn due_at(&self, at: u32, ring: &Ring) -> i64 {
        let jitter_max = (self.layout.group.tolerance.0 - SLOT_MS).max(0).unsigned_abs();
        let jitter = key_hash(self.slab.key(at)) % (jitter_max + 1);
        let outdated_at = if ring.fires_for == NEVER.0 { NO_TIMER } else { ring.fires_for.saturating_add_unsigned(jitter) };
        outdated_at.min(ring.unkept_at(&self.layout))
    }

    /// Forgets all rows of a file table, before it is loaded again.
    pub(crate) fn forget_rows(&mut self) {
        let all: Vec<u32> = self.slab.iter().map(|(at, ..)| at).collect();
        for at in all {
            self.slab.change(at, &self.layout).forget_rows(&self.layout);
            self.touch(at);
        }
        self.emptied = self.slab.len();
    }

    /// Has the vector that was just written wait for its source, for which time does not pass.
    fn park(&mut self, at: u32, valid_until: Timestamp) {
        self.slab.adjust(at).fires_for = valid_until.0;
        let Some(ring) = self.slab.get(at) else { return };
        let due_at = self.due_at(at, ring);
        if !ring.parked || due_at < ring.fire_at {
            let ring = self.slab.adjust(at);
            (ring.parked, ring.fire_at) = (true, due_at);
            self.parked.entry(due_at).or_default().push(at);
        }
    }

    /// Has vectors written that waited for their source: all when it is silent no more, those that are due when it was heard and
    /// fell silent again.
    fn unpark(&mut self, moment: Moment) {
        let is_over = |due_at: i64| due_at <= moment.at || !moment.is_silent();
        while let Some(entry) = self.parked.first_entry().filter(|entry| is_over(*entry.key())) {
            for at in entry.remove() {
                // The slot may be another entity's by now, which does no harm.
                if self.slab.get(at).is_some_and(|ring| ring.parked) {
                    let ring = self.slab.adjust(at);
                    (ring.parked, ring.fire_at) = (false, NO_TIMER);
                    self.touch(at);
                }
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

    fn is_full(&self) -> bool {
        (self.slab.len() - self.emptied) as u64 >= self.layout.group.entities_max
    }

    fn entity(&mut self, (hash, key): (u64, &str)) -> Result<u32, Reason> {
        if let Some(at) = self.slab.find(hash, key) {
            return Ok(at);
        }
        if self.is_full() {
            return Err(Reason::OverCapacity);
        }
        Ok(self.slab.insert(hash, key, Ring::new(&self.layout)))
    }
}
