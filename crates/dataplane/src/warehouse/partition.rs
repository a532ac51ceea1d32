//! What of one partition has been taken and is not in the warehouse yet. Rows of a table are numbered in the order of the records that
//! they are made of, so whoever takes the same records again makes the same rows with the same numbers. Pure.

use std::sync::Arc;

use ports::{Cell, Position, Record};

use super::tables::{self, Table};
use crate::note;

/// Predictions, and what became of them.
pub(super) const TOPICS: usize = 2;
const TABLES: usize = Table::ALL.len();

/// So many bytes of records wait while the warehouse is away; then the topics are paused. A few times this is held in memory, since
/// rows are larger.
const WAITING_BYTES_MAX: usize = 4 << 20;
/// So many are enough to be written at once.
const ENOUGH_BYTES: usize = 1 << 20;

/// Rows of one partition.
#[derive(Debug)]
pub(super) struct Partition {
    /// For each table, the number of the first row that waits; none before it was asked for.
    next: Option<[u64; TABLES]>,
    /// What the last commit says.
    noted: Option<Note>,
    /// Where it began: what the last commit says of each topic, or its oldest record.
    begun: Vec<Position>,
    rows: [Vec<Vec<Cell>>; TABLES],
    /// For each topic, the first record that was not taken.
    positions: [Option<u64>; TOPICS],
    /// Bytes of the records that wait, rows or not.
    waiting: usize,
    paused: bool,
    taken: bool,
}

/// What a commit says beside its positions: who wrote the rows before them, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) writer: String,
    pub(super) next: [u64; TABLES],
}

impl Partition {
    /// With the position of each topic, and the note of the last commit.
    pub(super) fn new(begun: Vec<Position>, note: &[u8]) -> Result<Self, &'static str> {
        Ok(Self {
            next: None,
            noted: Note::read(note)?,
            rows: Default::default(),
            positions: std::array::from_fn(|place| begun.get(place).map(|position| position.next)),
            begun,
            waiting: 0,
            paused: false,
            taken: false,
        })
    }

    /// Takes records of a topic. How many of them have no row.
    pub(super) fn take(&mut self, topic: usize, records: &[Record]) -> u64 {
        let mut refused = 0;
        for record in records {
            self.positions[topic] = Some(record.offset + 1);
            self.taken = true;
            self.waiting += record.key.len() + record.value.len();
            let row = if topic == 0 { tables::prediction(record) } else { tables::outcome(record) };
            match row {
                Some((table, row)) => self.rows[table as usize].push(row),
                None => refused += 1,
            }
        }
        refused
    }

    /// Whether anything was taken that is not committed.
    pub(super) fn has_taken(&self) -> bool {
        self.taken
    }

    /// Whether that is enough to be written at once.
    pub(super) fn is_enough(&self) -> bool {
        self.waiting >= ENOUGH_BYTES
    }

    /// Whether topics are to be paused, or to go on; none when it stays as it is.
    pub(super) fn change(&mut self) -> Option<bool> {
        let paused = self.waiting >= WAITING_BYTES_MAX;
        let changed = paused != self.paused;
        self.paused = paused;
        changed.then_some(paused)
    }

    /// Rows that wait.
    pub(super) fn rows(&self) -> u64 {
        self.rows.iter().map(|rows| rows.len() as u64).sum()
    }

    /// The rows of a table that wait.
    pub(super) fn rows_of(&self, table: Table) -> &[Vec<Cell>] {
        &self.rows[table as usize]
    }

    /// The number of the first row of a table that waits; none before it was asked for.
    pub(super) fn first(&self, table: Table) -> Option<u64> {
        self.next.map(|next| next[table as usize])
    }

    /// The warehouse has so many rows of this writer. Those that the last commit does not count are the ones that come again. Where the
    /// warehouse has fewer, somebody has removed them, and it begins anew; and where somebody else wrote before, it begins behind those of its own.
    ///
    /// Such a beginning is given back: it has to be committed before the first row is written, since nobody could tell later which rows
    /// came after it.
    pub(super) fn begin(&mut self, writer: &str, there: [u64; TABLES]) -> Option<(Vec<Position>, Note)> {
        let noted = self.noted.take().filter(|note| note.writer == writer);
        let next = match &noted {
            Some(Note { next, .. }) => std::array::from_fn(|place| next[place].min(there[place])),
            None => there,
        };
        self.next = Some(next);
        let is_known = noted.is_some_and(|note| note.next == next);
        (!is_known).then(|| (self.begun.clone(), Note { writer: writer.to_owned(), next }))
    }

    /// All that waited is written: the positions after it, and the note.
    pub(super) fn written(&mut self, writer: &str, topics: &[Arc<str>; TOPICS]) -> (Vec<Position>, Note) {
        let mut next = self.next.unwrap_or_default();
        next.iter_mut().zip(&self.rows).for_each(|(next, rows)| *next += rows.len() as u64);
        self.next = Some(next);
        self.rows = Default::default();
        (self.waiting, self.taken) = (0, false);
        let position = |(topic, next): (&Arc<str>, &Option<u64>)| Some(Position { topic: topic.clone(), next: (*next)? });
        let positions = topics.iter().zip(&self.positions).filter_map(position).collect();
        (positions, Note { writer: writer.to_owned(), next })
    }
}

impl Note {
    pub(super) fn write(&self) -> String {
        let counts: Vec<String> = self.next.iter().map(u64::to_string).collect();
        note::write(&format!("{} {}", counts.join(" "), self.writer))
    }

    fn read(note: &[u8]) -> Result<Option<Self>, &'static str> {
        let Some(words) = note::read(note)? else { return Ok(None) };
        let mut words = words.splitn(TABLES + 1, ' ');
        let mut next = [0; TABLES];
        for next in &mut next {
            *next = words.next().and_then(|word| word.parse().ok()).ok_or("it lacks the number of a row")?;
        }
        let writer = words.next().ok_or("it names no writer")?.to_owned();
        Ok(Some(Self { writer, next }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(noted: Option<Note>, there: [u64; TABLES]) -> Option<[u64; TABLES]> {
        let note = noted.as_ref().map_or(String::new(), Note::write);
        let mut partition = Partition::new(Vec::new(), note.as_bytes()).expect("a note");
        let committed = partition.begin("a", there).map(|(_, note)| note);
        let beginning = partition.next.map(|next| Note { writer: "a".into(), next });
        assert_eq!(committed, beginning.filter(|beginning| Some(beginning) != noted.as_ref()), "what is new is committed first");
        partition.next
    }

    #[test]
    fn a_note_is_read_as_it_was_written() {
        let note = Note { writer: "a b".into(), next: [1, 2, 3, u64::MAX] };
        assert_eq!(Note::read(note.write().as_bytes()), Ok(Some(note)));
        assert_eq!(Note::read(b""), Ok(None));
        for (text, fault) in
            [("2 1", "its version is not 1"), ("1 1 2 x", "it lacks the number of a row"), ("1 1 2 3 4", "it names no writer")]
        {
            assert_eq!(Note::read(text.as_bytes()), Err(fault));
        }
    }

    #[test]
    fn each_table_has_the_place_at_which_it_is_listed() {
        assert_eq!(Table::ALL.map(|table| table as usize), [0, 1, 2, 3]);
    }

    #[test]
    fn rows_go_on_where_the_commit_was_and_anew_where_others_wrote_or_rows_are_gone() {
        let note = |writer: &str| Some(Note { writer: writer.into(), next: [5, 5, 0, 0] });
        assert_eq!(begun(note("a"), [9, 5, 0, 0]), Some([5, 5, 0, 0]), "four rows were written and not committed");
        assert_eq!(begun(note("b"), [9, 5, 0, 0]), Some([9, 5, 0, 0]), "another writer's numbers say nothing");
        assert_eq!(begun(None, [9, 5, 0, 0]), Some([9, 5, 0, 0]));
        assert_eq!(begun(note("a"), [0, 5, 0, 0]), Some([0, 5, 0, 0]), "the table was removed");
    }
}
