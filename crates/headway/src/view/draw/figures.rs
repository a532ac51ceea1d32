//! The figures of the whole: one line each, and the throughput of the last minutes as bars.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
    widgets::{RenderDirection, Sparkline, Widget},
};

use super::{Page, Palette, put};
use crate::{
    table::grouped,
    view::{frame::Frame, text},
};

/// Where values begin, behind their labels.
const LABEL: usize = 12;
/// Most lines are not longer; the bars get what is beyond, where there is something beyond.
const TEXT_WIDTH: u16 = 62;
/// Fewer bars say nothing.
const BARS_MIN: u16 = 8;
/// Where bars begin when they have to share a line with their figure.
const BESIDE: u16 = 34;
/// Taller ones are a block of colour that draws the eye from the figures.
const BARS_HEIGHT: u16 = 3;
/// Bars that are further apart in time than a few minutes are not compared by anybody.
const BARS_MAX: u16 = 180;

pub(super) fn draw(frame: &Frame, palette: &Palette, page: &mut Page, buffer: &mut Buffer) {
    let figures = figures(frame);
    let area = page.take(figures.len() as u16);
    let text_width = TEXT_WIDTH.max(area.width / 2);
    let beyond = area.width.saturating_sub(text_width);
    let is_wide = beyond >= TEXT_WIDTH / 2;
    let (text_width, bars) = if is_wide {
        let width = beyond.min(BARS_MAX);
        (text_width - 2, Rect { x: area.x + area.width - width, width, height: area.height.min(BARS_HEIGHT), ..area })
    } else {
        (area.width, Rect { x: area.x + BESIDE, width: area.width.saturating_sub(BESIDE), height: area.height.min(1), ..area })
    };
    for (figure, y) in figures.into_iter().zip(area.y..area.bottom()) {
        put(buffer, Rect { y, width: text_width, height: 1, ..area }, &figure.line(palette, usize::from(text_width)));
    }
    if bars.width >= BARS_MIN {
        let latest_first = frame.rates.iter().rev().copied();
        let bars_of = Sparkline::default().data(latest_first).direction(RenderDirection::RightToLeft).style(palette.bars);
        bars_of.render(bars, buffer);
    }
}

/// One line: what to look at first, and the rest of the sentence.
struct Figure {
    label: &'static str,
    strong: String,
    rest: String,
}

impl Figure {
    fn line<'a>(&self, palette: &Palette, width: usize) -> Line<'a> {
        let rest = text::cut(&self.rest, width.saturating_sub(LABEL + text::width(&self.strong)));
        let label = Span::styled(text::to_the_left(self.label, LABEL), palette.label);
        Line::from(vec![label, Span::styled(self.strong.clone(), palette.strong), Span::raw(rest)])
    }
}

fn figures(frame: &Frame) -> Vec<Figure> {
    let figure = |label: &'static str, strong: String, rest: String| Figure { label, strong, rest };
    let rate = frame.rates.last().copied().unwrap_or_default();
    let city = frame.city.map(|city| {
        let rest = format!(" orders under way · {} placed · {}", grouped(city.orders_placed), city.weather);
        figure("city", grouped(city.orders_open), rest)
    });
    let reasons: Vec<String> = frame.refused.iter().map(|(reason, count)| format!("{reason} {}", grouped(*count))).collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!(" · {}", reasons.join(", ")) };
    let refused = frame.refused.iter().map(|(_, count)| count).sum();
    let vectors = frame.vectors.map(|count| format!(" · {}", many(count, "vector online", "vectors online")));
    let builds = if frame.builds { " · building anew" } else { "" };
    let (workers, snapshots) = (many(frame.workers as u64, "worker", "workers"), many(frame.snapshots, "snapshot", "snapshots"));
    let partitions = frame.partitions as u64;
    let predicted = frame.predictions.as_ref().map(|told| {
        let lost = if told.lost == 0 { String::new() } else { format!(" · {} lost", grouped(told.lost)) };
        let words = word(told.made, "prediction", "predictions");
        figure("predicted", grouped(told.made), format!(" {words} · {} {}s open{lost}", grouped(told.open), told.entity))
    });
    let outcomes = frame.outcomes.map(|came| {
        let rest = format!(" min off · {:+.1} on average · {:.0} % too late", came.bias_minutes, came.late_percent);
        figure("came out", format!("{:.1}", came.error_minutes), rest)
    });
    let figures = [
        Some(figure("throughput", grouped(rate), format!(" {}/s", word(rate, "record", "records")))),
        Some(readable(frame)),
        city,
        predicted,
        outcomes,
        Some(figure("refused", grouped(refused), reasons)),
        Some(figure(
            "holds",
            grouped(frame.entities),
            format!(" {}{}", word(frame.entities, "entity", "entities"), vectors.unwrap_or_default()),
        )),
        Some(figure(
            "running",
            grouped(partitions),
            format!(" {} · {workers} · {snapshots}{builds}", word(partitions, "partition", "partitions")),
        )),
    ];
    figures.into_iter().flatten().collect()
}

fn readable(frame: &Frame) -> Figure {
    let behind = format!(" · {} behind", grouped(frame.behind));
    let within = |ms: u64| if ms == 0 { "under 1 ms".to_owned() } else { format!("{} ms", grouped(ms)) };
    let (strong, rest) = match frame.readable_ms {
        Some((half, most)) => (within(half), format!(" p50 · {} p99{behind}", within(most))),
        None => ("-".to_owned(), behind),
    };
    Figure { label: "readable", strong, rest }
}

fn many(count: u64, one: &'static str, more: &'static str) -> String {
    format!("{} {}", grouped(count), word(count, one, more))
}

fn word(count: u64, one: &'static str, more: &'static str) -> &'static str {
    if count == 1 { one } else { more }
}
