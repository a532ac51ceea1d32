//! Styles and signs. One colour for what matters, two for what is wrong, and none where none are wanted: then weight has to do, and
//! what is wrong always has a sign as well.

use ratatui::style::{Color, Modifier, Style};

use crate::view::frame::Condition;

/// The styles of a page.
#[derive(Clone, Copy, Debug)]
pub(in crate::view) struct Palette {
    /// What something is called.
    pub(super) label: Style,
    /// A figure to look at first.
    pub(super) strong: Style,
    /// What is chosen.
    pub(super) accent: Style,
    /// The bars of throughput.
    pub(super) bars: Style,
    outdated: Style,
    silent: Style,
}

impl Palette {
    /// With colours or without. They are the terminal's own, so that they suit its background.
    pub(in crate::view) fn new(colors: bool) -> Self {
        let colored = |color: Color| if colors { Style::new().fg(color) } else { Style::new() };
        Self {
            label: Style::new().add_modifier(Modifier::DIM),
            strong: Style::new().add_modifier(Modifier::BOLD),
            accent: colored(Color::Cyan).add_modifier(Modifier::BOLD),
            bars: colored(Color::Cyan),
            outdated: colored(Color::Yellow),
            silent: colored(Color::Magenta),
        }
    }

    pub(super) fn of(&self, condition: Condition) -> Style {
        match condition {
            Condition::Good => Style::new(),
            Condition::Outdated => self.outdated,
            Condition::Silent => self.silent,
        }
    }
}

/// The sign behind a value.
pub(super) fn sign(condition: Condition) -> &'static str {
    match condition {
        Condition::Good => " ",
        Condition::Outdated => "!",
        Condition::Silent => "~",
    }
}
