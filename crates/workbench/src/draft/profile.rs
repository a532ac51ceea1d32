//! What the events of one stream hold, field by field: the first look at the file. Counts, and guesses nothing.

use std::collections::BTreeMap;

use xxhash_rust::xxh3::xxh3_64;

use super::value::{ARRIVAL, Number, STREAM, Value};

/// More different texts than this are no category, and are not kept.
const LABELS_MAX: usize = 50;
/// Longer texts are no labels.
const LABEL_BYTES_MAX: usize = 64;
/// Digits beyond these are counted together.
const DIGITS_MAX: usize = 20;
/// 2000-01-01 and 2100-01-01 in seconds.
const SECONDS: std::ops::Range<f64> = 946_684_800.0..4_102_444_800.0;

/// The fields of the events of one stream.
#[derive(Debug, Default)]
pub(super) struct Profile {
    /// What `_source` says, if anything.
    pub(super) called: Option<String>,
    pub(super) events: u64,
    /// Line of the first event.
    pub(super) first_line: u64,
    /// In the order in which they were seen first.
    pub(super) fields: Vec<Field>,
    places: BTreeMap<String, usize>,
}

/// All that was seen of one field.
#[derive(Debug, Default)]
pub(super) struct Field {
    pub(super) name: String,
    /// Events in which it holds something.
    pub(super) present: u64,
    pub(super) texts: u64,
    /// Texts with nothing in them.
    pub(super) empty: u64,
    pub(super) booleans: u64,
    pub(super) nested: u64,
    pub(super) numbers: u64,
    /// Numbers without fraction and exponent.
    pub(super) whole: u64,
    /// Values that are an instant as the engine reads it.
    pub(super) instants: u64,
    /// Numbers that would be an instant if they were seconds.
    pub(super) seconds: u64,
    /// Texts that would be an instant if they had an offset.
    pub(super) local_times: u64,
    pub(super) min: f64,
    pub(super) max: f64,
    /// Numbers by their digits after the point.
    pub(super) by_digits: [u64; DIGITS_MAX + 1],
    /// Different texts or whole numbers, by hash, with their counts.
    pub(super) distinct: BTreeMap<u64, u32>,
    /// Different texts with their counts, as long as they are few and short.
    pub(super) labels: Option<BTreeMap<String, u64>>,
    /// The event that brought the last new text.
    pub(super) newest_label_at: u64,
    pub(super) example: String,
}

impl Profile {
    /// Of a stream that is called so.
    pub(super) fn of(called: Option<&str>) -> Self {
        Self { called: called.map(str::to_owned), ..Self::default() }
    }

    /// Looks at one event.
    pub(super) fn note(&mut self, line: u64, members: &[(String, Value)]) {
        if self.events == 0 {
            self.first_line = line;
        }
        self.events += 1;
        for (name, value) in members.iter().filter(|(name, _)| name != STREAM && name != ARRIVAL) {
            let place = *self.places.entry(name.clone()).or_insert_with(|| {
                self.fields.push(Field::new(name));
                self.fields.len() - 1
            });
            self.fields[place].note(self.events, value);
        }
    }

    /// A field by name.
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.places.get(name).map(|place| &self.fields[*place])
    }

    /// Whether a count is nearly all events: what an event cannot be without, it may lack when it is broken, one time in twenty.
    pub(super) fn is_mostly(&self, count: u64) -> bool {
        count > 0 && count * 20 >= self.events * 19
    }

    /// Whether a count is as good as all events: one in a hundred may be wrong in itself.
    pub(super) fn is_nearly_all(&self, count: u64) -> bool {
        count > 0 && count * 100 >= self.events * 99
    }
}

impl Field {
    fn new(name: &str) -> Self {
        let (min, max) = (f64::INFINITY, f64::NEG_INFINITY);
        Self { name: name.to_owned(), min, max, labels: Some(BTreeMap::new()), ..Self::default() }
    }

    fn note(&mut self, event: u64, value: &Value) {
        if *value == Value::Null {
            return;
        }
        self.present += 1;
        self.instants += u64::from(value.instant().is_some());
        match value {
            Value::Null => {}
            Value::Nested => self.nested += 1,
            Value::Boolean(_) => self.booleans += 1,
            Value::Number(number) => self.note_number(number),
            Value::Text(text) => self.note_text(event, text),
        }
        if let Some(key) = value.key() {
            *self.distinct.entry(xxh3_64(key.as_bytes())).or_default() += 1;
            if self.example.is_empty() {
                self.example = key.chars().take(LABEL_BYTES_MAX).collect();
            }
        }
    }

    fn note_number(&mut self, number: &Number) {
        self.numbers += 1;
        self.whole += u64::from(number.is_whole);
        self.seconds += u64::from(SECONDS.contains(&number.value));
        self.min = self.min.min(number.value);
        self.max = self.max.max(number.value);
        self.by_digits[usize::from(number.digits).min(DIGITS_MAX)] += 1;
    }

    fn note_text(&mut self, event: u64, text: &str) {
        self.texts += 1;
        self.empty += u64::from(text.is_empty());
        self.local_times += u64::from(domain::Timestamp::parse(&format!("{text}Z")).is_some());
        let Some(labels) = &mut self.labels else { return };
        if !labels.contains_key(text) {
            self.newest_label_at = event;
        }
        *labels.entry(text.to_owned()).or_default() += 1;
        if labels.len() > LABELS_MAX || text.len() > LABEL_BYTES_MAX {
            self.labels = None;
        }
    }

    /// Values that can be part of a key or an identity as a text.
    pub(super) fn filled_texts(&self) -> u64 {
        self.texts - self.empty
    }

    /// Whether a count is as good as all values.
    pub(super) fn is_nearly_all(&self, count: u64) -> bool {
        count > 0 && count * 100 >= self.present * 99
    }

    /// Digits after the point that all numbers but one in a hundred get by with.
    pub(super) fn usual_digits(&self) -> usize {
        let mut seen = 0;
        let enough = |count: &u64| {
            seen += count;
            seen * 100 >= self.numbers * 99
        };
        self.by_digits.iter().position(enough).unwrap_or(DIGITS_MAX)
    }

    /// Digits after the point that no number exceeds.
    pub(super) fn most_digits(&self) -> usize {
        self.by_digits.iter().rposition(|count| *count > 0).unwrap_or(0)
    }
}
