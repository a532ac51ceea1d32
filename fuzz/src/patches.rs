//! Damage to bytes that were sound: single bits, numbers at the edge of what they can be, pieces lost, repeated or moved.

use xxhash_rust::xxh3::xxh3_64;

use crate::{choices::Choices, fixture::CLOCK};

/// Numbers at which arithmetic turns over, and some that mean something.
const EDGES: [i64; 16] = [
    0,
    1,
    -1,
    i64::MIN,
    i64::MIN + 1,
    i64::MAX,
    i64::MAX - 1,
    1 << 48,
    -(1 << 48),
    (1 << 48) + 1,
    1 << 32,
    -(1 << 62),
    domain::EARLIEST.0,
    domain::LATEST.0,
    CLOCK.0,
    CLOCK.0 / 60_000,
];

/// Sound bytes after all the damage that the choices give.
pub(crate) fn damaged(choices: &mut Choices<'_>, sound: &[u8]) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    while !choices.is_over() && !bytes.is_empty() {
        damage(choices, &mut bytes);
    }
    bytes
}

/// Damages the bytes once.
fn damage(choices: &mut Choices<'_>, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let at = choices.below(bytes.len());
    match choices.below(7) {
        0 => bytes[at] ^= 1 << choices.below(8),
        1 => bytes[at] = choices.byte(),
        2 | 3 => {
            let edge = choices.pick(&EDGES).to_le_bytes();
            bytes[at..].iter_mut().zip(edge).for_each(|(byte, new)| *byte = new);
        }
        4 => drop(bytes.drain(at..(at + choices.below(40)).min(bytes.len()))),
        5 => drop(bytes.splice(at..at, choices.raw(20).iter().copied())),
        _ => {
            let from = choices.below(bytes.len());
            let piece = bytes[from..(from + choices.below(60)).min(bytes.len())].to_vec();
            drop(bytes.splice(at..at, piece));
        }
    }
}

/// A snapshot with damaged frames, each with the length and checksum that it then has.
pub(crate) fn damaged_frames(choices: &mut Choices<'_>, snapshot: &[u8]) -> Vec<u8> {
    let mut frames = frames(snapshot);
    while !choices.is_over() && !frames.is_empty() {
        let at = choices.below(frames.len());
        match choices.below(8) {
            0 => drop(frames.remove(at)),
            1 => frames.insert(at, frames[choices.below(frames.len())].clone()),
            _ => damage(choices, &mut frames[at]),
        }
    }
    let framed = |frame: &Vec<u8>| [&(frame.len() as u64).to_le_bytes()[..], &xxh3_64(frame).to_le_bytes(), frame].concat();
    frames.iter().flat_map(framed).collect()
}

fn frames(mut snapshot: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    while let Some((length, rest)) = snapshot.split_first_chunk::<8>() {
        let (frame, rest) = rest[8..].split_at(u64::from_le_bytes(*length) as usize);
        frames.push(frame.to_vec());
        snapshot = rest;
    }
    frames
}
