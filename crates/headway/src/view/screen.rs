//! The terminal as a page: taken over, drawn on some times a second, and given back whatever happens.
//!
//! The page is on the alternate screen, so that what was there before is there again afterwards. A panic anywhere in the process gives
//! the terminal back before it says anything.

use std::time::Duration;

use ratatui::{
    DefaultTerminal,
    crossterm::{event, terminal},
};
use tokio::{sync::watch, time::Instant};

use crate::{
    city,
    console::Console,
    failure::Failure,
    host::Host,
    view::{
        LOOK_EVERY,
        announcements::Announcements,
        draw::{Palette, draw},
        figures::{Figures, real_ms},
        frame::{Frame, Panel},
        keys::{Choice, Wish},
        panels::Panels,
        predictions,
    },
};

/// How often a picture is made: figures change smoothly, and it costs a hundredth of a core.
const GATHER_EVERY: Duration = Duration::from_millis(250);

/// A terminal, and what is remembered from one picture to the next.
pub(super) struct Screen {
    terminal: DefaultTerminal,
    is_open: bool,
    palette: Palette,
    city: watch::Receiver<Option<city::Figures>>,
    figures: Figures,
    panels: Panels,
    announcements: Announcements,
    choice: Choice,
    frame: Option<Frame>,
    gathered_at: Option<Duration>,
}

/// Why a page is not shown any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// A person has seen enough.
    Wanted,
    /// Something panicked elsewhere, and the terminal was given back for its words.
    Taken,
}

impl Screen {
    /// Takes the terminal over; it is as it was when that fails.
    pub(super) fn open(console: &Console, city: watch::Receiver<Option<city::Figures>>) -> std::io::Result<Self> {
        let terminal = ratatui::try_init().inspect_err(|_| {
            // Half of it may have been done.
            let _ = ratatui::try_restore();
        })?;
        Ok(Self {
            terminal,
            is_open: true,
            palette: Palette::new(console.has_colors()),
            city,
            figures: Figures::default(),
            panels: Panels::default(),
            announcements: Announcements::default(),
            choice: Choice::default(),
            frame: None,
            gathered_at: None,
        })
    }

    /// Shows how it goes for as long as it is wanted and the terminal is there.
    pub(super) async fn show(&mut self, host: &Host, begun: Instant) -> Result<Left, Failure> {
        while has_terminal() {
            let mut wish = self.keys()?;
            self.announcements.add(host.take_announcements().into_iter().chain(host.clock_jump()));
            let at = begun.elapsed();
            let is_due = self.gathered_at.is_none_or(|last| at.saturating_sub(last) >= GATHER_EVERY);
            if is_due && !self.choice.paused {
                self.frame = Some(self.gather(host, at).await?);
                self.gathered_at = Some(at);
                wish = if wish == Wish::Quit { wish } else { Wish::Draw };
            }
            match wish {
                Wish::Quit => return Ok(Left::Wanted),
                Wish::Draw if has_terminal() => self.draw()?,
                Wish::Draw | Wish::Nothing => {}
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(Left::Taken)
    }

    /// Gives the terminal back.
    pub(super) fn close(&mut self) {
        // Given back twice, the cursor would be where it was before the words of a panic.
        if std::mem::take(&mut self.is_open) && has_terminal() {
            // There is nobody to tell: the terminal is what would have been told.
            let _ = ratatui::try_restore();
        }
    }

    /// Takes all keys that were pressed meanwhile.
    fn keys(&mut self) -> Result<Wish, Failure> {
        let broken = |error| Failure::failed(format!("cannot read the terminal: {error}; --headless does without"));
        let mut wish = Wish::Nothing;
        while wish != Wish::Quit && event::poll(Duration::ZERO).map_err(broken)? {
            let entities = self.frame.as_ref().map_or(0, |frame| frame.panels.len());
            match self.choice.take(&event::read().map_err(broken)?, entities) {
                Wish::Nothing => {}
                other => wish = other,
            }
        }
        Ok(wish)
    }

    async fn gather(&mut self, host: &Host, at: Duration) -> Result<Frame, Failure> {
        let status = host.status().await?;
        let counts = &status.counts;
        self.figures.note(at, counts);
        let waited = |share| self.figures.waited(&counts.freshness, share).map(|ms| real_ms(ms, host.options.pace.hurry()));
        let mut refused: Vec<(&'static str, u64)> = counts.refused.iter().map(|(reason, count)| (*reason, *count)).collect();
        refused.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let rows_max = usize::from(self.terminal.size()?.height);
        // The lock within must be gone before anything is waited for.
        let city = *self.city.borrow();
        let mut panels = predictions::panels(host, rows_max);
        panels.extend(self.panels.look(host, at, rows_max).await.or_else(nothing_while_away)?);
        let pipelines: Vec<String> = host.hosted().iter().map(|hosted| hosted.id.clone()).collect();
        Ok(Frame {
            title: pipelines.join(", "),
            clock: host.clock().now(),
            speed: host.options.pace.hurry(),
            elapsed: at,
            rates: self.figures.rates(),
            readable_ms: waited(0.5).zip(waited(0.99)),
            behind: status.lag_records,
            refused,
            entities: counts.entities,
            vectors: host.hosted().iter().map(|hosted| hosted.online.vectors()).sum(),
            partitions: status.partitions,
            workers: host.options.workers,
            snapshots: counts.snapshots,
            builds: status.builds,
            predictions: predictions::figures(host),
            outcomes: predictions::outcomes(host),
            city,
            panels,
            announcement: self.announcements.at(at).map(str::to_owned),
            choice: self.choice,
        })
    }

    fn draw(&mut self) -> Result<(), Failure> {
        let Some(frame) = &mut self.frame else { return Ok(()) };
        frame.choice = self.choice;
        let palette = &self.palette;
        self.terminal.draw(|page| draw(frame, palette, page.area(), page.buffer_mut()))?;
        Ok(())
    }
}

/// Whether the terminal was not given back meanwhile.
fn has_terminal() -> bool {
    terminal::is_raw_mode_enabled().unwrap_or(true)
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.close();
    }
}

/// What is shown of entities while the server that has them cannot be asked.
fn nothing_while_away(failure: Failure) -> Result<Vec<Panel>, Failure> {
    if failure.is_transient() { Ok(Vec::new()) } else { Err(failure) }
}
