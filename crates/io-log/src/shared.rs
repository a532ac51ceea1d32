//! What the writer, the readers and the members of one log share. Locks are held for look-ups, never over a read or a write of a
//! segment.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ports::Clock;
use tokio::sync::watch;

use crate::{Settings, group::Groups, index::Index, segment::Segments, state::State};

#[derive(Debug)]
pub(crate) struct Shared {
    /// Only the writer changes it.
    state: RwLock<State>,
    groups: Mutex<Groups>,
    changed: watch::Sender<()>,
    pub(crate) index: Index,
    pub(crate) segments: Segments,
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
}

impl Shared {
    pub(crate) fn new(state: State, index: Index, segments: Segments, settings: Settings, clock: Clock) -> Self {
        let (state, groups) = (RwLock::new(state), Mutex::default());
        Self { state, groups, changed: watch::Sender::new(()), index, segments, settings, clock }
    }

    // Whoever panicked while holding one of these was a reader or the writer itself, whose end is told to all who ask it.

    pub(crate) fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn groups(&self) -> MutexGuard<'_, Groups> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes whoever waits for something.
    pub(crate) fn announce(&self) {
        self.changed.send_replace(());
    }

    pub(crate) fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }
}
