//! Payloads to columns: JSON text to typed, quantised fields. Decides nothing that depends on time or on other records.

mod instant;
mod number;
mod object;

use domain::{EARLIEST, LATEST};
use h3o::{LatLng, Resolution};
use pipeline::{Field, FieldKind, Source, Stream};
use xxhash_rust::xxh3::xxh3_128;

pub(crate) use self::number::UNITS_MAX;
use self::{
    instant::Instants,
    object::{Lead, Taker, Token},
};
use crate::{
    Reason as Fault,
    columns::{Columns, FieldColumn, NULL},
};

/// Longer payloads are refused unread.
pub(crate) const PAYLOAD_BYTES_MAX: usize = 1 << 20;

/// Members of an object whose places are remembered.
const ORDER_MAX: usize = 64;

/// Reads the payloads of one stream.
#[derive(Debug)]
pub(crate) struct Decoder {
    fields: Vec<Field>,
    needed: Vec<bool>,
    identity: Identity,
    /// The members of the object that was read last, with their fields: producers write one order.
    order: Vec<Remembered>,
    instants: Instants,
    hashed: Vec<u8>,
    units: Vec<i64>,
}

/// A member of the object that was read last.
#[derive(Debug)]
struct Remembered {
    name: String,
    lead: Option<Lead>,
    field: Option<usize>,
}

/// The members of the object being read.
struct Reading<'d, 'a> {
    fields: &'d [Field],
    order: &'d mut Vec<Remembered>,
    scratch: &'d mut Scratch<'a>,
    /// Members taken so far.
    place: usize,
}

/// What makes a row itself.
#[derive(Clone, Copy, Debug)]
enum Identity {
    /// Two texts and a time.
    Event { source: usize, id: usize, time: usize },
    /// The key of a row that was there from the start of time.
    FileRow { key: usize },
}

/// Tokens of the object being read, one slot a field; reused from record to record of a batch.
pub(crate) type Scratch<'a> = Vec<Option<Token<'a>>>;

impl Decoder {
    pub(crate) fn new(source: &Source, stream: &Stream) -> Self {
        let identity = Identity::Event { source: stream.identity_source, id: stream.identity_id, time: stream.time };
        Self::with(source, identity, &[stream.identity_source, stream.identity_id, stream.time, stream.key])
    }

    /// A decoder for the lines of a file table.
    pub(crate) fn for_file(source: &Source, key: usize) -> Self {
        Self::with(source, Identity::FileRow { key }, &[key])
    }

    fn with(source: &Source, identity: Identity, implied: &[usize]) -> Self {
        let needed = source.fields.iter().enumerate().map(|(place, field)| field.required || implied.contains(&place));
        Self {
            needed: needed.collect(),
            units: vec![NULL; source.fields.len()],
            fields: source.fields.clone(),
            identity,
            order: Vec::new(),
            instants: Instants::new(),
            hashed: Vec::new(),
        }
    }

    /// The key of a file table's line, as text.
    pub(crate) fn file_key(&mut self, line: &[u8]) -> Result<String, Fault> {
        let Identity::FileRow { key } = self.identity else { panic!("only the lines of a file have no identity of their own") };
        let mut scratch = vec![None; self.fields.len()];
        self.tokens(std::str::from_utf8(line).map_err(|_| Fault::NotUtf8)?, &mut scratch)?;
        match &scratch[key] {
            Some(Token::Text(text)) => Ok(text.to_string()),
            Some(Token::Number(text)) => Ok((*text).to_owned()),
            None | Some(Token::Null) => Err(Fault::MissingField),
            Some(_) => Err(Fault::WrongType),
        }
    }

    /// Appends the payload's row to the columns, or leaves them as they were and says why.
    pub(crate) fn decode<'a>(
        &mut self,
        payload: &'a [u8],
        scratch: &mut Scratch<'a>,
        columns: &mut Columns,
    ) -> Result<(), Fault> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(Fault::TooLarge);
        }
        let text = std::str::from_utf8(payload).map_err(|_| Fault::NotUtf8)?;
        scratch.clear();
        scratch.resize(self.fields.len(), None);
        self.tokens(text, scratch)?;
        let rows = columns.len();
        let pushed = self.push(scratch, columns);
        if pushed.is_err() {
            columns.truncate(rows);
        }
        pushed
    }

    fn tokens<'a>(&mut self, text: &'a str, scratch: &mut Scratch<'a>) -> Result<(), Fault> {
        let mut reading = Reading { fields: &self.fields, order: &mut self.order, scratch, place: 0 };
        object::members(text, &mut reading).map_err(|_| Fault::Malformed)
    }

    fn push(&mut self, scratch: &Scratch<'_>, columns: &mut Columns) -> Result<(), Fault> {
        for (place, token) in scratch.iter().enumerate() {
            let token = token.as_ref().filter(|token| **token != Token::Null);
            match (&self.fields[place].kind, token) {
                (FieldKind::Cell { .. }, _) => {}
                (_, None) if self.needed[place] => return Err(Fault::MissingField),
                (FieldKind::Text, None) => columns.push_text(place, None),
                (FieldKind::Text, Some(Token::Text(text))) if text.is_empty() && self.is_identity(place) => {
                    return Err(Fault::MissingField);
                }
                (FieldKind::Text, Some(Token::Text(text))) => columns.push_text(place, Some(text)),
                (FieldKind::Text, Some(_)) => return Err(Fault::WrongType),
                (_, token) => {
                    let units = token.map_or(Ok(NULL), |token| self.units(place, token))?;
                    self.units[place] = units;
                    columns.push_units(place, units);
                }
            }
        }
        self.push_cells(columns);
        self.hashed.clear();
        let time = match self.identity {
            Identity::Event { source, id, time } => {
                self.hashed.extend_from_slice(text_of(&scratch[source]).as_bytes());
                self.hashed.push(0x1F);
                self.hashed.extend_from_slice(text_of(&scratch[id]).as_bytes());
                self.units[time]
            }
            Identity::FileRow { key } => {
                self.hashed.extend_from_slice(text_of(&scratch[key]).as_bytes());
                EARLIEST.0
            }
        };
        columns.identities.push(xxh3_128(&self.hashed));
        columns.times.push(time);
        Ok(())
    }

    fn units(&mut self, field: usize, token: &Token<'_>) -> Result<i64, Fault> {
        match (&self.fields[field].kind, token) {
            (FieldKind::Integer { min, max }, Token::Number(text)) => bounded(number::integer(text.as_bytes())?, *min, *max),
            (FieldKind::Decimal { digits, min, max, round }, Token::Number(text)) => {
                bounded(number::decimal(text.as_bytes(), *digits, *round)?, *min, *max)
            }
            (FieldKind::Boolean, Token::Boolean(value)) => Ok(i64::from(*value)),
            (FieldKind::Time, Token::Text(text)) => in_time(self.instants.parse(text).ok_or(Fault::WrongType)?),
            (FieldKind::Time, Token::Number(text)) => in_time(number::integer(text.as_bytes())?),
            (FieldKind::Category(labels), Token::Text(text)) => {
                let place = labels.iter().position(|label| label == text).ok_or(Fault::WrongType)?;
                Ok(i64::try_from(place).unwrap_or(i64::MAX))
            }
            _ => Err(Fault::WrongType),
        }
    }

    fn is_identity(&self, field: usize) -> bool {
        matches!(self.identity, Identity::Event { source, id, .. } if source == field || id == field)
    }

    fn push_cells(&self, columns: &mut Columns) {
        for (place, field) in self.fields.iter().enumerate() {
            let FieldKind::Cell { latitude, longitude, resolution } = field.kind else { continue };
            if matches!(columns.fields[place], FieldColumn::Unused) {
                continue;
            }
            let degrees = |field: usize| (self.units[field] != NULL).then(|| self.units[field] as f64 / self.scale(field));
            let cell = degrees(latitude).zip(degrees(longitude)).and_then(|(lat, lon)| cell(lat, lon, resolution));
            columns.push_text(place, cell.as_deref());
        }
    }

    fn scale(&self, field: usize) -> f64 {
        match self.fields[field].kind {
            FieldKind::Decimal { digits, .. } => 10f64.powi(i32::from(digits)),
            _ => 1.0,
        }
    }
}

impl<'a> Taker<'a> for Reading<'_, 'a> {
    fn lead(&self) -> Option<&Lead> {
        self.order.get(self.place)?.lead.as_ref()
    }

    #[inline(always)]
    fn take_expected(&mut self, token: Token<'a>) -> bool {
        let field = self.order[self.place].field;
        self.put(field, token)
    }

    fn take_named(&mut self, name: &str, token: Token<'a>) -> bool {
        let field = match self.order.get(self.place) {
            Some(remembered) if remembered.name == name => remembered.field,
            _ => self.remember(name),
        };
        self.put(field, token)
    }
}

impl<'a> Reading<'_, 'a> {
    /// The field of a member that nobody expected.
    fn remember(&mut self, name: &str) -> Option<usize> {
        // A cell is computed: a member of its name is as good as undeclared.
        let is_read = |field: &Field| field.name == name && !matches!(field.kind, FieldKind::Cell { .. });
        let field = self.fields.iter().position(is_read);
        self.order.truncate(self.place);
        // An object of a million members is not worth remembering.
        if self.place < ORDER_MAX {
            self.order.push(Remembered { name: name.to_owned(), lead: Lead::new(self.place, name), field });
        }
        field
    }

    #[inline(always)]
    fn put(&mut self, field: Option<usize>, token: Token<'a>) -> bool {
        self.place += 1;
        let Some(slot) = field.map(|field| &mut self.scratch[field]) else { return true };
        if slot.is_some() || token == Token::HalfCharacter {
            return false;
        }
        *slot = Some(token);
        true
    }
}

fn text_of<'a>(token: &'a Option<Token<'_>>) -> &'a str {
    match token {
        Some(Token::Text(text)) => text,
        Some(Token::Number(text)) => text,
        _ => "",
    }
}

fn bounded(units: i64, min: i64, max: i64) -> Result<i64, Fault> {
    if (min..=max).contains(&units) { Ok(units) } else { Err(Fault::OutOfRange) }
}

fn in_time(ms: i64) -> Result<i64, Fault> {
    if (EARLIEST.0..LATEST.0).contains(&ms) { Ok(ms) } else { Err(Fault::OutOfRange) }
}

/// The H3 cell of a position, none outside the globe.
fn cell(latitude: f64, longitude: f64, resolution: u8) -> Option<String> {
    if latitude.abs() > 90.0 || longitude.abs() > 180.0 {
        return None;
    }
    let resolution = Resolution::try_from(resolution).ok()?;
    Some(LatLng::new(latitude, longitude).ok()?.to_cell(resolution).to_string())
}

#[cfg(test)]
mod tests;
