//! The row of a case out of what is known of it: vectors of the entities that it is about, transforms, what the case carries itself,
//! and the local time. A vector that cannot be used leaves its columns without values; what was used, and how old it was, is
//! noted. Never fetches anything.

use std::sync::Arc;

use domain::{FeatureVector, PackedError, Schema, Span, Timestamp, is_outdated, unpack};
use pipeline::{Pipeline, WhenOutdated};

use crate::{Calendar, Evaluator, Row, Transforms};

/// What rows are made by.
#[derive(Debug)]
pub struct Rows {
    groups: Vec<Group>,
    transforms: Transforms,
    calendar: Calendar,
}

/// Makes one row after the other.
#[derive(Debug)]
pub struct Joining<'r> {
    rows: &'r Rows,
    evaluator: Evaluator<'r>,
    computed: Row,
}

#[derive(Debug)]
struct Group {
    schema: Schema,
    when_outdated: WhenOutdated,
}

/// A row, and what it was made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// All columns before the inputs.
    pub row: Row,
    /// What was read.
    pub read: Read,
}

/// What was read for a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    /// The instant of the oldest vector that was used.
    pub as_of: Option<Timestamp>,
    /// How long ago that was.
    pub oldest: Option<Span>,
    /// Vectors that were not there.
    pub missing: u32,
    /// Bytes that are no vector of their group's present schema.
    pub unreadable: u32,
    /// Vectors that should have been written anew by now, used or not.
    pub outdated: u32,
    /// Vectors whose source has fallen silent: they stand still.
    pub silent: u32,
    /// An outdated vector is of a group that may not be used then: no model should be asked.
    pub refused: bool,
}

/// What a case knows itself, at one instant.
#[derive(Clone, Debug)]
pub struct Own<'a> {
    /// Its attributes that are values, and the seconds since each stage: as many as the pipeline has such columns.
    pub values: &'a Row,
    /// The instant.
    pub now: Timestamp,
}

impl Rows {
    /// For a pipeline with the schemas of its groups.
    pub fn new(pipeline: &Pipeline, schemas: Vec<Schema>, calendar: Calendar) -> Self {
        let group = |(schema, group): (Schema, &pipeline::Group)| Group { schema, when_outdated: group.when_outdated };
        let groups = schemas.into_iter().zip(&pipeline.groups).map(group).collect();
        Self { groups, transforms: Transforms::of(pipeline), calendar }
    }

    /// Something that makes them; one for each thread.
    pub fn joining(&self) -> Joining<'_> {
        Joining { rows: self, evaluator: self.transforms.evaluator(), computed: Row::new() }
    }
}

impl Joining<'_> {
    /// The row of a case. `vectors` are those of its entities: one for each group of the pipeline, none where there is no vector, and
    /// `wanted` says which groups were asked for at all.
    ///
    /// # Panics
    ///
    /// When there are more or fewer vectors than groups.
    pub fn row(&mut self, wanted: &[bool], vectors: &[Option<Arc<[u8]>>], own: &Own<'_>) -> Known {
        let Rows { groups, calendar, .. } = self.rows;
        assert_eq!((wanted.len(), vectors.len()), (groups.len(), groups.len()), "one of each for each group");
        let (mut row, mut read) = (Row::new(), Read::default());
        for ((group, wanted), vector) in groups.iter().zip(wanted).zip(vectors) {
            let used = if *wanted { read.take(group, vector.as_deref(), own.now) } else { None };
            match used {
                Some(vector) => row.extend(vector.values),
                None => row.extend(std::iter::repeat_n(None, group.schema.columns.len())),
            }
        }
        self.evaluator.append(&row, &mut self.computed);
        row.append(&mut self.computed);
        row.extend_from_slice(own.values);
        row.extend(calendar.values(own.now));
        read.oldest = read.as_of.map(|as_of| Span(own.now.0.saturating_sub(as_of.0).max(0)));
        Known { row, read }
    }
}

impl Read {
    /// The vector of a group, if it may be used.
    fn take(&mut self, group: &Group, packed: Option<&[u8]>, now: Timestamp) -> Option<FeatureVector> {
        let Some(packed) = packed else {
            self.missing += 1;
            return None;
        };
        let read: Result<FeatureVector, PackedError> = unpack(packed, &group.schema);
        let Ok(vector) = read else {
            self.unreadable += 1;
            return None;
        };
        self.silent += u32::from(vector.source_silent);
        // While a source is silent nothing is written anew, which the flag has said.
        let is_outdated = !vector.source_silent && is_outdated(vector.valid_until, group.schema.tolerance, now);
        self.outdated += u32::from(is_outdated);
        match group.when_outdated {
            WhenOutdated::Default if is_outdated => return None,
            WhenOutdated::Refuse if is_outdated => {
                self.refused = true;
                return None;
            }
            // What is stored is the last that was right.
            WhenOutdated::Serve | WhenOutdated::LastGood | WhenOutdated::Default | WhenOutdated::Refuse => {}
        }
        self.as_of = Some(self.as_of.map_or(vector.as_of, |oldest| oldest.min(vector.as_of)));
        Some(vector)
    }
}

#[cfg(test)]
mod tests {
    use domain::{Header, Value, pack};

    use super::*;

    const SPEC: &str = r#"
[source.orders]
topic = "orders"
key = "order"
time = "at"
skew = "30s"
lateness = "10m"

[source.orders.fields]
store = "string"
amount = { decimal = "0.01", max = 500 }

[group.served]
entity = "store"
key = "store"
source = "orders"
hop = "1m"
tolerance = "1m"
features.mean = { mean = "amount", windows = ["5m"] }

[group.defaulted]
entity = "store"
key = "store"
source = "orders"
hop = "1m"
tolerance = "1m"
when_outdated = "default"
features.count = { count = "*", windows = ["5m"] }

[group.refused]
entity = "store"
key = "store"
source = "orders"
hop = "1m"
tolerance = "1m"
when_outdated = "refuse"
features.most = { max = "amount", windows = ["5m"] }

[transform]
twice = "mean_5m * 2"
"#;
    const NOW: Timestamp = Timestamp(1_795_348_800_000);

    fn rows() -> Rows {
        let pipeline = pipeline::parse("test", SPEC).expect("a pipeline");
        Rows::new(&pipeline, testkit::pipelines::schemas(&pipeline), Calendar::new("UTC", []).expect("a calendar"))
    }

    /// A vector of the group at this place, so many seconds old and good for so many more.
    fn vector(place: u32, word: u64, age: i64, valid: i64, source_silent: bool) -> Option<Arc<[u8]>> {
        let mut packed = Vec::new();
        let header = Header {
            schema: place,
            generation: 1,
            position: 1,
            as_of: NOW.minus(Span(age * 1000)),
            valid_until: NOW.plus(Span(valid * 1000)),
            source_seen_at: None,
            source_silent,
        };
        pack(&mut packed, &header, &[Some(word)]);
        Some(packed.into())
    }

    /// What is read of three groups, all of them asked for.
    fn read(vectors: &[Option<Arc<[u8]>>; 3]) -> (Vec<Option<f64>>, Read) {
        let values = vec![Some(Value::Float(0.5))];
        let known = rows().joining().row(&[true; 3], vectors, &Own { values: &values, now: NOW });
        let number = |value: &Option<Value>| value.map(|value| if let Value::Float(number) = value { number } else { -1.0 });
        assert_eq!(known.row.len(), 3 + 1 + 1 + 4);
        assert_eq!((number(&known.row[4]), known.row[7]), (Some(0.5), Some(Value::Integer(7))), "a Sunday");
        (known.row[..4].iter().map(number).collect(), known.read)
    }

    fn float(number: f64) -> u64 {
        number.to_bits()
    }

    #[test]
    fn what_is_fresh_is_used_and_its_age_is_known() {
        let fresh = [vector(0, float(2.5), 5, 60, false), vector(1, 3, 40, 60, false), vector(2, float(9.0), 10, -60, false)];
        let (values, read) = self::read(&fresh);
        assert_eq!(values, [Some(2.5), Some(-1.0), Some(9.0), Some(5.0)], "the last is twice the first");
        let as_of = NOW.minus(Span(40_000));
        assert_eq!(read, Read { as_of: Some(as_of), oldest: Some(Span(40_000)), ..Read::default() });
    }

    #[test]
    fn what_is_outdated_is_used_as_its_group_declares() {
        let old = [vector(0, float(2.5), 500, -61, false), vector(1, 3, 500, -61, false), vector(2, float(9.0), 500, -61, false)];
        let (values, read) = self::read(&old);
        assert_eq!(values, [Some(2.5), None, None, Some(5.0)]);
        assert_eq!((read.outdated, read.refused, read.oldest), (3, true, Some(Span(500_000))));
        let never = [vector(0, float(2.5), 500, i64::MAX / 2000, false), None, None];
        assert_eq!(self::read(&never).1.outdated, 0);
    }

    #[test]
    fn a_silent_source_is_no_outdated_vector() {
        let silent = [vector(0, float(2.5), 500, -400, true), None, vector(2, float(9.0), 500, -400, true)];
        let (values, read) = self::read(&silent);
        assert_eq!(values, [Some(2.5), None, Some(9.0), Some(5.0)]);
        assert_eq!((read.outdated, read.silent, read.missing, read.refused), (0, 2, 1, false));
    }

    #[test]
    fn what_is_no_vector_is_none() {
        let (values, read) = self::read(&[vector(1, 3, 5, 60, false), Some(vec![9; 10].into()), None]);
        assert_eq!(values, [None; 4]);
        assert_eq!((read.unreadable, read.missing, read.as_of), (2, 1, None));
        let rows = rows();
        let own = Own { values: &vec![None], now: NOW };
        let known = rows.joining().row(&[false; 3], &[None, None, None], &own);
        assert_eq!(known.read, Read::default(), "what nobody asked for is not missing");
    }
}
