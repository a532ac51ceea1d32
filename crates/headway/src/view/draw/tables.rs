//! The busiest entities of each type, as many types beside each other as are readable.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{Palette, palette::sign, put};
use crate::{
    table::grouped,
    view::{
        frame::{Condition, Frame, Panel, Row},
        text,
    },
};

/// A narrower table has room for a key and two features, which is not worth a place beside another.
const TABLE_WIDTH_MIN: u16 = 54;
/// Between tables.
const BETWEEN: u16 = 5;
/// Between columns: the first of the two is for the sign of a value.
const GAP: usize = 2;
/// A name that is longer pushes features away that say more than its end.
const NAME_MAX: usize = 17;
const KEY_MAX: usize = 20;
/// "59 m" and some air.
const AGE_WIDTH: usize = 5;

pub(super) fn draw(frame: &Frame, palette: &Palette, area: Rect, buffer: &mut Buffer) {
    if frame.panels.iter().all(|panel| panel.rows.is_empty()) {
        let words = text::cut("No entity is known yet: the first events are under way.", usize::from(area.width));
        return put(buffer, area, &Line::styled(words, palette.label));
    }
    let count = usize::from((area.width + BETWEEN) / (TABLE_WIDTH_MIN + BETWEEN)).clamp(1, frame.panels.len());
    let between = BETWEEN * (count as u16 - 1);
    let width = area.width.saturating_sub(between) / count as u16;
    let from = frame.choice.entity % frame.panels.len();
    let chosen_first = frame.panels.iter().cycle().skip(from);
    for (place, panel) in chosen_first.take(count).enumerate() {
        table(panel, palette, Rect { x: area.x + place as u16 * (width + BETWEEN), width, ..area }, buffer);
    }
}

fn table(panel: &Panel, palette: &Palette, area: Rect, buffer: &mut Buffer) {
    let rows = usize::from(area.height.saturating_sub(2)).min(panel.rows.len());
    let shown = &panel.rows[..rows];
    let widths = Widths::of(panel, shown, usize::from(area.width));
    let lines = [heading(panel, rows, palette, area.width), head(panel, &widths, palette)];
    let lines = lines.into_iter().chain(shown.iter().map(|row| line(row, &widths, palette)));
    for (line, y) in lines.zip(area.y..area.bottom()) {
        put(buffer, Rect { y, height: 1, ..area }, &line);
    }
}

/// How wide the key and each of the columns are for which there is room.
struct Widths {
    key: usize,
    columns: Vec<usize>,
}

impl Widths {
    fn of(panel: &Panel, shown: &[Row], most: usize) -> Self {
        let key = shown.iter().map(|row| text::width(&row.key)).max().unwrap_or_default().clamp(4, KEY_MAX);
        let mut columns = Vec::new();
        let mut rest = most.saturating_sub(key + GAP + AGE_WIDTH);
        for (place, name) in panel.columns.iter().enumerate() {
            let cells = shown.iter().filter_map(|row| row.cells.get(place)).map(|cell| text::width(&cell.text));
            let width = cells.chain([text::width(&short(name, &panel.entity))]).max().unwrap_or_default();
            let Some(left) = rest.checked_sub(width + GAP) else { break };
            rest = left;
            columns.push(width);
        }
        Self { key, columns }
    }
}

fn heading<'a>(panel: &Panel, rows: usize, palette: &Palette, width: u16) -> Line<'a> {
    let more = if panel.more { " or more" } else { "" };
    let entity = text::cut(&panel.entity, usize::from(width));
    let words = format!("  {rows} of {}{more} {}", grouped(panel.count as u64), panel.order);
    let words = text::cut(&words, usize::from(width).saturating_sub(text::width(&entity)));
    Line::from(vec![Span::styled(entity, palette.accent), Span::styled(words, palette.label)])
}

fn head<'a>(panel: &Panel, widths: &Widths, palette: &Palette) -> Line<'a> {
    let mut line = " ".repeat(widths.key);
    for (name, width) in panel.columns.iter().zip(&widths.columns) {
        line.push_str(&text::to_the_right(&short(name, &panel.entity), width + GAP));
    }
    line.push_str(&text::to_the_right("age", GAP + AGE_WIDTH));
    Line::styled(line, palette.label)
}

fn line<'a>(row: &Row, widths: &Widths, palette: &Palette) -> Line<'a> {
    let mut line = vec![Span::raw(text::to_the_left(&row.key, widths.key))];
    // The place for the sign of a value is the first of the gap behind it.
    let mut before = Span::raw(" ");
    for (cell, width) in row.cells.iter().zip(&widths.columns) {
        let style = palette.of(cell.condition);
        let (words, style) = if cell.text.is_empty() { ("·", palette.label) } else { (cell.text.as_str(), style) };
        line.extend([before, Span::styled(text::to_the_right(words, width + GAP - 1), style)]);
        let condition = if cell.text.is_empty() { Condition::Good } else { cell.condition };
        before = Span::styled(sign(condition), palette.of(condition));
    }
    let age = row.age.map_or(String::new(), text::age);
    line.extend([before, Span::styled(text::to_the_right(&age, GAP - 1 + AGE_WIDTH), palette.label)]);
    Line::from(line)
}

/// The entity type stands above: a name that begins with it as well would take the place of another feature.
fn short(name: &str, entity: &str) -> String {
    let without = name.strip_prefix(entity).and_then(|rest| rest.strip_prefix('_'));
    text::cut(without.unwrap_or(name), NAME_MAX)
}
