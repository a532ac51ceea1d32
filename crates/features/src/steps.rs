//! Where the time of an engine goes. The clock is the caller's: without one nothing is counted.

/// The parts into which a step of the engine is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Decode,
    Admit,
    Tile,
    Derive,
    Roll,
    Finish,
}

const NAMES: [&str; 6] = ["decode", "admit", "tile", "derive", "roll", "finish"];

/// Nanoseconds by step.
#[derive(Debug)]
pub(crate) struct Steps {
    stopwatch: Option<fn() -> u64>,
    began: u64,
    sums: [u64; NAMES.len()],
}

impl Steps {
    pub(crate) fn new(stopwatch: Option<fn() -> u64>) -> Self {
        Self { stopwatch, began: 0, sums: [0; NAMES.len()] }
    }

    pub(crate) fn begin(&mut self) {
        if let Some(stopwatch) = self.stopwatch {
            self.began = stopwatch();
        }
    }

    /// Adds the time since the last begin or end.
    pub(crate) fn end(&mut self, step: Step) {
        if let Some(stopwatch) = self.stopwatch {
            let now = stopwatch();
            self.sums[step as usize] += now.saturating_sub(self.began);
            self.began = now;
        }
    }

    pub(crate) fn nanoseconds(&self) -> impl Iterator<Item = (&'static str, u64)> {
        NAMES.into_iter().zip(self.sums)
    }
}
