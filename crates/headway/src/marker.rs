//! Progress on standard error: a bar on a terminal, a plain line every few seconds elsewhere.

use std::{
    cell::{Cell, RefCell},
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};
use workbench::Progress;

/// Short enough to be sure that it lives, long enough for a short log.
const PLAIN_EVERY: Duration = Duration::from_secs(3);
const BAR: &str = "{msg:24} {wide_bar} {percent:>3} % {eta:>4}";

/// Shows where a task is.
pub(crate) struct Marker {
    quiet: bool,
    bar: RefCell<Option<ProgressBar>>,
    what: RefCell<String>,
    total: Cell<u64>,
    began: Cell<Instant>,
    shown: Cell<Instant>,
}

impl Marker {
    pub(crate) fn new(quiet: bool) -> Self {
        let now = now();
        Self {
            quiet,
            bar: RefCell::new(None),
            what: RefCell::default(),
            total: Cell::new(0),
            began: Cell::new(now),
            shown: Cell::new(now),
        }
    }

    /// Seconds since this was made or a task began.
    pub(crate) fn seconds(&self) -> f64 {
        now().duration_since(self.began.get()).as_secs_f64()
    }
}

impl Progress for Marker {
    fn begin(&self, what: &str, total: u64) {
        if self.quiet {
            return;
        }
        self.what.replace(what.to_owned());
        self.total.set(total);
        self.shown.set(now());
        if io::stderr().is_terminal() {
            let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(total).with_style(style).with_message(what.to_owned());
            self.bar.replace(Some(bar));
        }
    }

    fn at(&self, done: u64) {
        if let Some(bar) = &*self.bar.borrow() {
            bar.set_position(done);
        } else if !self.quiet && now().duration_since(self.shown.get()) >= PLAIN_EVERY {
            self.shown.set(now());
            let percent = 100.0 * done as f64 / self.total.get().max(1) as f64;
            // Progress that nobody can see is no reason to stop.
            let _ = writeln!(io::stderr().lock(), "  {} {percent:.0} %", self.what.borrow());
        }
    }

    fn end(&self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "only to show a person how long something takes")]
fn now() -> Instant {
    Instant::now()
}
