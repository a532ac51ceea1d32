//! What happens by itself: data is forced to the disk so often, and retention is reminded. Two threads that sleep in between;
//! they end with the writer.

use std::{
    fs::File,
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, RecvTimeoutError, SyncSender},
    },
    thread,
    time::Duration,
};

use tokio::sync::{mpsc::WeakSender, oneshot};

use crate::{Error, Settings, Sync, segment::Active, writer::Request};

/// The writer's side of it.
#[derive(Debug)]
pub(crate) struct Housekeeper {
    syncing: Arc<Mutex<Syncing>>,
    /// One place: a second reminder says nothing new.
    written: SyncSender<()>,
    /// Closed when this is dropped, which wakes and ends both threads.
    _alive: [SyncSender<()>; 2],
}

#[derive(Debug)]
struct Syncing {
    file: Arc<File>,
    path: PathBuf,
    failed: Option<String>,
}

impl Housekeeper {
    pub(crate) fn start(settings: &Settings, active: &Active, requests: WeakSender<Request>) -> io::Result<Self> {
        let syncing = Syncing { file: active.file.clone(), path: active.path.clone(), failed: None };
        let syncing = Arc::new(Mutex::new(syncing));
        let (written, reminders) = mpsc::sync_channel(1);
        let (sync_alive, sync_end) = mpsc::sync_channel(0);
        let (retain_alive, retain_end) = mpsc::sync_channel(0);
        if let Sync::Every(every) = settings.sync {
            let syncing = syncing.clone();
            let work = move || sync_every(every, &syncing, &reminders, &sync_end);
            thread::Builder::new().name("log-sync".to_owned()).spawn(work)?;
        }
        let every = settings.retention_every;
        thread::Builder::new().name("log-retention".to_owned()).spawn(move || remind_every(every, &requests, &retain_end))?;
        Ok(Self { syncing, written, _alive: [sync_alive, retain_alive] })
    }

    /// Something was written that has to be forced to the disk.
    pub(crate) fn written(&self) {
        let _ = self.written.try_send(());
    }

    /// The writer has begun another segment; the one before is on the disk.
    pub(crate) fn turn_to(&self, active: &Active) {
        let mut syncing = lock(&self.syncing);
        (syncing.file, syncing.path) = (active.file.clone(), active.path.clone());
    }

    /// Whether everything so far could be forced to the disk.
    pub(crate) fn healthy(&self) -> Result<(), Error> {
        let syncing = lock(&self.syncing);
        let broken = syncing.failed.clone().map(|reason| Error::Broken { path: syncing.path.clone(), reason });
        broken.map_or(Ok(()), Err)
    }
}

fn sync_every(every: Duration, syncing: &Mutex<Syncing>, reminders: &mpsc::Receiver<()>, end: &mpsc::Receiver<()>) {
    while reminders.recv().is_ok() {
        let file = lock(syncing).file.clone();
        if let Err(error) = file.sync_data() {
            // After that, what the system says about later writes to the file means nothing.
            lock(syncing).failed = Some(error.to_string());
            return;
        }
        if end.recv_timeout(every) == Err(RecvTimeoutError::Disconnected) {
            return;
        }
    }
}

fn remind_every(every: Duration, requests: &WeakSender<Request>, end: &mpsc::Receiver<()>) {
    while end.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        let Some(requests) = requests.upgrade() else { return };
        let (reply, _) = oneshot::channel();
        // A full queue means that the writer has better things to do; the next reminder comes.
        let _ = requests.try_send(Request::Retain(reply));
    }
}

fn lock(syncing: &Mutex<Syncing>) -> MutexGuard<'_, Syncing> {
    // Every change of it is a single assignment.
    syncing.lock().unwrap_or_else(PoisonError::into_inner)
}
