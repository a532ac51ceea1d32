//! The first lines of a file, kept for several looks, and what is said when they are no events at all.

use std::{io::Read, path::Path};

use domain::{EARLIEST, Timestamp};

use super::value::{ARRIVAL, STREAM, Value, member, members};
use crate::{Error, history::Lines};

/// Enough to see a day of a small business and its rare types, and looked at in seconds.
pub(super) const EVENTS_MAX: usize = 100_000;
/// Lines are kept for the looks that follow; this is what a small machine has to spare.
const BYTES_MAX: usize = 256 << 20;
/// A file in which more lines than one in two are no events is something else.
const BROKEN_SHARE: usize = 2;

/// One line that is not blank.
#[derive(Debug)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: u64,
    pub(super) bytes: Vec<u8>,
    /// None when it is no event.
    pub(super) members: Option<Vec<(String, Value)>>,
}

/// The lines that are looked at, and whether there are more.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) lines: Vec<Line>,
    pub(super) has_more: bool,
}

/// Reads the first lines.
pub(super) fn read(shown: &Path, reader: impl Read) -> Result<Kept, Error> {
    let mut lines = Lines::new(reader);
    let mut kept = Kept { lines: Vec::new(), has_more: false };
    let (mut number, mut bytes_total) = (0, 0);
    while let Some(bytes) = lines.next_line(&mut number).map_err(Error::reading(shown))? {
        if kept.lines.len() == EVENTS_MAX || bytes_total + bytes.len() > BYTES_MAX {
            kept.has_more = true;
            break;
        }
        bytes_total += bytes.len();
        let members = members(&bytes);
        kept.lines.push(Line { number, bytes, members });
    }
    let broken: Vec<&Line> = kept.lines.iter().filter(|line| line.members.is_none()).collect();
    let Some(first) = kept.lines.first() else {
        let help = "put events into it, one JSON object in each line";
        return Err(Error::content(shown, 0, "there is no event in this file", help));
    };
    if let Some(line) = broken.first().filter(|_| broken.len() * BROKEN_SHARE > kept.lines.len()) {
        let (message, help) = no_events(if first.members.is_none() { &first.bytes } else { &line.bytes });
        return Err(Error::content(shown, line.number, message, help));
    }
    Ok(kept)
}

impl Line {
    /// What `_source` says.
    pub(super) fn stream(&self) -> Option<&str> {
        match self.members.as_ref().and_then(|members| member(members, STREAM)) {
            Some(Value::Text(name)) => Some(name),
            _ => None,
        }
    }

    /// The clock after this line: events arrive when they say, or else when they happen, and never before the one in front.
    pub(super) fn clock(&self, clock: Timestamp, time: &str) -> Timestamp {
        let instant = |name| self.members.as_ref().and_then(|members| member(members, name)).and_then(Value::instant);
        clock.max(instant(ARRIVAL).or_else(|| instant(time)).unwrap_or(EARLIEST))
    }
}

/// Why each line is of a stream of its own, or none is; else the line that is at odds with the others.
pub(super) fn check_envelopes(shown: &Path, lines: &[Line]) -> Result<(), Error> {
    let events = || lines.iter().filter(|line| line.members.is_some());
    let is_told = events().any(|line| line.stream().is_some());
    if let Some(line) = events().find(|line| is_told && line.stream().is_none()) {
        let message = "this event has no `_source`, and others have";
        return Err(Error::content(shown, line.number, message, "say of each event which stream it belongs to, or of none"));
    }
    let is_wrong = |line: &&Line| {
        let at = line.members.as_ref().and_then(|members| member(members, ARRIVAL));
        at.is_some_and(|at| at.instant().is_none())
    };
    match events().find(is_wrong) {
        Some(line) => {
            let help = "write RFC 3339 such as \"2026-03-01T18:30:00Z\", or milliseconds";
            Err(Error::content(shown, line.number, "`_at` is no time between 2000 and 2100", help))
        }
        None => Ok(()),
    }
}

/// What a line is that is no event.
fn no_events(line: &[u8]) -> (&'static str, &'static str) {
    let text = line.trim_ascii();
    let opens = |byte| text.first() == Some(&byte);
    if std::str::from_utf8(line).is_err() {
        return ("this is no text", "unpack it if it is compressed, and convert it to JSON lines in UTF-8");
    }
    if opens(b'[') {
        return ("this is a JSON list, and events stand one in each line", "write them apart: jq -c '.[]'");
    }
    if text == b"{" || opens(b'{') && !text.ends_with(b"}") {
        return ("this JSON object does not end in its line", "write each event in one line: jq -c .");
    }
    if opens(b'{') {
        return ("this is no JSON object, or it names a member twice", "write each event as one JSON object in one line");
    }
    if [b',', b';', b'\t'].iter().any(|separator| text.contains(separator)) {
        return (
            "this looks like CSV, and events are JSON objects",
            "convert it, with numbers as numbers: one JSON object in each line",
        );
    }
    ("this is no JSON object", "write each event as one JSON object in one line")
}
