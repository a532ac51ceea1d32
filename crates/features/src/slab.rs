//! A keyed store of entities with dense numbers, which can be saved while it changes.
//!
//! Saving is copy-on-write by entity: it walks the slots in small steps, and an entity that is about to change before the walk
//! has reached it is written first. A save holds what changed since the one before, and the keys that are gone.

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

use crate::codec::{Broken, Reader, Writer};

/// Something that can be written and read back.
pub(crate) trait Stored: Sized {
    /// What is needed to read it.
    type Plan;
    fn write(&self, plan: &Self::Plan, out: &mut Writer<'_>);
    fn read(plan: &Self::Plan, reader: &mut Reader<'_>) -> Result<Self, Broken>;
}

/// Size of a piece of what was written early: small beside a frame.
const EARLY_BYTES: usize = 64 << 10;

/// Values by key.
#[derive(Debug)]
pub(crate) struct Slab<V> {
    index: HashTable<u32>,
    slots: Vec<Slot<V>>,
    free: Vec<u32>,
    /// Number of the present interval between saves.
    epoch: u32,
    save: Option<Save>,
    /// Keys removed in the present epoch, once anything was saved.
    removed: Vec<Box<str>>,
    saved_before: bool,
}

#[derive(Debug)]
struct Slot<V> {
    key: Box<str>,
    /// The epoch of the last change.
    epoch: u32,
    value: Option<V>,
}

#[derive(Debug)]
struct Save {
    /// Slots below it are done.
    cursor: usize,
    /// Slots that did not change since are left out.
    since: u32,
    /// Entities that changed before the walk reached them, in pieces of which each fits a frame.
    early: Vec<Vec<u8>>,
    removed: Vec<Box<str>>,
}

/// The hash by which keys are found.
pub(crate) fn key_hash(key: &str) -> u64 {
    xxh3_64(key.as_bytes())
}

impl<V: Stored> Slab<V> {
    pub(crate) fn new() -> Self {
        Self {
            index: HashTable::new(),
            slots: Vec::new(),
            free: Vec::new(),
            epoch: 1,
            save: None,
            removed: Vec::new(),
            saved_before: false,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn find(&self, hash: u64, key: &str) -> Option<u32> {
        self.index.find(hash, |at| &*self.slots[*at as usize].key == key).copied()
    }

    pub(crate) fn key(&self, at: u32) -> &str {
        &self.slots[at as usize].key
    }

    pub(crate) fn get(&self, at: u32) -> Option<&V> {
        self.slots.get(at as usize)?.value.as_ref()
    }

    /// All values with their numbers.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &str, &V)> {
        let numbered = self.slots.iter().enumerate();
        numbered.filter_map(|(at, slot)| slot.value.as_ref().map(|value| (at as u32, &*slot.key, value)))
    }

    /// A value about to change: written first when a save has yet to reach it.
    pub(crate) fn change(&mut self, at: u32, plan: &V::Plan) -> &mut V {
        let slot = &mut self.slots[at as usize];
        if let Some(save) = &mut self.save
            && at as usize >= save.cursor
        {
            if save.early.last().is_none_or(|piece| piece.len() >= EARLY_BYTES) {
                save.early.push(Vec::new());
            }
            if let Some(piece) = save.early.last_mut() {
                write_slot(slot, plan, self.epoch, save.since, piece);
            }
        }
        slot.epoch = self.epoch;
        slot.value.as_mut().unwrap_or_else(|| panic!("slot {at} is empty: its number was kept after it was removed"))
    }

    /// A change that no save needs to see, such as the time of a timer that is computed again.
    pub(crate) fn adjust(&mut self, at: u32) -> &mut V {
        self.slots[at as usize]
            .value
            .as_mut()
            .unwrap_or_else(|| panic!("slot {at} is empty: its number was kept after it was removed"))
    }

    pub(crate) fn insert(&mut self, hash: u64, key: &str, value: V) -> u32 {
        let slot = Slot { key: key.into(), epoch: self.epoch, value: Some(value) };
        let at = match self.free.pop() {
            Some(at) => {
                self.slots[at as usize] = slot;
                at
            }
            None => {
                self.slots.push(slot);
                u32::try_from(self.slots.len() - 1).unwrap_or_else(|_| panic!("the resolver bounds entities below 2^32"))
            }
        };
        let slots = &self.slots;
        self.index.insert_unique(hash, at, |at| key_hash(&slots[*at as usize].key));
        at
    }

    pub(crate) fn remove(&mut self, at: u32, plan: &V::Plan) {
        self.change(at, plan);
        let slot = &mut self.slots[at as usize];
        slot.value = None;
        let key = std::mem::take(&mut slot.key);
        if let Ok(entry) = self.index.find_entry(key_hash(&key), |other| *other == at) {
            entry.remove();
        }
        if self.saved_before {
            self.removed.push(key);
        }
        self.free.push(at);
    }

    /// Begins a save of all, or of what changed since the last one began. One at a time.
    pub(crate) fn begin_save(&mut self, all: bool) {
        let since = if all || !self.saved_before { 0 } else { self.epoch };
        self.epoch += 1;
        self.saved_before = true;
        let removed = std::mem::take(&mut self.removed);
        self.save = Some(Save { cursor: 0, since, early: Vec::new(), removed: if since == 0 { Vec::new() } else { removed } });
    }

    /// Writes on until at least `bytes` are written; true when nothing is left. Each item begins with 1 (a value) or 2 (a
    /// removed key); removed keys come first.
    pub(crate) fn save_some(&mut self, plan: &V::Plan, bytes: usize, out: &mut Vec<u8>) -> bool {
        let Some(save) = &mut self.save else { return true };
        let end = out.len().saturating_add(bytes);
        while let Some(key) = save.removed.pop() {
            let mut writer = Writer(out);
            writer.0.push(2);
            writer.text(&key);
            if writer.0.len() >= end {
                return false;
            }
        }
        while let Some(mut piece) = save.early.pop() {
            out.append(&mut piece);
            if out.len() >= end {
                return false;
            }
        }
        while save.cursor < self.slots.len() {
            write_slot(&self.slots[save.cursor], plan, self.epoch, save.since, out);
            save.cursor += 1;
            if out.len() >= end {
                return false;
            }
        }
        self.save = None;
        true
    }

    /// Reads one item of [`Self::save_some`].
    pub(crate) fn load_item(&mut self, plan: &V::Plan, tag: u8, reader: &mut Reader<'_>) -> Result<(), Broken> {
        let key = reader.text()?;
        let hash = key_hash(key);
        if let Some(at) = self.find(hash, key) {
            self.remove(at, plan);
        }
        match tag {
            1 => {
                let value = V::read(plan, reader)?;
                self.insert(hash, key, value);
                Ok(())
            }
            2 => Ok(()),
            _ => Err(Broken("an unknown item")),
        }
    }
}

/// Writes a slot that changed between the save before (`since`) and the begin of this one (`epoch`).
fn write_slot<V: Stored>(slot: &Slot<V>, plan: &V::Plan, epoch: u32, since: u32, out: &mut Vec<u8>) {
    if let Some(value) = &slot.value
        && (since..epoch).contains(&slot.epoch)
    {
        let mut writer = Writer(out);
        writer.0.push(1);
        writer.text(&slot.key);
        value.write(plan, &mut writer);
    }
}
