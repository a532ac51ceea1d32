//! The names of files: which stream, which row comes first, which day, and the checksum of a Parquet file. Never opens one.

use std::path::{Path, PathBuf};

use domain::Timestamp;
use ports::Day;

use crate::Error;

const DAY_MS: i64 = 86_400_000;
/// The years 0 to 9999: what four digits can say.
const INSTANTS: std::ops::Range<i64> = -62_167_219_200_000..253_402_300_800_000;
/// A byte of a stream's name may take three in a file's name, which has at most 255.
const STREAM_BYTES_MAX: usize = 64;
const EXTENSION: &str = ".parquet";

/// A Parquet file by its name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FileName<'a> {
    /// In the form of [`stream_key`].
    pub(super) stream: &'a str,
    /// Number of the first row of the log that it was folded from.
    pub(super) first: u64,
    /// Of all its bytes.
    pub(super) checksum: u64,
}

impl<'a> FileName<'a> {
    /// None when it is somebody else's file.
    pub(super) fn parse(name: &'a str) -> Option<Self> {
        let mut parts = name.strip_suffix(EXTENSION)?.rsplitn(3, '-');
        let (checksum, first, stream) = (parts.next()?, parts.next()?, parts.next()?);
        let checksum = u64::from_str_radix(checksum, 16).ok().filter(|_| checksum.len() == 16)?;
        let first = first.parse().ok().filter(|_| first.len() == 20)?;
        Some(Self { stream, first, checksum })
    }

    pub(super) fn to_text(&self) -> String {
        let Self { stream, first, checksum } = self;
        format!("{stream}-{first:020}-{checksum:016x}{EXTENSION}")
    }
}

/// The stream as it is named in files: bytes that a file's name may not have, or that mean something to readers of
/// partitioned tables, become `%` and two digits.
pub(super) fn stream_key(stream: &str) -> Result<String, Error> {
    if stream.is_empty() || stream.len() > STREAM_BYTES_MAX {
        let name = stream.escape_debug();
        return Err(Error::Refused(format!("`{name}` is no name for a stream: it takes 1 to {STREAM_BYTES_MAX} bytes")));
    }
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02x}"),
    };
    Ok(stream.bytes().map(byte).collect())
}

/// The folder of a day below that of its table.
pub(super) fn day_folder(table: &Path, day: Day) -> PathBuf {
    let midnight = Timestamp(i64::from(day.0) * DAY_MS).to_string();
    let date = midnight.split_once('T').map_or(midnight.as_str(), |(date, _)| date);
    table.join(format!("day={date}"))
}

pub(super) fn has_a_day(at: Timestamp) -> bool {
    INSTANTS.contains(&at.0)
}

/// The day of an instant that has one.
pub(super) fn day_of(at: Timestamp) -> Day {
    Day(i32::try_from(at.0.div_euclid(DAY_MS)).unwrap_or_else(|_| panic!("{at} was checked to have a day")))
}
