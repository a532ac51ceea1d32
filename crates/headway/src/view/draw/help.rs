//! What the figures mean, in place of the tables. `docs/guides/the-live-view.md` says it with more words.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use super::{Palette, put};
use crate::view::text;

const LABEL: usize = 12;
const LINES: [(&str, &str); 9] = [
    ("throughput", "records taken from the log in the last second"),
    ("readable", "from the log to the features, over the last minute"),
    ("behind", "records in the log that were not taken yet"),
    ("refused", "records that could not be taken, by reason"),
    ("holds", "entities in the engines, of all groups; vectors for readers"),
    ("age", "of the oldest value in the row that changes with time"),
    ("!", "outdated: should have been written anew by now"),
    ("~", "silent: the source was not heard, so time stands still"),
    ("arrows, tab", "another entity type"),
];

pub(super) fn draw(palette: &Palette, area: Rect, buffer: &mut Buffer) {
    for ((name, meaning), y) in LINES.into_iter().zip(area.y..area.bottom()) {
        let name = Span::styled(text::to_the_left(name, LABEL), palette.strong);
        let meaning = text::cut(meaning, usize::from(area.width).saturating_sub(LABEL));
        put(buffer, Rect { y, height: 1, ..area }, &Line::from(vec![name, Span::raw(meaning)]));
    }
}
