//! What a person sees while Headway runs: a page on a terminal, plain lines elsewhere, and the words at the end.
//!
//! Only shows: it reads counts and vectors and never waits for a worker, and what it cannot show is no reason for anybody to stop.
//! Figures are gathered into a `frame::Frame`, and `draw` makes a picture of that and of nothing else.

mod announcements;
mod draw;
mod entities;
mod figures;
mod frame;
mod keys;
mod lines;
mod panels;
mod predictions;
mod screen;
mod summary;
mod text;

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::Instant};

use crate::{city, console::Console, failure::Failure, host::Host};
pub(crate) use summary::Summary;

/// A key should feel answered, and nobody sees a shorter delay.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What is shown while it runs.
pub(crate) struct View {
    host: Arc<Host>,
    begun: Instant,
    console: Console,
    shown: Shown,
}

enum Shown {
    Screen(Box<screen::Screen>),
    Lines(lines::Lines),
}

impl View {
    /// Takes over the terminal if there is one and it is wanted. The terminal is given back by `close`, when the view is dropped and
    /// when anything panics.
    pub(crate) fn open(
        host: Arc<Host>,
        console: Console,
        headless: bool,
        figures: watch::Receiver<Option<city::Figures>>,
    ) -> Self {
        // A terminal that cannot be taken over still takes lines.
        let screen = if console.has_screen() && !headless { screen::Screen::open(&console, figures).ok() } else { None };
        let shown = screen.map_or_else(|| Shown::Lines(lines::Lines::new()), |screen| Shown::Screen(Box::new(screen)));
        Self { host, begun: Instant::now(), console, shown }
    }

    /// Shows how it goes until a person has seen enough.
    pub(crate) async fn show(&mut self) -> Result<(), Failure> {
        loop {
            match &mut self.shown {
                Shown::Screen(screen) => match screen.show(&self.host, self.begun).await? {
                    screen::Left::Wanted => return Ok(()),
                    // Whatever broke, its words are to be seen now, and more come below them.
                    screen::Left::Taken => self.shown = Shown::Lines(lines::Lines::new()),
                },
                Shown::Lines(lines) => return lines.show(&self.host, &self.console, self.begun).await,
            }
        }
    }

    /// Gives the terminal back.
    pub(crate) fn close(&mut self) {
        if let Shown::Screen(screen) = &mut self.shown {
            screen.close();
        }
    }

    /// What came of it, so far.
    pub(crate) fn summary(&self) -> Summary {
        Summary { seconds: self.begun.elapsed().as_secs_f64(), speed: self.host.options.pace.hurry() }
    }
}
