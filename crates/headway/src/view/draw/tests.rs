//! Pictures as they are meant, at the sizes that people have; and none that panics, whatever the size.

use std::time::Duration;

use domain::{Span, Timestamp};
use proptest::prelude::*;
use ratatui::{Terminal, backend::TestBackend};

use super::*;
use crate::{
    city,
    view::{
        frame::{Cell, Outcomes, Panel, Predictions, Row},
        keys::Choice,
    },
};

/// An evening in a city, with something outdated and something silent.
fn frame() -> Frame {
    Frame {
        title: "delivery-eta".into(),
        clock: Timestamp(1_795_285_392_000),
        speed: 60.0,
        elapsed: Duration::from_secs(84),
        rates: (0..84_u64).map(|second| 900 + 160 * (second % 40).abs_diff(20)).collect(),
        readable_ms: Some((7, 31)),
        behind: 1204,
        refused: vec![("late", 8), ("duplicate", 4)],
        entities: 1812,
        vectors: Some(12_334),
        partitions: 4,
        workers: 2,
        snapshots: 1,
        builds: false,
        predictions: None,
        outcomes: None,
        city: Some(city::Figures { orders_open: 131, orders_placed: 4112, weather: "rain" }),
        panels: vec![stores(), areas()],
        announcement: Some("delivery-eta: resumed at revision 1, 19 groups.".into()),
        choice: Choice::default(),
    }
}

fn stores() -> Panel {
    let row = |key: &str, orders: &str, seconds: &str, condition: Condition, age: i64| Row {
        key: key.into(),
        cells: vec![cell(orders, Condition::Good), cell(seconds, condition), cell("", Condition::Good)],
        age: Some(Span(age)),
    };
    Panel {
        entity: "store".into(),
        count: 212,
        more: false,
        order: "by orders_1h".into(),
        columns: ["orders_1h", "prep_mean_15m", "open_orders"].map(String::from).into(),
        rows: vec![
            row("s-7", "41", "812.4", Condition::Good, 12_000),
            row("s-181", "38", "1,120", Condition::Outdated, 840_000),
            row("寿司屋-und-noch-viel-länger", "9", "604.0", Condition::Silent, 90_000_000),
        ],
    }
}

fn areas() -> Panel {
    let row = |key: &str, count: &str| Row {
        key: key.into(),
        cells: vec![cell(count, Condition::Good), cell("1,230", Condition::Good)],
        age: None,
    };
    Panel {
        entity: "area".into(),
        count: 5000,
        more: true,
        order: "by area_delivered_20m".into(),
        columns: ["area_delivered_20m", "area_delivery_mean_20m"].map(String::from).into(),
        rows: vec![row("881f1d4895fffff", "17"), row("881f1d4897fffff", "3")],
    }
}

/// Orders under way, and who says when they come.
fn orders() -> Panel {
    let row = |key: &str, said: [&str; 5], condition: Condition, age: i64| {
        let mut cells: Vec<Cell> = said.into_iter().map(|text| cell(text, Condition::Good)).collect();
        cells[2].condition = condition;
        Row { key: key.into(), cells, age: Some(Span(age)) }
    };
    Panel {
        entity: "order".into(),
        count: 131,
        more: false,
        order: "predicted last".into(),
        columns: ["stage", "left", "arrives", "promise", "says"].map(String::from).into(),
        rows: vec![
            row("o-4112", ["placed", "31 min", "18:54", "19:00", "store"], Condition::Good, 1_000),
            row("o-4087", ["ready", "9 min", "18:32", "18:35", "eta"], Condition::Outdated, 48_000),
        ],
    }
}

fn cell(text: &str, condition: Condition) -> Cell {
    Cell { text: text.into(), condition }
}

/// The lines of a picture, without the spaces at their ends.
fn picture(frame: &Frame, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("a terminal in memory");
    terminal.draw(|page| draw(frame, &Palette::new(true), page.area(), page.buffer_mut())).expect("nothing to fail");
    let buffer = terminal.backend().buffer();
    let line = |y: u16| {
        let (mut line, mut x) = (String::new(), 0);
        while x < width {
            let symbol = buffer[(x, y)].symbol();
            line.push_str(symbol);
            // What lies under the second half of a wide letter is not seen.
            x += (text::width(symbol) as u16).max(1);
        }
        line.trim_end().to_owned()
    };
    (0..height).map(line).collect()
}

/// Compares a picture with lines of which each begins with `|`.
fn check(frame: &Frame, width: u16, height: u16, expected: &str) {
    let expected: Vec<&str> = expected.lines().filter_map(|line| line.trim_start().strip_prefix('|')).collect();
    let found = picture(frame, width, height);
    assert_eq!(found, expected, "\n{}\n", found.iter().map(|line| format!("        |{line}\n")).collect::<String>());
}

#[test]
fn a_small_terminal_has_figures_one_table_and_the_keys() {
    check(
        &frame(),
        80,
        24,
        r#"
        | Headway  delivery-eta                 2026-11-21 18:23:12 UTC · 60× · 1 m 24 s
        |
        | throughput  3,620 records/s       █▇▇▇▆▆▆▅▅▅▄▄▄▃▃▃▃▂▂▂▁▂▂▂▃▃▃▃▄▄▄▅▅▅▆▆▆▇▇▇█▇▇▇
        | readable    7 ms p50 · 31 ms p99 · 1,204 behind
        | city        131 orders under way · 4,112 placed · rain
        | refused     12 · late 8, duplicate 4
        | holds       1,812 entities · 12,334 vectors online
        | running     4 partitions · 2 workers · 1 snapshot
        |
        | store  3 of 212 by orders_1h
        |                       orders_1h  prep_mean_15m  open_orders    age
        | s-7                          41          812.4            ·   12 s
        | s-181                        38          1,120!           ·   14 m
        | 寿司屋-und-noch-vie…          9          604.0~           ·    1 d
        |
        |
        |
        |
        |
        |
        |
        |
        | delivery-eta: resumed at revision 1, 19 groups.
        | q quit   tab store area   space pause   ? help    ! outdated   ~ source silent
        "#,
    );
}

#[test]
fn a_wide_terminal_has_tables_beside_each_other_and_taller_bars() {
    check(
        &frame(),
        120,
        40,
        r#"
        | Headway  delivery-eta                                                         2026-11-21 18:23:12 UTC · 60× · 1 m 24 s
        |
        | throughput  3,620 records/s                                        ▁▂▃▄▅▆▇█▇▆▅▄▃▂▁                         ▁▂▃▄▅▆▇█▇▆▅
        | readable    7 ms p50 · 31 ms p99 · 1,204 behind               ▄▅▆▇█████████████████▇▆▅▄▃▂▁▁       ▁▁▂▃▄▅▆▇████████████
        | city        131 orders under way · 4,112 placed · rain        ██████████████████████████████▇▆▅▆▇█████████████████████
        | refused     12 · late 8, duplicate 4
        | holds       1,812 entities · 12,334 vectors online
        | running     4 partitions · 2 workers · 1 snapshot
        |
        | store  3 of 212 by orders_1h                                 area  2 of 5,000 or more by area_delivered_20m
        |                       orders_1h  prep_mean_15m    age                         delivered_20m  delivery_mean_20m    age
        | s-7                          41          812.4   12 s        881f1d4895fffff             17              1,230
        | s-181                        38          1,120!  14 m        881f1d4897fffff              3              1,230
        | 寿司屋-und-noch-vie…          9          604.0~   1 d
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        |
        | delivery-eta: resumed at revision 1, 19 groups.
        | q quit   tab store area   space pause   ? help                                            ! outdated   ~ source silent
        "#,
    );
}

#[test]
fn orders_under_way_come_first_with_when_they_are_expected_and_who_says_so() {
    let predictions = Some(Predictions { entity: "order".into(), made: 20_118, open: 131, lost: 2 });
    let outcomes = Some(Outcomes { error_minutes: 4.24, bias_minutes: 1.31, late_percent: 12.4 });
    check(
        &Frame { predictions, outcomes, panels: vec![orders(), stores()], ..frame() },
        120,
        19,
        r#"
        | Headway  delivery-eta                                                         2026-11-21 18:23:12 UTC · 60× · 1 m 24 s
        |
        | throughput  3,620 records/s                                        ▁▂▃▄▅▆▇█▇▆▅▄▃▂▁                         ▁▂▃▄▅▆▇█▇▆▅
        | readable    7 ms p50 · 31 ms p99 · 1,204 behind               ▄▅▆▇█████████████████▇▆▅▄▃▂▁▁       ▁▁▂▃▄▅▆▇████████████
        | city        131 orders under way · 4,112 placed · rain        ██████████████████████████████▇▆▅▆▇█████████████████████
        | predicted   20,118 predictions · 131 orders open · 2 lost
        | came out    4.2 min off · +1.3 on average · 12 % too late
        | refused     12 · late 8, duplicate 4
        | holds       1,812 entities · 12,334 vectors online
        | running     4 partitions · 2 workers · 1 snapshot
        |
        | order  2 of 131 predicted last                               store  3 of 212 by orders_1h
        |          stage    left  arrives  promise   says    age                             orders_1h  prep_mean_15m    age
        | o-4112  placed  31 min    18:54    19:00  store    1 s       s-7                          41          812.4   12 s
        | o-4087   ready   9 min    18:32!   18:35    eta   48 s       s-181                        38          1,120!  14 m
        |                                                              寿司屋-und-noch-vie…          9          604.0~   1 d
        |
        | delivery-eta: resumed at revision 1, 19 groups.
        | q quit   tab order store   space pause   ? help                                           ! outdated   ~ source silent
        "#,
    );
}

#[test]
fn what_does_not_fit_is_left_out() {
    check(
        &frame(),
        30,
        6,
        r#"
        |Headway  delivery-eta
        |throughput  3,620 records/s
        |readable    7 ms p50 · 31 ms …
        |city        131 orders under …
        |refused     12 · late 8, dupl…
        |holds       1,812 entities · …
        "#,
    );
}

#[test]
fn a_pause_says_so_and_help_explains() {
    check(
        &Frame { choice: Choice { entity: 1, paused: true, helps: true }, ..frame() },
        80,
        24,
        r#"
        | Headway  delivery-eta         paused  2026-11-21 18:23:12 UTC · 60× · 1 m 24 s
        |
        | throughput  3,620 records/s       █▇▇▇▆▆▆▅▅▅▄▄▄▃▃▃▃▂▂▂▁▂▂▂▃▃▃▃▄▄▄▅▅▅▆▆▆▇▇▇█▇▇▇
        | readable    7 ms p50 · 31 ms p99 · 1,204 behind
        | city        131 orders under way · 4,112 placed · rain
        | refused     12 · late 8, duplicate 4
        | holds       1,812 entities · 12,334 vectors online
        | running     4 partitions · 2 workers · 1 snapshot
        |
        | throughput  records taken from the log in the last second
        | readable    from the log to the features, over the last minute
        | behind      records in the log that were not taken yet
        | refused     records that could not be taken, by reason
        | holds       entities in the engines, of all groups; vectors for readers
        | age         of the oldest value in the row that changes with time
        | !           outdated: should have been written anew by now
        | ~           silent: the source was not heard, so time stands still
        | arrows, tab another entity type
        |
        |
        |
        |
        | delivery-eta: resumed at revision 1, 19 groups.
        | q quit   tab store area   space go on   ? back    ! outdated   ~ source silent
        "#,
    );
}

#[test]
fn a_beginning_is_no_mistake() {
    let none = Frame {
        panels: Vec::new(),
        city: None,
        rates: Vec::new(),
        readable_ms: None,
        refused: Vec::new(),
        speed: 1.0,
        ..frame()
    };
    check(
        &Frame { behind: 0, builds: true, announcement: None, ..none },
        80,
        14,
        r#"
        | Headway  delivery-eta                       2026-11-21 18:23:12 UTC · 1 m 24 s
        |
        | throughput  0 records/s
        | readable    - · 0 behind
        | refused     0
        | holds       1,812 entities · 12,334 vectors online
        | running     4 partitions · 2 workers · 1 snapshot · building anew
        |
        | No entity is known yet: the first events are under way.
        |
        |
        |
        |
        | q quit   space pause   ? help
        "#,
    );
}

#[test]
fn without_colours_there_are_none() {
    let mut terminal = Terminal::new(TestBackend::new(120, 40)).expect("a terminal in memory");
    terminal.draw(|page| draw(&frame(), &Palette::new(false), page.area(), page.buffer_mut())).expect("nothing to fail");
    let cells = terminal.backend().buffer().content();
    assert!(cells.iter().all(|cell| cell.fg == ratatui::style::Color::Reset), "a colour");
}

proptest! {
    #[test]
    fn no_size_is_too_small_and_no_name_too_strange(
        width in 1..200_u16,
        height in 1..60_u16,
        names in prop::collection::vec(".{0,40}", 1..6),
        entity in 0..9_usize,
        helps: bool,
    ) {
        let mut frame = Frame { choice: Choice { entity, paused: helps, helps }, ..frame() };
        frame.title.clone_from(&names[0]);
        frame.announcement = Some(names.concat());
        frame.panels[0].entity.clone_from(&names[0]);
        for (row, name) in frame.panels[0].rows.iter_mut().zip(&names) {
            row.key.clone_from(name);
            row.cells[0].text.clone_from(name);
        }
        frame.panels[0].columns.clone_from_slice(&[names[0].clone(), names.concat(), String::new()]);
        prop_assert_eq!(picture(&frame, width, height).len(), usize::from(height));
    }
}
