//! Rows as bytes, for the log of rows. Little endian; a tag before each cell. Never leaves this machine.

use domain::Timestamp;
use ports::{Cell, Rows};

const NULL: u8 = 0;
const INTEGER: u8 = 1;
const FLOAT: u8 = 2;
const TEXT: u8 = 3;
const FALSE: u8 = 4;
const TRUE: u8 = 5;
const INSTANT: u8 = 6;

/// Appends the number of rows and their cells. All rows have as many cells.
pub(super) fn encode(rows: &[Vec<Cell>], out: &mut Vec<u8>) {
    out.extend_from_slice(&count(rows.len()).to_le_bytes());
    out.extend_from_slice(&count(rows.first().map_or(0, Vec::len)).to_le_bytes());
    for cell in rows.iter().flatten() {
        match cell {
            Cell::Null => out.push(NULL),
            Cell::Integer(value) => put(out, INTEGER, value.to_le_bytes()),
            Cell::Float(value) => put(out, FLOAT, value.to_le_bytes()),
            Cell::Text(text) => {
                put(out, TEXT, count(text.len()).to_le_bytes());
                out.extend_from_slice(text.as_bytes());
            }
            Cell::Boolean(value) => out.push(if *value { TRUE } else { FALSE }),
            Cell::Instant(at) => put(out, INSTANT, at.0.to_le_bytes()),
        }
    }
}

/// How many rows these bytes hold.
pub(super) fn rows_in(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk().map(|count| u32::from_le_bytes(*count))
}

/// Reads all rows back, none when these are not the bytes of rows.
pub(super) fn decode(mut bytes: &[u8]) -> Option<Rows> {
    let rows = u32::from_le_bytes(take(&mut bytes)?);
    let cells = u32::from_le_bytes(take(&mut bytes)?);
    let rows = (0..rows).map(|_| (0..cells).map(|_| decode_cell(&mut bytes)).collect()).collect::<Option<Rows>>()?;
    bytes.is_empty().then_some(rows)
}

fn decode_cell(bytes: &mut &[u8]) -> Option<Cell> {
    let [tag] = take(bytes)?;
    Some(match tag {
        NULL => Cell::Null,
        INTEGER => Cell::Integer(i64::from_le_bytes(take(bytes)?)),
        FLOAT => Cell::Float(f64::from_le_bytes(take(bytes)?)),
        TEXT => {
            let length = u32::from_le_bytes(take(bytes)?);
            let (text, rest) = bytes.split_at_checked(length as usize)?;
            *bytes = rest;
            Cell::Text(String::from_utf8(text.to_vec()).ok()?)
        }
        FALSE => Cell::Boolean(false),
        TRUE => Cell::Boolean(true),
        INSTANT => Cell::Instant(Timestamp(i64::from_le_bytes(take(bytes)?))),
        _ => return None,
    })
}

fn put<const N: usize>(out: &mut Vec<u8>, tag: u8, bytes: [u8; N]) {
    out.push(tag);
    out.extend_from_slice(&bytes);
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

/// The bound on an append was checked before, so that every count fits.
fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or_else(|_| panic!("an append of {length} is above its bound"))
}
