//! One micro-batch of events in columns: what decoding writes and everything after it reads.
//!
//! A number, boolean, time or category is its units (see `docs/semantics.md`) with [`NULL`] for null. Fields that no
//! expression looks at are checked when decoded but take no room here.

use pipeline::FieldKind;

/// Null among units. Units never exceed 2^48 in magnitude, and times lie between the years 2000 and 2100.
pub(crate) const NULL: i64 = i64::MIN;

/// Events or rows of one source.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    /// Event times in milliseconds.
    pub(crate) times: Vec<i64>,
    /// 128-bit identities.
    pub(crate) identities: Vec<u128>,
    /// One for each field of the source.
    pub(crate) fields: Vec<FieldColumn>,
}

/// The values of one field.
#[derive(Debug)]
pub(crate) enum FieldColumn {
    /// Of every kind but text.
    Units(Vec<i64>),
    /// `string` and `cell` fields.
    Text(Texts),
    /// Nothing looks at it.
    Unused,
}

/// Texts end to end in one buffer.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    buffer: String,
    spans: Vec<(u32, u32)>,
}

/// One value of a row, for what outlives a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// Null, or of a field that nothing looks at.
    Null,
    /// Of every kind but text.
    Units(i64),
    /// `string` and `cell` fields.
    Text(Box<str>),
}

impl Scalar {
    /// As a key is written.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Units(units) => units.to_string(),
            Self::Text(text) => text.to_string(),
        }
    }
}

const NULL_SPAN: (u32, u32) = (u32::MAX, u32::MAX);

impl Texts {
    pub(crate) fn push(&mut self, text: Option<&str>) {
        let Some(text) = text else { return self.spans.push(NULL_SPAN) };
        let start = self.buffer.len();
        self.buffer.push_str(text);
        let bound = |at: usize| u32::try_from(at).unwrap_or_else(|_| panic!("a micro-batch holds at most 4 GiB of text"));
        self.spans.push((bound(start), bound(self.buffer.len())));
    }

    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        let (start, end) = self.spans[row];
        (start != u32::MAX).then(|| &self.buffer[start as usize..end as usize])
    }

    fn truncate(&mut self, rows: usize) {
        self.spans.truncate(rows);
        if rows == 0 {
            self.buffer.clear();
        }
    }
}

impl Columns {
    /// Empty columns for fields of which only those marked in `used` are kept.
    pub(crate) fn new(fields: &[pipeline::Field], used: &[bool]) -> Self {
        let column = |(field, used): (&pipeline::Field, &bool)| match field.kind {
            _ if !used => FieldColumn::Unused,
            FieldKind::Text | FieldKind::Cell { .. } => FieldColumn::Text(Texts::default()),
            _ => FieldColumn::Units(Vec::new()),
        };
        Self { times: Vec::new(), identities: Vec::new(), fields: fields.iter().zip(used).map(column).collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    /// Forgets all but the first rows and keeps the memory. Also takes back a row that was pushed in part.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.times.truncate(rows);
        self.identities.truncate(rows);
        for column in &mut self.fields {
            match column {
                FieldColumn::Units(units) => units.truncate(rows),
                FieldColumn::Text(texts) => texts.truncate(rows),
                FieldColumn::Unused => {}
            }
        }
    }

    /// Appends to one column; the others must follow.
    pub(crate) fn push_units(&mut self, field: usize, value: i64) {
        if let FieldColumn::Units(units) = &mut self.fields[field] {
            units.push(value);
        }
    }

    /// Appends to one column; the others must follow.
    pub(crate) fn push_text(&mut self, field: usize, text: Option<&str>) {
        if let FieldColumn::Text(texts) = &mut self.fields[field] {
            texts.push(text);
        }
    }

    /// The units of a field that some expression uses.
    pub(crate) fn units(&self, field: usize) -> &[i64] {
        match &self.fields[field] {
            FieldColumn::Units(units) => units,
            other => panic!("field {field} was resolved as a number and holds {other:?}"),
        }
    }

    /// The texts of a field that some expression uses.
    pub(crate) fn texts(&self, field: usize) -> &Texts {
        match &self.fields[field] {
            FieldColumn::Text(texts) => texts,
            other => panic!("field {field} was resolved as text and holds {other:?}"),
        }
    }

    /// A row to keep beyond the batch.
    pub(crate) fn row(&self, row: usize) -> Box<[Scalar]> {
        (0..self.fields.len()).map(|field| self.scalar(row, field)).collect()
    }

    /// One value to keep beyond the batch.
    pub(crate) fn scalar(&self, row: usize, field: usize) -> Scalar {
        match &self.fields[field] {
            FieldColumn::Units(units) if units[row] != NULL => Scalar::Units(units[row]),
            FieldColumn::Text(texts) => texts.get(row).map_or(Scalar::Null, |text| Scalar::Text(text.into())),
            _ => Scalar::Null,
        }
    }

    /// Appends a kept row.
    pub(crate) fn push_row(&mut self, time: i64, identity: u128, row: &[Scalar]) {
        self.times.push(time);
        self.identities.push(identity);
        for (column, scalar) in self.fields.iter_mut().zip(row) {
            match (column, scalar) {
                (FieldColumn::Units(units), Scalar::Units(value)) => units.push(*value),
                (FieldColumn::Units(units), _) => units.push(NULL),
                (FieldColumn::Text(texts), Scalar::Text(text)) => texts.push(Some(text)),
                (FieldColumn::Text(texts), _) => texts.push(None),
                (FieldColumn::Unused, _) => {}
            }
        }
    }
}
