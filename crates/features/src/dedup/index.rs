//! Places by a 32-bit tag, one line of the cache for each look-up: what a list holds is found without reading the list.
//!
//! Nothing is ever taken out by itself. Knows no identities: whoever asks says whether what a tag leads to is the right one.

/// Entries of a line. Eight words are a line of the cache.
const LINE: usize = 8;

/// Entries of a line on average before there are more lines: at five of eight, one line in eight is full, and a search goes on
/// in the next.
const FILL_MAX: usize = 5;

/// More than this many times the lines that are needed are not kept: a load that doubles and halves is usual, a rush is not.
const KEPT_MAX: usize = 4;

/// An open table of entries, each a tag above the number after its place. Zero is no entry; those of a line stand at its front.
#[derive(Debug)]
pub(super) struct Index {
    lines: Vec<Line>,
    length: usize,
}

#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line([u64; LINE]);

const EMPTY: Line = Line([0; LINE]);

impl Default for Index {
    fn default() -> Self {
        Self { lines: vec![EMPTY], length: 0 }
    }
}

impl Index {
    /// Without entries, with room for so many, in the memory that it has.
    pub(super) fn emptied(mut self, entries: usize) -> Self {
        let lines = entries / FILL_MAX + 1;
        self.lines.clear();
        if self.lines.capacity() > KEPT_MAX * lines {
            self.lines.shrink_to(lines);
        }
        self.lines.resize(lines, EMPTY);
        Self { lines: self.lines, length: 0 }
    }

    /// Something of the line where the search for a tag begins, which brings it into the cache.
    #[inline]
    pub(super) fn an_entry(&self, tag: u32) -> u64 {
        self.lines[self.line_of(tag)].0[0]
    }

    /// Whether one of the places that a tag leads to is the right one.
    #[inline]
    pub(super) fn contains(&self, tag: u32, is_right: impl Fn(u32) -> bool) -> bool {
        let mut at = self.line_of(tag);
        loop {
            let Line(entries) = &self.lines[at];
            // Nearly always the answer is no, and found without a jump that depends on what stands where.
            let may_be_here = entries.iter().fold(false, |found, entry| found | (tag_of(*entry) == tag));
            if may_be_here && entries.iter().any(|entry| *entry != 0 && tag_of(*entry) == tag && is_right(*entry as u32 - 1)) {
                return true;
            }
            if entries[LINE - 1] == 0 {
                return false;
            }
            at = self.after(at);
        }
    }

    /// Adds a place, whether or not it is there.
    pub(super) fn insert(&mut self, tag: u32, place: u32) {
        if self.length >= FILL_MAX * self.lines.len() {
            self.grow();
        }
        self.length += 1;
        self.put(u64::from(tag) << 32 | (u64::from(place) + 1));
    }

    fn put(&mut self, entry: u64) {
        let mut at = self.line_of(tag_of(entry));
        while self.lines[at].0[LINE - 1] != 0 {
            at = self.after(at);
        }
        let entries = &mut self.lines[at].0;
        let used = entries.iter().filter(|entry| **entry != 0).count();
        entries[used] = entry;
    }

    fn grow(&mut self) {
        let twice = vec![EMPTY; 2 * self.lines.len()];
        let old = std::mem::replace(&mut self.lines, twice);
        old.iter().flat_map(|line| &line.0).filter(|entry| **entry != 0).for_each(|entry| self.put(*entry));
    }

    /// Tags are spread evenly, and so are their lines: in proportion.
    fn line_of(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.lines.len() as u64) >> 32) as usize
    }

    fn after(&self, at: usize) -> usize {
        if at + 1 == self.lines.len() { 0 } else { at + 1 }
    }
}

fn tag_of(entry: u64) -> u32 {
    (entry >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inserts places whose tags are given, and looks all of them up.
    fn check(mut index: Index, tags: &[u32]) -> Index {
        for (place, tag) in tags.iter().enumerate() {
            assert!(!index.contains(*tag, |found| found as usize == place));
            index.insert(*tag, place as u32);
        }
        for (place, tag) in tags.iter().enumerate() {
            assert!(index.contains(*tag, |found| found as usize == place), "place {place} by tag {tag}");
            assert!(!index.contains(*tag, |found| tags[found as usize] != *tag), "another tag's place by tag {tag}");
            assert!(!index.contains(tag.wrapping_add(1), |found| found as usize == place));
        }
        index
    }

    #[test]
    fn what_was_put_in_is_found_again() {
        let spread: Vec<u32> = (0..50_000u32).map(|tag| tag.wrapping_mul(0x9E37_79B1)).collect();
        let grown = check(Index::default(), &spread);
        check(grown.emptied(spread.len()), &spread);
        check(Index::default().emptied(7), &spread);
    }

    #[test]
    fn tags_that_are_all_alike_are_found_one_after_the_other() {
        for tag in [0, 1, u32::MAX] {
            check(Index::default(), &[tag; 300]);
        }
        check(Index::default(), &(0..300).collect::<Vec<u32>>());
        check(Index::default(), &(0..300).map(|tag| u32::MAX - tag).collect::<Vec<u32>>());
    }

    #[test]
    fn lines_are_given_back_after_a_rush() {
        let rush = Index::default().emptied(1 << 20);
        let capacity = rush.lines.capacity();
        assert_eq!(rush.emptied(1 << 19).lines.capacity(), capacity);
        assert!(Index::default().emptied(1 << 20).emptied(100).lines.capacity() < capacity / 100);
    }
}
