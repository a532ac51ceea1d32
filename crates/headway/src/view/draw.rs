//! A frame as a picture: figures above, entities with their features below, keys at the foot. Pure, and right for every size: what
//! does not fit is left out, the least important first.

mod figures;
mod help;
mod palette;
mod tables;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

pub(super) use self::palette::Palette;
use crate::view::{
    frame::{Condition, Frame},
    text,
};

/// Pages that are lower have no foot: the figures are worth more than the names of keys.
const HEIGHT_WITH_FOOT: u16 = 7;
/// Pages that are lower cannot spare a line that is empty.
const HEIGHT_WITH_AIR: u16 = 16;
/// Between the names of keys.
const APART: &str = "   ";

/// Draws a frame over an area.
pub(super) fn draw(frame: &Frame, palette: &Palette, area: Rect, buffer: &mut Buffer) {
    let margin = u16::from(area.width >= 40);
    let mut page = Page { rest: Rect { x: area.x + margin, width: area.width - 2 * margin, ..area } };
    let has_foot = area.height >= HEIGHT_WITH_FOOT;
    let foot = page.take_below(if has_foot { 2 } else { 0 });
    page.take_below(u16::from(area.height >= HEIGHT_WITH_AIR));
    title(frame, palette, page.take(1), buffer);
    page.take(u16::from(has_foot));
    figures::draw(frame, palette, &mut page, buffer);
    page.take(1);
    if frame.choice.helps {
        help::draw(palette, page.rest, buffer);
    } else {
        tables::draw(frame, palette, page.rest, buffer);
    }
    if has_foot {
        let [announcement, keys] = [0, 1].map(|line| Rect { y: foot.y + line, height: 1, ..foot });
        let words = text::cut(frame.announcement.as_deref().unwrap_or_default(), usize::from(foot.width));
        put(buffer, announcement, &Line::styled(words, palette.label));
        keys_line(frame, palette, keys, buffer);
    }
}

/// What is left of a page.
struct Page {
    rest: Rect,
}

impl Page {
    /// The next lines from above, as many as there are.
    fn take(&mut self, lines: u16) -> Rect {
        let taken = Rect { height: lines.min(self.rest.height), ..self.rest };
        self.rest = Rect { y: self.rest.y + taken.height, height: self.rest.height - taken.height, ..self.rest };
        taken
    }

    /// The last lines.
    fn take_below(&mut self, lines: u16) -> Rect {
        let height = lines.min(self.rest.height);
        self.rest.height -= height;
        Rect { y: self.rest.y + self.rest.height, height, ..self.rest }
    }
}

/// Writes a line into the first line of an area, and nothing outside of it.
fn put(buffer: &mut Buffer, area: Rect, line: &Line<'_>) {
    if !area.is_empty() {
        buffer.set_line(area.x, area.y, line, area.width);
    }
}

/// The same, to the right. Answers how much is left of the area before it; nothing is written where there is no room.
fn put_to_the_right(buffer: &mut Buffer, area: Rect, line: &Line<'_>) -> Rect {
    let Some(left) = u16::try_from(line.width()).ok().and_then(|width| area.width.checked_sub(width)) else { return area };
    put(buffer, Rect { x: area.x + left, width: area.width - left, ..area }, line);
    Rect { width: left, ..area }
}

fn title(frame: &Frame, palette: &Palette, area: Rect, buffer: &mut Buffer) {
    let clock = text::clock(frame.clock);
    let speed = if frame.speed == 1.0 { String::new() } else { format!(" · {}×", frame.speed) };
    let mut right = vec![Span::styled(format!("{clock}{speed} · {}", text::elapsed(frame.elapsed)), palette.label)];
    if frame.choice.paused {
        right.insert(0, Span::styled("paused  ", palette.accent));
    }
    let name = "Headway";
    // The name of the system can be spared before the clock, and the clock before nothing.
    let rest = if usize::from(area.width) > name.len() + 3 { area } else { Rect { width: 0, ..area } };
    let right = Line::from(right);
    let needed = text::width(name) + 2 + text::width(&frame.title) + 2;
    let rest = if usize::from(rest.width) >= right.width() + needed { put_to_the_right(buffer, rest, &right) } else { rest };
    let pipelines = text::cut(&frame.title, usize::from(rest.width).saturating_sub(name.len() + 2));
    put(
        buffer,
        rest,
        &Line::from(vec![Span::styled(name, palette.accent), Span::raw("  "), Span::styled(pipelines, palette.strong)]),
    );
}

fn keys_line(frame: &Frame, palette: &Palette, area: Rect, buffer: &mut Buffer) {
    let area = put_to_the_right(buffer, area, &legend(frame, palette));
    let key = |key: &'static str, does: &'static str| {
        [Span::raw(key), Span::styled(format!(" {does}"), palette.label), Span::raw(APART)]
    };
    let mut line = Vec::from(key("q", "quit"));
    if frame.panels.len() > 1 {
        line.push(Span::raw("tab"));
        for (place, panel) in frame.panels.iter().enumerate() {
            let style = if place == frame.choice.entity { palette.accent } else { palette.label };
            line.push(Span::styled(format!(" {}", text::cut(&panel.entity, 24)), style));
        }
        line.push(Span::raw(APART));
    }
    line.extend(key("space", if frame.choice.paused { "go on" } else { "pause" }));
    line.extend(key("?", if frame.choice.helps { "back" } else { "help" }));
    put(buffer, area, &Line::from(line));
}

/// What the signs beside values mean, when there are any.
fn legend<'a>(frame: &Frame, palette: &Palette) -> Line<'a> {
    let is_there = |condition: Condition| {
        let mut cells = frame.panels.iter().flat_map(|panel| &panel.rows).flat_map(|row| &row.cells);
        cells.any(|cell| cell.condition == condition)
    };
    let signs = [(Condition::Outdated, "outdated"), (Condition::Silent, "source silent")];
    let there = signs.into_iter().filter(|(condition, _)| is_there(*condition));
    let shown = there
        .map(|(condition, words)| Span::styled(format!("{APART}{} {words}", palette::sign(condition)), palette.of(condition)));
    Line::from(shown.collect::<Vec<Span<'a>>>())
}

#[cfg(test)]
mod tests;
