//! Events from the order of their arrival into the order of their times.
//!
//! Decides in arrival order what is late, in the future or a duplicate, as the stream did, and holds what was accepted until
//! nothing earlier can come.

use std::{cmp::Reverse, collections::BinaryHeap};

use domain::{Span, Timestamp};
use features::Admission;
use pipeline::{Pipeline, SourceKind};

use crate::{feed::Counts, history::Event};

/// Accepted events that may not be passed on yet.
#[derive(Debug)]
pub(super) struct Reorder {
    admission: Admission,
    /// By time and then by arrival.
    held: BinaryHeap<Reverse<Held>>,
    counts: Counts,
    /// Largest append time so far.
    clock: Timestamp,
    /// The longest of all streams.
    lateness: Span,
}

/// An event under its own time.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    time: Timestamp,
    arrival: u64,
    source: usize,
    line: u64,
    payload: Vec<u8>,
}

impl Reorder {
    pub(super) fn new(pipeline: &Pipeline) -> Self {
        let lateness = pipeline.sources.iter().filter_map(|source| match &source.kind {
            SourceKind::Stream(stream) => Some(stream.lateness),
            _ => None,
        });
        Self {
            admission: Admission::new(pipeline),
            held: BinaryHeap::new(),
            counts: Counts::default(),
            clock: Timestamp(i64::MIN),
            lateness: lateness.max().unwrap_or_default(),
        }
    }

    /// No event before this instant can come any more: whatever arrives now or later and is earlier is refused as late.
    pub(super) fn complete_before(&self) -> Timestamp {
        self.clock.minus(self.lateness)
    }

    /// Takes the next record in order of arrival.
    pub(super) fn take(&mut self, event: Event) {
        self.counts.records += 1;
        self.clock = self.clock.max(event.append_at);
        match self.admission.decide(&event.record()) {
            Ok(time) => {
                let Event { source, line, payload, .. } = event;
                self.held.push(Reverse(Held { time, arrival: self.counts.records, source, line, payload }));
            }
            Err(reason) => self.counts.refuse(reason),
        }
    }

    /// The earliest event, if it is earlier than this instant. It comes as if it had arrived when it happened.
    pub(super) fn release(&mut self, before: Timestamp) -> Option<Event> {
        if self.held.peek()?.0.time >= before {
            return None;
        }
        let Reverse(Held { time, source, line, payload, .. }) = self.held.pop()?;
        Some(Event { source, line, append_at: time, payload })
    }

    pub(super) fn into_counts(self) -> Counts {
        self.counts
    }
}
