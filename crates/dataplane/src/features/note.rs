//! What a commit says beside its positions: the clock of the engine, and which snapshots its state begins with.
//!
//! Text, so that a person who lists committed offsets can read it: `1 <clock> <positions> <snapshots>`.

use domain::Timestamp;

use crate::note;

/// The note of a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note {
    /// The clock that the engine had reached.
    pub clock: Timestamp,
    /// For each topic of the plan, the first record that the snapshots do not contain.
    pub positions: Vec<u64>,
    /// A full snapshot and the changes that followed it; empty before the first one.
    pub snapshots: Vec<Stored>,
}

/// A stored snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Counts the snapshots of a partition.
    pub number: u64,
    /// Of which life of a worker: two that believe to own a partition never write the same names.
    pub life: u64,
    /// Its pieces.
    pub parts: u32,
}

impl Note {
    /// The text form.
    pub fn encode(&self) -> String {
        let positions: Vec<String> = self.positions.iter().map(u64::to_string).collect();
        let stored = |stored: &Stored| format!("{}.{}.{}", stored.number, stored.life, stored.parts);
        let snapshots: Vec<String> = self.snapshots.iter().map(stored).collect();
        note::write(&format!("{} {} {}", self.clock.0, positions.join(","), snapshots.join(",")))
    }

    /// Reads what [`Note::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut words = note::read(bytes)?.unwrap_or_default().split(' ');
        let clock = words.next().and_then(|word| word.parse().ok()).ok_or("it has no clock")?;
        let numbers = |word: Option<&str>, fault| {
            let word: &str = word.ok_or(fault)?;
            Ok::<Vec<String>, &'static str>(word.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect())
        };
        let positions = numbers(words.next(), "it has no positions")?;
        let positions = positions.iter().map(|item| item.parse().map_err(|_| "a position is no number"));
        let snapshots = numbers(words.next(), "it has no snapshots")?;
        let snapshots = snapshots.iter().map(|item| stored(item).ok_or("a snapshot is not three numbers"));
        Ok(Self {
            clock: Timestamp(clock),
            positions: positions.collect::<Result<_, _>>()?,
            snapshots: snapshots.collect::<Result<_, _>>()?,
        })
    }
}

fn stored(item: &str) -> Option<Stored> {
    let mut numbers = item.split('.');
    let stored = Stored {
        number: numbers.next()?.parse().ok()?,
        life: numbers.next()?.parse().ok()?,
        parts: numbers.next()?.parse().ok()?,
    };
    numbers.next().is_none().then_some(stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let stored = |number| Stored { number, life: 77, parts: 3 };
        let full =
            Note { clock: Timestamp(1_700_000_000_123), positions: vec![0, 12, u64::MAX], snapshots: vec![stored(1), stored(2)] };
        for note in [full, Note { clock: Timestamp(-5), ..Note::default() }] {
            assert_eq!(Note::decode(note.encode().as_bytes()), Ok(note));
        }
    }

    #[test]
    fn a_long_chain_fits_beside_an_offset() {
        let stored = Stored { number: u64::MAX, life: u64::MAX, parts: u32::MAX };
        let note = Note { clock: Timestamp(i64::MIN), positions: vec![u64::MAX; 40], snapshots: vec![stored; 12] };
        assert!(note.encode().len() <= ports::Commit::NOTE_BYTES_MAX);
    }

    #[test]
    fn what_nobody_wrote_is_named() {
        for (text, fault) in [
            ("2 0  ", "its version is not 1"),
            ("1 x  ", "it has no clock"),
            ("1 0", "it has no positions"),
            ("1 0 1,b ", "a position is no number"),
            ("1 0 1", "it has no snapshots"),
            ("1 0 1 1.2", "a snapshot is not three numbers"),
            ("1 0 1 1.2.3.4", "a snapshot is not three numbers"),
        ] {
            assert_eq!(Note::decode(text.as_bytes()), Err(fault), "{text}");
        }
    }
}
