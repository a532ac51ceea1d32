//! An explanation as a page: one screen for a tired reader, with everything else in the data.

use std::fmt;

use super::{Entry, Explanation, Missed, Part, Place, Tile};

/// Lines of each list: what fits a screen together.
const TILES_SHOWN: usize = 12;
const RECORDS_SHOWN: usize = 10;
const REFUSED_SHOWN: usize = 6;

impl fmt::Display for Explanation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}  {} = {}", self.entity, self.feature, self.value)?;
        writeln!(out, "{} (group {})", self.meaning, self.group)?;
        match &self.window {
            Some(window) => writeln!(out, "window {}: from {} until {}", window.width, window.from, window.until)?,
            None => writeln!(out, "no window: everything that is kept at {}", self.as_of)?,
        }
        if self.as_of != self.at {
            writeln!(out, "the source was silent at {}: time stands still at {}", self.at, self.as_of)?;
        }
        if let Some(missing) = &self.incomplete {
            writeln!(out, "INCOMPLETE: {missing}")?;
        }
        tiles(out, self)?;
        records(out, self)?;
        refused(out, self)?;
        let from = self.read_from.as_deref().unwrap_or("the beginning of the log");
        write!(out, "\n{} records read, appended from {from} on", self.read)
    }
}

fn tiles(out: &mut fmt::Formatter<'_>, told: &Explanation) -> fmt::Result {
    if !told.kept.is_empty() {
        writeln!(out, "\nkept: {}", parts(&told.kept))?;
    }
    if told.tiles.is_empty() {
        return Ok(());
    }
    let all = told.tiles.len() + told.tiles_left_out;
    let shown = &told.tiles[told.tiles.len().saturating_sub(TILES_SHOWN)..];
    writeln!(out, "\n{all} tiles with events{}", hidden(all - shown.len(), "older"))?;
    for Tile { from, events, parts: of } in shown {
        writeln!(out, "  {from}  {events:>6} events  {}", parts(of))?;
    }
    Ok(())
}

fn records(out: &mut fmt::Formatter<'_>, told: &Explanation) -> fmt::Result {
    let shown = &told.records[told.records.len().saturating_sub(RECORDS_SHOWN)..];
    let older = told.events as usize - shown.len();
    writeln!(out, "\n{} events or rows inside{}", told.events, hidden(older, "older"))?;
    for Entry { record, due, start, counts, values } in shown {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        let begun = start.as_ref().map_or(String::new(), |start| format!("  begun {}", place(start)));
        let due = due.as_ref().map_or(String::new(), |due| format!("  nothing came by {due}"));
        let counts = if *counts { "" } else { "  (does not count)" };
        writeln!(out, "  {}  {}{begun}{due}{counts}", place(record), values.join(", "))?;
    }
    Ok(())
}

fn refused(out: &mut fmt::Formatter<'_>, told: &Explanation) -> fmt::Result {
    if told.refused_count == 0 && told.dropped.is_empty() && told.unreadable.is_empty() {
        return writeln!(out, "\nnothing of it was late, refused or dropped");
    }
    let shown = &told.refused[told.refused.len().saturating_sub(REFUSED_SHOWN)..];
    let older = told.refused_count as usize - shown.len();
    writeln!(out, "\n{} records of it were refused{}", told.refused_count, hidden(older, "older"))?;
    for Missed { record, reason, beyond_ms, inside } in shown {
        let beyond = if *beyond_ms > 0 { format!(" by {}", domain::Span(*beyond_ms)) } else { String::new() };
        let inside = if *inside { "inside the window" } else { "outside the window" };
        writeln!(out, "  {reason}{beyond}  {}  {inside}", place(record))?;
    }
    for (reason, count) in &told.dropped {
        writeln!(out, "  {count} parts of its events were dropped: {reason}")?;
    }
    for (reason, count) in &told.unreadable {
        writeln!(out, "  {count} records of the topic could not be read: {reason}; nobody knows whom they concern")?;
    }
    Ok(())
}

fn parts(parts: &[Part]) -> String {
    let parts: Vec<String> = parts.iter().map(|part| format!("{} {}", part.name, part.value)).collect();
    parts.join("  ")
}

fn place(place: &Place) -> String {
    let Place { topic, partition, offset, time, delay_ms, .. } = place;
    format!("{topic}/{partition}@{offset} {time} (taken {} later)", domain::Span(*delay_ms))
}

fn hidden(count: usize, which: &str) -> String {
    if count == 0 { String::new() } else { format!(", {count} {which} not shown") }
}
