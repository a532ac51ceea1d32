//! The bytes of a log of rows: a head that says with which row it begins, then one frame for each append.
//!
//! ```text
//! head   magic 8 | first row 8 | checksum 8
//! frame  magic 4 | length 4 | first row 8 | checksum of the payload 8 | checksum of these 24 bytes 8 | payload
//! ```
//!
//! A frame that does not check out and has no good one behind it was torn before it was acknowledged. One with a good frame
//! behind it was damaged later. Never touches a file.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use super::cells;

pub(super) const HEAD_BYTES: usize = 24;
const FRAME_HEAD_BYTES: usize = 32;
const HEAD_MAGIC: &[u8; 8] = b"HWROWS1\n";
const FRAME_MAGIC: &[u8; 4] = b"\nROW";

/// What a log holds.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) base: u64,
    pub(super) next: u64,
    /// The payloads.
    pub(super) frames: Vec<Range<usize>>,
    /// Where the whole frames end.
    pub(super) length: usize,
}

pub(super) fn head(base: u64) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    head[..8].copy_from_slice(HEAD_MAGIC);
    head[8..16].copy_from_slice(&base.to_le_bytes());
    let checksum = xxh3_64(&head[..16]);
    head[16..].copy_from_slice(&checksum.to_le_bytes());
    head
}

/// A frame around a payload that `fill` appends; none when the payload is longer than `bytes_max`.
pub(super) fn frame(first: u64, bytes_max: usize, fill: impl FnOnce(&mut Vec<u8>)) -> Option<Vec<u8>> {
    let mut frame = vec![0; FRAME_HEAD_BYTES];
    fill(&mut frame);
    let payload = &frame[FRAME_HEAD_BYTES..];
    let length = u32::try_from(payload.len()).ok().filter(|_| payload.len() <= bytes_max)?;
    let checksum = xxh3_64(payload);
    frame[..4].copy_from_slice(FRAME_MAGIC);
    frame[4..8].copy_from_slice(&length.to_le_bytes());
    frame[8..16].copy_from_slice(&first.to_le_bytes());
    frame[16..24].copy_from_slice(&checksum.to_le_bytes());
    let checksum = xxh3_64(&frame[..24]);
    frame[24..32].copy_from_slice(&checksum.to_le_bytes());
    Some(frame)
}

/// Reads a log. The error says what is damaged.
pub(super) fn parse(bytes: &[u8]) -> Result<Parsed, String> {
    let base = u64_at(bytes, 8).ok_or("it is too short for its head")?;
    if bytes.get(..HEAD_BYTES) != Some(&head(base)) {
        return Err("its head does not match its checksum".into());
    }
    let mut parsed = Parsed { base, next: base, frames: Vec::new(), length: HEAD_BYTES };
    while parsed.length < bytes.len() {
        let Some(payload) = whole_frame(bytes, parsed.length, parsed.next) else {
            if let Some(later) = (parsed.length + 1..bytes.len()).find(|at| frame_head(bytes, *at).is_some()) {
                let (from, next) = (parsed.length, parsed.next);
                return Err(format!("the rows from number {next} on, at byte {from}, do not read, those at byte {later} do"));
            }
            break;
        };
        let rows = cells::rows_in(&bytes[payload.clone()]).ok_or("a payload has no rows")?;
        parsed.next += u64::from(rows);
        parsed.length = payload.end;
        parsed.frames.push(payload);
    }
    Ok(parsed)
}

/// The payload of the frame that begins here, if it is whole and the next one.
fn whole_frame(bytes: &[u8], at: usize, first: u64) -> Option<Range<usize>> {
    let (length, found, checksum) = frame_head(bytes, at)?;
    let start = at + FRAME_HEAD_BYTES;
    let payload = bytes.get(start..start.checked_add(length)?)?;
    (found == first && xxh3_64(payload) == checksum).then_some(start..start + length)
}

/// Length, first row and checksum, if a head of a frame stands here.
fn frame_head(bytes: &[u8], at: usize) -> Option<(usize, u64, u64)> {
    let head = bytes.get(at..at + FRAME_HEAD_BYTES)?;
    let good = head.starts_with(FRAME_MAGIC) && u64_at(head, 24)? == xxh3_64(&head[..24]);
    let length = u32::from_le_bytes(std::array::from_fn(|place| head[4 + place]));
    good.then_some((length as usize, u64_at(head, 8)?, u64_at(head, 16)?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|eight| u64::from_le_bytes(*eight))
}
