//! Pieces of JSON text, written into a buffer whose length is bounded.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;

use crate::fault::Stop;

/// Records and lists deeper than this are refused, as the engine would: it also bounds the stack that a hostile record takes.
pub(crate) const DEPTH_MAX: usize = 64;

/// A number of the machine as its shortest text, or a text with what JSON has to escape.
pub(crate) fn plain(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) -> Result<(), Stop> {
    serde_json::to_writer(out, value).map_err(|_| Stop::Wrong("a value has no JSON form"))
}

/// A double; what JSON has no number for is a text, which no field takes for a number.
pub(crate) fn double(value: f64, out: &mut Vec<u8>) -> Result<(), Stop> {
    if value.is_finite() { plain(&value, out) } else { plain(infinite(value), out) }
}

/// The same for half the bits, which have a shorter text.
pub(crate) fn single(value: f32, out: &mut Vec<u8>) -> Result<(), Stop> {
    if value.is_finite() { plain(&value, out) } else { plain(infinite(value.into()), out) }
}

fn infinite(value: f64) -> &'static str {
    match (value.is_nan(), value > 0.0) {
        (true, _) => "NaN",
        (_, true) => "Infinity",
        _ => "-Infinity",
    }
}

/// Bytes as base64.
pub(crate) fn bytes(value: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
    plain(STANDARD.encode(value).as_str(), out)
}

/// An instant in UTC as RFC 3339 has it, with three, six, nine or no digits of a second; none beyond the years that it can write.
pub(crate) fn instant(seconds: i64, nanos: i32) -> Option<String> {
    let years = -62_135_596_800..=253_402_300_799i64;
    let sound = years.contains(&seconds) && (0..1_000_000_000).contains(&nanos);
    let instant = sound.then(|| jiff::Timestamp::new(seconds, nanos).ok()).flatten()?;
    Some(match nanos {
        0 => format!("{instant:.0}"),
        _ if nanos % 1_000_000 == 0 => format!("{instant:.3}"),
        _ if nanos % 1_000 == 0 => format!("{instant:.6}"),
        _ => format!("{instant:.9}"),
    })
}
