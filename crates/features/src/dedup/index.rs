//! Places by what is known of an identity, one line of the cache for each look-up: what a list holds is found without reading the
//! list.
//!
//! Nothing is ever taken out by itself. Knows no identities: whoever asks says whether what a tag leads to is the right one, and what
//! the tags of all places are when there have to be more lines.

/// Entries of a line of the cache.
const LINE: usize = 10;

/// Entries of a line on average before there are more lines: at seven of ten, one line in six is full, and a search goes on in the
/// next.
const FILL_MAX: usize = 7;

/// More than this many times the lines that are needed are not kept: a load that doubles and halves is usual, a rush is not.
const KEPT_MAX: usize = 4;

/// What is known of an identity here: where its line is, and a mark by which it is told from most of the others there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    line: u32,
    mark: u16,
}

/// An open table. The entries of a line stand at its front.
#[derive(Debug)]
pub(super) struct Index {
    lines: Vec<Line>,
    length: usize,
}

/// Of each entry the number after its place, which is zero where there is none, and its mark.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line {
    places: [u32; LINE],
    marks: [u16; LINE],
}

const EMPTY: Line = Line { places: [0; LINE], marks: [0; LINE] };

impl Tag {
    /// An identity is a hash already: some of its bits serve.
    pub(super) fn of(identity: u128) -> Self {
        Self { line: identity as u32, mark: (identity >> 32) as u16 }
    }
}

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
    pub(super) fn an_entry(&self, tag: Tag) -> u32 {
        self.lines[self.line_of(tag)].places[0]
    }

    /// Whether one of the places that a tag leads to is the right one.
    #[inline]
    pub(super) fn contains(&self, tag: Tag, is_right: impl Fn(u32) -> bool) -> bool {
        let mut at = self.line_of(tag);
        loop {
            let Line { places, marks } = &self.lines[at];
            // Nearly always the answer is no, and found without a jump that depends on what stands where.
            let may_be_here = marks.iter().fold(false, |found, mark| found | (*mark == tag.mark));
            if may_be_here
                && marks.iter().zip(places).any(|(mark, place)| *place != 0 && *mark == tag.mark && is_right(*place - 1))
            {
                return true;
            }
            if places[LINE - 1] == 0 {
                return false;
            }
            at = self.after(at);
        }
    }

    /// Whether another place would need more lines.
    pub(super) fn is_full(&self) -> bool {
        self.length >= FILL_MAX * self.lines.len()
    }

    /// The same with more lines: `tags` are those of all places in their order. There are never two tables at a time.
    pub(super) fn grown(self, tags: impl Iterator<Item = Tag>) -> Self {
        let lines = self.lines.len() + self.lines.len() / 2 + 1;
        drop(self.lines);
        let mut grown = Self { lines: vec![EMPTY; lines], length: 0 };
        tags.zip(0..).for_each(|(tag, place)| grown.insert(tag, place));
        grown
    }

    /// Adds a place, whether or not it is there.
    pub(super) fn insert(&mut self, tag: Tag, place: u32) {
        self.length += 1;
        let mut at = self.line_of(tag);
        while self.lines[at].places[LINE - 1] != 0 {
            at = self.after(at);
        }
        let Line { places, marks } = &mut self.lines[at];
        let used = places.iter().filter(|place| **place != 0).count();
        (places[used], marks[used]) = (place + 1, tag.mark);
    }

    /// Tags are spread evenly, and so are their lines: in proportion.
    fn line_of(&self, tag: Tag) -> usize {
        ((u64::from(tag.line) * self.lines.len() as u64) >> 32) as usize
    }

    fn after(&self, at: usize) -> usize {
        if at + 1 == self.lines.len() { 0 } else { at + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(number: u32) -> Tag {
        Tag { line: number.wrapping_mul(0x9E37_79B1), mark: (number >> 3) as u16 }
    }

    /// Inserts places whose tags are given, and looks all of them up.
    fn check(mut index: Index, tags: &[Tag]) -> Index {
        for (place, tag) in tags.iter().enumerate() {
            assert!(!index.contains(*tag, |found| found as usize == place));
            if index.is_full() {
                index = index.grown(tags[..place].iter().copied());
            }
            index.insert(*tag, place as u32);
        }
        for (place, tag) in tags.iter().enumerate() {
            assert!(index.contains(*tag, |found| found as usize == place), "place {place} by tag {tag:?}");
            assert!(!index.contains(*tag, |found| tags[found as usize].mark != tag.mark), "another mark's place by tag {tag:?}");
            assert!(!index.contains(Tag { mark: tag.mark.wrapping_add(1), ..*tag }, |found| found as usize == place));
        }
        index
    }

    #[test]
    fn a_line_is_one_of_the_cache() {
        assert_eq!((size_of::<Line>(), align_of::<Line>()), (64, 64));
    }

    #[test]
    fn what_was_put_in_is_found_again() {
        let spread: Vec<Tag> = (0..50_000).map(tag).collect();
        let grown = check(Index::default(), &spread);
        check(grown.emptied(spread.len()), &spread);
        check(Index::default().emptied(7), &spread);
    }

    #[test]
    fn tags_that_are_all_alike_are_found_one_after_the_other() {
        for line in [0, 1, u32::MAX] {
            check(Index::default(), &[Tag { line, mark: 0 }; 300]);
            check(Index::default(), &(0..300).map(|mark| Tag { line, mark }).collect::<Vec<Tag>>());
        }
        check(Index::default(), &(0..300).map(|line| Tag { line, mark: 7 }).collect::<Vec<Tag>>());
        check(Index::default(), &(0..300).map(|line| Tag { line: u32::MAX - line, mark: 0 }).collect::<Vec<Tag>>());
    }

    #[test]
    fn lines_are_given_back_after_a_rush() {
        let rush = Index::default().emptied(1 << 20);
        let capacity = rush.lines.capacity();
        assert_eq!(rush.emptied(1 << 19).lines.capacity(), capacity);
        assert!(Index::default().emptied(1 << 20).emptied(100).lines.capacity() < capacity / 100);
    }
}
