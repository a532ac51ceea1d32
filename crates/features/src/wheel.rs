//! Which entity's vector is due when. Entries are never taken out: who pops one asks the entity whether it still holds.

use std::collections::BTreeMap;

/// Timers within one slot fire together.
pub(crate) const SLOT_MS: i64 = 1000;

/// Entities by the second in which their vector is due.
#[derive(Debug, Default)]
pub(crate) struct Wheel {
    slots: BTreeMap<i64, Vec<(u16, u32)>>,
}

impl Wheel {
    pub(crate) fn push(&mut self, fire_at: i64, group: usize, entity: u32) {
        let group = u16::try_from(group).unwrap_or_else(|_| panic!("a pipeline has fewer than 65,536 groups"));
        let slot = fire_at.saturating_add(SLOT_MS - 1).div_euclid(SLOT_MS);
        self.slots.entry(slot).or_default().push((group, entity));
    }

    /// Takes the entries of one slot that is due.
    pub(crate) fn pop(&mut self, now: i64) -> Option<Vec<(u16, u32)>> {
        let entry = self.slots.first_entry().filter(|entry| *entry.key() <= now.div_euclid(SLOT_MS))?;
        Some(entry.remove())
    }

    /// When the next slot is due.
    pub(crate) fn next(&self) -> Option<i64> {
        self.slots.first_key_value().map(|(slot, _)| slot.saturating_mul(SLOT_MS))
    }
}
