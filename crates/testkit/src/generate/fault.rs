//! Payloads that are broken as a whole. What exactly is wrong with each is for the reader of payloads to say.

use super::dice::Dice;

/// One byte more than a payload may have.
const TOO_LARGE_BYTES: usize = 1_048_577;
/// Comfortably more levels than a payload may have.
const TOO_DEEP: usize = 100;

/// Breaks a payload in one of many ways.
pub(crate) fn broken(mut payload: Vec<u8>, dice: &mut Dice) -> Vec<u8> {
    let inside = dice.place(payload.len().max(1));
    match dice.place(10) {
        0 => payload.truncate(inside),
        1 => payload.extend_from_slice(b" x"),
        2 => payload.insert(inside, 0xff),
        3 => payload = [b"[", payload.as_slice(), b"]"].concat(),
        4 => payload.extend_from_within(..),
        5 => payload = with_member(&payload, &format!("\"~x\":{}{}", "[".repeat(TOO_DEEP), "]".repeat(TOO_DEEP))),
        6 => payload = with_member(&payload, "\"~x\": NaN"),
        7 => payload.clear(),
        8 => payload = twice(&payload),
        // Large payloads are dear, so they are the rarest.
        _ if dice.chance(0.05) => payload.resize(TOO_LARGE_BYTES, b' '),
        _ => payload = b"{}".to_vec(),
    }
    payload
}

/// The object with one more member in front.
fn with_member(payload: &[u8], member: &str) -> Vec<u8> {
    let rest = payload.strip_prefix(b"{").unwrap_or(payload);
    [b"{", member.as_bytes(), b",", rest].concat()
}

/// The members of the object two times over.
fn twice(payload: &[u8]) -> Vec<u8> {
    let front = payload.strip_suffix(b"}").unwrap_or(payload);
    let rest = payload.strip_prefix(b"{").unwrap_or(payload);
    [front, b",", rest].concat()
}
