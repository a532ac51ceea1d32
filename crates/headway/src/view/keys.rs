//! What keys do: a state of three parts, and nothing else. Never draws.

use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What a person has chosen to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Choice {
    /// Which entity type comes first.
    pub(super) entity: usize,
    /// Whether the figures stand still.
    pub(super) paused: bool,
    /// Whether the meaning of the figures is shown in place of the tables.
    pub(super) helps: bool,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Nothing,
    Draw,
    Quit,
}

impl Choice {
    /// Takes what came from the terminal, with as many entity types as there are.
    pub(super) fn take(&mut self, event: &Event, entities: usize) -> Wish {
        match event {
            // Some terminals tell the end of a press as well.
            Event::Key(key) if key.kind != KeyEventKind::Release => self.press(key, entities.max(1)),
            Event::Resize(..) => Wish::Draw,
            _ => Wish::Nothing,
        }
    }

    fn press(&mut self, key: &KeyEvent, entities: usize) -> Wish {
        match key.code {
            // A terminal in raw mode sends this as a key and no signal.
            KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => return Wish::Quit,
            KeyCode::Char('q' | 'Q') => return Wish::Quit,
            KeyCode::Esc if self.helps => self.helps = false,
            KeyCode::Tab | KeyCode::Right | KeyCode::Down => self.entity = (self.entity + 1) % entities,
            KeyCode::BackTab | KeyCode::Left | KeyCode::Up => self.entity = (self.entity + entities - 1) % entities,
            KeyCode::Char(' ') => self.paused = !self.paused,
            KeyCode::Char('?' | 'h') => self.helps = !self.helps,
            _ => return Wish::Nothing,
        }
        Wish::Draw
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(codes: &[KeyCode], expected: Choice, wish: Wish) {
        let mut choice = Choice::default();
        let mut last = Wish::Nothing;
        for code in codes {
            last = choice.take(&Event::Key(KeyEvent::new(*code, KeyModifiers::NONE)), 3);
        }
        assert_eq!((choice, last), (expected, wish), "{codes:?}");
    }

    #[test]
    fn keys_change_what_is_seen() {
        let start = Choice::default();
        check(&[KeyCode::Tab], Choice { entity: 1, ..start }, Wish::Draw);
        check(&[KeyCode::Right, KeyCode::Tab, KeyCode::Down], start, Wish::Draw);
        check(&[KeyCode::Left], Choice { entity: 2, ..start }, Wish::Draw);
        check(&[KeyCode::Char(' ')], Choice { paused: true, ..start }, Wish::Draw);
        check(&[KeyCode::Char('?'), KeyCode::Esc], start, Wish::Draw);
        check(&[KeyCode::Char('x')], start, Wish::Nothing);
        check(&[KeyCode::Char('q')], start, Wish::Quit);
    }

    #[test]
    fn an_interrupt_is_a_key_in_raw_mode() {
        let interrupt = Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL));
        assert_eq!(Choice::default().take(&interrupt, 0), Wish::Quit);
        assert_eq!(Choice::default().take(&Event::Resize(1, 1), 0), Wish::Draw);
    }

    #[test]
    fn without_entities_there_is_nothing_to_change_to() {
        let mut choice = Choice::default();
        choice.take(&Event::Key(KeyEvent::new(KeyCode::Tab, KeyModifiers::NONE)), 0);
        assert_eq!(choice.entity, 0);
    }
}
