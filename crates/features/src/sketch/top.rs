//! Exact counts of the values that stay below a cap. Over the cap the values with the smallest hashes stay: whether one
//! stays depends only on the set of values, so its count is exact and merging is free of order.

use super::distinct::units_hash;
use crate::codec::{Broken, Reader, Writer};

const CAP: usize = 1024;

/// Values with their counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Top {
    /// By ascending hash: (hash, value, count).
    kept: Vec<(u64, i64, u64)>,
    /// Events of values that were not kept.
    overflow: u64,
}

impl Top {
    pub(crate) fn add(&mut self, value: i64) {
        self.put(units_hash(value).cast_unsigned(), value, 1);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.overflow = self.overflow.saturating_add(other.overflow);
        for (hash, value, count) in &other.kept {
            self.put(*hash, *value, *count);
        }
    }

    fn put(&mut self, hash: u64, value: i64, count: u64) {
        match self.kept.binary_search_by_key(&(hash, value), |(hash, value, _)| (*hash, *value)) {
            Ok(at) => self.kept[at].2 = self.kept[at].2.saturating_add(count),
            Err(CAP) => self.overflow = self.overflow.saturating_add(count),
            Err(at) => {
                self.kept.insert(at, (hash, value, count));
                if self.kept.len() > CAP {
                    self.overflow = self.overflow.saturating_add(self.kept.pop().map_or(0, |(_, _, count)| count));
                }
            }
        }
    }

    /// The most frequent values with their counts, the smaller value first among equals.
    pub(crate) fn most_frequent(&self, k: usize) -> Vec<(i64, u64)> {
        let mut found: Vec<(i64, u64)> = self.kept.iter().map(|(_, value, count)| (*value, *count)).collect();
        found.sort_unstable_by_key(|(value, count)| (std::cmp::Reverse(*count), *value));
        found.truncate(k);
        found
    }

    pub(crate) fn overflow(&self) -> u64 {
        self.overflow
    }

    pub(crate) fn heap_bytes(&self) -> usize {
        self.kept.capacity() * size_of::<(u64, i64, u64)>()
    }

    pub(crate) fn write(&self, out: &mut Writer<'_>) {
        out.varint(self.overflow);
        out.count(self.kept.len());
        for (_, value, count) in &self.kept {
            out.signed(*value);
            out.word(*count);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Broken> {
        let overflow = reader.varint()?;
        let count = reader.count(16)?;
        if count > CAP {
            return Err(Broken("more values than the cap"));
        }
        let mut top = Self { kept: Vec::with_capacity(count), overflow };
        for _ in 0..count {
            let value = reader.signed()?;
            top.kept.push((units_hash(value).cast_unsigned(), value, reader.word()?));
        }
        let ascending = top.kept.windows(2).all(|pair| (pair[0].0, pair[0].1) < (pair[1].0, pair[1].1));
        if ascending { Ok(top) } else { Err(Broken("values out of order")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_exact_and_ties_go_to_the_smaller_value() {
        let mut top = Top::default();
        [7, 3, 7, 9, 3, 5].iter().for_each(|value| top.add(*value));
        assert_eq!(top.most_frequent(3), [(3, 2), (7, 2), (5, 1)]);
    }

    #[test]
    fn over_the_cap_the_order_still_does_not_matter() {
        let (mut up, mut down, mut halves) = (Top::default(), Top::default(), (Top::default(), Top::default()));
        for value in 0..3000 {
            up.add(value);
            down.add(2999 - value);
            if value % 2 == 0 { halves.0.add(value) } else { halves.1.add(value) }
        }
        halves.1.merge(&halves.0);
        assert_eq!((&up, &halves.1), (&down, &up));
        assert_eq!(up.overflow(), 3000 - CAP as u64);
    }
}
