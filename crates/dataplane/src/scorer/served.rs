//! What was served: the row that a prediction was made of, as it goes to the feature log in the same commit. Training reads it there, so
//! that it sees what the model saw. Byte by byte in docs/reference/feature-log.md.
//!
//! A row says by a number which columns it has. What they are called is told in the same partition before the first row, whenever it
//! changes, and every hour, so that whoever has an hour of the log can read it.

use std::sync::Arc;

use bytes::Bytes;
use domain::{Span, Timestamp, Value, ValueKind};
use ports::Outgoing;
use scoring::{Predictor, Read, Row};
use xxhash_rust::xxh3::xxh3_64;

use super::Prediction;
use crate::json::quoted;

/// Form and version of a row.
const MARK: &[u8; 4] = b"hfl1";
/// Everything before the bitmap.
const HEAD_BYTES: usize = 64;
/// Stands for an instant or an age that there is not.
const NONE: i64 = i64::MIN;
/// How often columns are told again: seldom enough to cost nothing, often enough that a part of the log can be read alone.
const TELL_EVERY: Span = Span(3_600_000);

/// What the columns of a row are called, and of which kind each is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// The number by which rows name them.
    pub schema: u32,
    /// As JSON.
    json: Arc<str>,
}

/// A row as it was served.
#[derive(Clone, Debug, PartialEq)]
pub struct Served {
    /// Which columns it has.
    pub schema: u32,
    /// The prediction that was made of it, as [`Prediction::id`] says it.
    pub id: u128,
    /// The instant of the prediction.
    pub at: Timestamp,
    /// What was read for it.
    pub read: Read,
    /// One value for each column.
    pub words: Vec<Option<u64>>,
}

impl Columns {
    /// Those of a predictor's rows.
    pub fn of(predictor: &Predictor) -> Self {
        Self::named(predictor.columns())
    }

    fn named(columns: &[(String, ValueKind)]) -> Self {
        let column = |(name, kind): &(String, ValueKind)| format!("[{},{}]", quoted(name), said(kind));
        let columns: Vec<String> = columns.iter().map(column).collect();
        let columns = columns.join(",");
        let schema = xxh3_64(columns.as_bytes()) as u32;
        let json = format!("{{\"version\":1,\"schema\":{schema},\"columns\":[{columns}]}}");
        Self { schema, json: json.into() }
    }

    /// Reads the record that tells of them: their number, names and kinds; none when it is none.
    pub fn decode(bytes: &[u8]) -> Option<(u32, Vec<(String, ValueKind)>)> {
        let told: serde_json::Value = serde_json::from_slice(bytes).ok()?;
        if told["version"] != 1 {
            return None;
        }
        let column = |column: &serde_json::Value| Some((column[0].as_str()?.to_owned(), heard(&column[1])?));
        let columns = told["columns"].as_array()?.iter().map(column).collect::<Option<_>>()?;
        Some((told["schema"].as_u64()?.try_into().ok()?, columns))
    }

    /// The record that tells of them. It has no key, since it is about no case.
    fn outgoing(&self, topic: Arc<str>, partition: u32) -> Outgoing {
        let value = Bytes::copy_from_slice(self.json.as_bytes());
        Outgoing { topic, partition, key: Bytes::new(), value, headers: Vec::new() }
    }
}

fn said(kind: &ValueKind) -> String {
    match kind {
        ValueKind::Float => quoted("float"),
        ValueKind::Integer => quoted("integer"),
        ValueKind::Boolean => quoted("boolean"),
        ValueKind::Time => quoted("time"),
        ValueKind::Category(names) => format!("[{}]", names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(",")),
    }
}

fn heard(kind: &serde_json::Value) -> Option<ValueKind> {
    match kind {
        serde_json::Value::Array(names) => {
            Some(ValueKind::Category(names.iter().map(|name| name.as_str().map(str::to_owned)).collect::<Option<_>>()?))
        }
        kind => match kind.as_str()? {
            "float" => Some(ValueKind::Float),
            "integer" => Some(ValueKind::Integer),
            "boolean" => Some(ValueKind::Boolean),
            "time" => Some(ValueKind::Time),
            _ => None,
        },
    }
}

/// Which columns were told in a partition, and when.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told(Option<(u32, Timestamp)>);

impl Told {
    /// The records of a row, with that of its columns before it where it has to be told.
    pub(super) fn outgoing(
        &mut self,
        columns: &Columns,
        (prediction, row): (&Prediction, &Row),
        (topic, partition): (&Arc<str>, u32),
        now: Timestamp,
    ) -> Vec<Outgoing> {
        let is_known = self.0.is_some_and(|(schema, at)| schema == columns.schema && now < at.plus(TELL_EVERY));
        let mut outgoing = Vec::with_capacity(2);
        if !is_known {
            self.0 = Some((columns.schema, now));
            outgoing.push(columns.outgoing(topic.clone(), partition));
        }
        let value = Bytes::from(encode(columns.schema, prediction, row));
        let key = Bytes::copy_from_slice(prediction.key.as_bytes());
        outgoing.push(Outgoing { topic: topic.clone(), partition, key, value, headers: Vec::new() });
        outgoing
    }
}

fn encode(schema: u32, prediction: &Prediction, row: &Row) -> Vec<u8> {
    let read = &prediction.read;
    let count = u16::try_from(row.len()).unwrap_or_else(|_| panic!("a row has some hundred columns, not {}", row.len()));
    let mut bytes = Vec::with_capacity(HEAD_BYTES + row.len().div_ceil(8) + 8 * row.len());
    bytes.extend(MARK);
    bytes.extend(schema.to_le_bytes());
    bytes.extend(prediction.number().to_be_bytes());
    for instant in [prediction.at.0, read.as_of.map_or(NONE, |at| at.0), read.oldest.map_or(NONE, |age| age.0)] {
        bytes.extend(instant.to_le_bytes());
    }
    for vectors in [read.missing, read.unreadable, read.outdated, read.silent] {
        bytes.extend(u16::try_from(vectors).unwrap_or(u16::MAX).to_le_bytes());
    }
    bytes.extend([u8::from(read.refused), 0]);
    bytes.extend(count.to_le_bytes());
    bytes.extend([0; 4]);
    for eight in row.chunks(8) {
        bytes.push(eight.iter().enumerate().fold(0, |bits, (place, value)| bits | u8::from(value.is_some()) << place));
    }
    for value in row.iter().flatten() {
        let word = match value {
            Value::Float(value) => value.to_bits(),
            Value::Integer(value) => value.cast_unsigned(),
        };
        bytes.extend(word.to_le_bytes());
    }
    bytes
}

impl Served {
    /// The row, for whoever makes such rows; none where these are not the columns that it has.
    pub fn row(&self, predictor: &Predictor) -> Option<Row> {
        let is_known = Columns::of(predictor).schema == self.schema;
        if is_known { self.values(predictor.columns()) } else { None }
    }

    /// The row, for whoever was told of its columns; none where there are more or fewer of them.
    pub fn values(&self, columns: &[(String, ValueKind)]) -> Option<Row> {
        if columns.len() != self.words.len() {
            return None;
        }
        let value = |((_, kind), word): (&(String, ValueKind), &Option<u64>)| match kind {
            ValueKind::Float => word.map(|word| Value::Float(f64::from_bits(word))),
            _ => word.map(|word| Value::Integer(word.cast_signed())),
        };
        Some(columns.iter().zip(&self.words).map(value).collect())
    }

    /// Reads the record of a row; none when it is none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let head = bytes.first_chunk::<HEAD_BYTES>().filter(|head| head.starts_with(MARK))?;
        let at = |place: usize| head[place..place + 8].try_into().map_or(NONE, i64::from_le_bytes);
        let small = |place: usize| u16::from_le_bytes([head[place], head[place + 1]]);
        let some = |number: i64| (number != NONE).then_some(number);
        let read = Read {
            as_of: some(at(32)).map(Timestamp),
            oldest: some(at(40)).map(Span),
            missing: small(48).into(),
            unreadable: small(50).into(),
            outdated: small(52).into(),
            silent: small(54).into(),
            refused: head[56] == 1,
        };
        let count = usize::from(small(58));
        let (bitmap, rest) = bytes[HEAD_BYTES..].split_at_checked(count.div_ceil(8))?;
        let (values, rest) = rest.as_chunks::<8>();
        let mut values = values.iter().map(|word| u64::from_le_bytes(*word));
        let words = (0..count).map(|place| match bitmap[place / 8] >> (place % 8) & 1 {
            1 => values.next().map(Some),
            _ => Some(None),
        });
        let words = words.collect::<Option<Vec<Option<u64>>>>()?;
        let is_whole = rest.is_empty() && values.next().is_none();
        is_whole.then_some(Self {
            schema: u32::from_le_bytes(head[4..8].try_into().ok()?),
            id: u128::from_be_bytes(head[8..24].try_into().ok()?),
            at: Timestamp(at(24)),
            read,
            words,
        })
    }
}

#[cfg(test)]
mod tests {
    use scoring::{Applied, Quantiles};

    use super::*;
    use crate::scorer::Trigger;

    fn prediction() -> Prediction {
        let read = Read {
            as_of: Some(Timestamp(1_795_348_799_500)),
            oldest: Some(Span(500)),
            missing: 2,
            outdated: 1,
            ..Read::default()
        };
        Prediction {
            key: "o1".into(),
            trigger: Trigger::Time(Timestamp(7)),
            stage: Some(0),
            at: Timestamp(1_795_348_800_000),
            area: String::new(),
            left: Quantiles::rearranged([600.0; 4]).expect("numbers"),
            said: Quantiles::rearranged([600.0; 4]).expect("numbers"),
            applied: Applied {
                left: Quantiles::rearranged([600.0; 4]).expect("numbers"),
                seconds: 0.0,
                corrector: None,
                calibration: None,
            },
            promise_at: Timestamp(1_795_350_000_000),
            model: None,
            degraded: None,
            read,
        }
    }

    /// Eleven columns: nulls take no place, and the last is in the second byte of the bitmap.
    fn row() -> Row {
        let mut row: Row = vec![None; 11];
        row[1] = Some(Value::Float(-2.5));
        row[4] = Some(Value::Integer(-7));
        row[10] = Some(Value::Float(f64::NAN));
        row
    }

    #[test]
    fn a_row_is_read_as_it_was_served() {
        let bytes = encode(77, &prediction(), &row());
        assert_eq!(bytes.len(), HEAD_BYTES + 2 + 3 * 8);
        let served = Served::decode(&bytes).expect("whole");
        let (read, at) = (prediction().read, prediction().at);
        assert_eq!((served.schema, served.at, served.read), (77, at, read));
        assert_eq!(format!("{:032x}", served.id), prediction().id());
        let expected = [(1, (-2.5_f64).to_bits()), (4, (-7_i64).cast_unsigned()), (10, f64::NAN.to_bits())];
        let found = served.words.iter().enumerate().filter_map(|(place, word)| Some((place, (*word)?)));
        assert_eq!((found.collect::<Vec<_>>(), served.words.len()), (expected.into(), 11));
    }

    #[test]
    fn columns_are_read_as_they_were_told() {
        let labels = ["rain", "a\"b"].map(str::to_owned).into();
        let kinds = [ValueKind::Float, ValueKind::Integer, ValueKind::Boolean, ValueKind::Time, ValueKind::Category(labels)];
        let columns: Vec<(String, ValueKind)> =
            (0..).zip(kinds).map(|(place, kind)| (format!("column \"{place}\""), kind)).collect();
        let told = Columns::named(&columns);
        assert_eq!(Columns::decode(told.json.as_bytes()), Some((told.schema, columns.clone())));
        for (from, to) in [("\"version\":1", "\"version\":2"), ("\"time\"", "\"month\""), ("\"schema\":", "\"schema\":-")] {
            assert!(told.json.contains(from));
            assert_eq!(Columns::decode(told.json.replace(from, to).as_bytes()), None, "{to}");
        }
        let served = |words: &[u64]| Served {
            schema: told.schema,
            id: 1,
            at: Timestamp(0),
            read: Read::default(),
            words: words.iter().map(|word| Some(*word)).collect(),
        };
        let row = [Some(Value::Float(1.5)), Some(Value::Integer(-1)), Some(Value::Integer(1))];
        let words = [1.5_f64.to_bits(), (-1_i64).cast_unsigned(), 1];
        assert_eq!(served(&words).values(&columns[..3]), Some(row.into()));
        assert_eq!(served(&words).values(&columns), None);
    }

    #[test]
    fn what_is_cut_short_or_longer_or_something_else_is_no_row() {
        let bytes = encode(77, &prediction(), &row());
        (0..bytes.len()).for_each(|length| assert_eq!(Served::decode(&bytes[..length]), None, "{length}"));
        assert_eq!(Served::decode(&[&bytes[..], &[0]].concat()), None);
        assert_eq!(Served::decode(&[&b"hfl2"[..], &bytes[4..]].concat()), None);
    }

    #[test]
    fn columns_are_told_first_when_they_change_and_every_hour() {
        let columns = |schema| Columns { schema, json: "{}".into() };
        let (mut told, topic) = (Told::default(), Arc::from("log"));
        let (prediction, row) = (prediction(), row());
        let mut count = |schema, now| told.outgoing(&columns(schema), (&prediction, &row), (&topic, 3), Timestamp(now)).len();
        let counts = [count(1, 0), count(1, 5), count(2, 6), count(2, 3_600_005), count(2, 3_600_006), count(2, 3_600_007)];
        assert_eq!(counts, [2, 1, 2, 1, 2, 1]);
    }
}
