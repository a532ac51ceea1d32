//! The one who writes: a thread that makes one frame of everything that waits, so that many small appends cost one write.
//! Nothing is visible before it is durable in the sense of the settings. This file is its front; `writer/thread.rs` does the work.

pub(crate) mod thread;

use std::{path::PathBuf, sync::Arc, thread::JoinHandle};

use bytes::Bytes;
use ports::{Position, TopicSpec};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::{Error, block::Draft, folder::Held, group::Seat, housekeeper::Housekeeper, segment::Active, shared::Shared};

/// Requests that wait for the writer; their bytes are bounded by `queue_bytes_max`. As many as there may be tasks.
const QUEUE_MAX: usize = 1024;
/// What a request counts for in the queue beside its blocks.
const REQUEST_OVERHEAD_BYTES: usize = 256;

/// What the writer is asked for.
#[derive(Debug)]
pub(crate) enum Request {
    Write(WriteJob),
    Create(Vec<TopicSpec>, Reply),
    Retain(Reply),
}

pub(crate) type Reply = oneshot::Sender<Result<(), Error>>;

#[derive(Debug)]
pub(crate) struct WriteJob {
    drafts: Vec<Draft>,
    commit: Option<CommitJob>,
    reply: Reply,
    _room: OwnedSemaphorePermit,
}

/// A commit but for its outputs.
#[derive(Debug)]
pub(crate) struct CommitJob {
    pub(crate) seat: Seat,
    pub(crate) partition: u32,
    pub(crate) positions: Vec<Position>,
    pub(crate) note: Bytes,
}

/// The way to the writer. The last clone ends it and waits until it has.
#[derive(Clone, Debug)]
pub(crate) struct Writing {
    front: Arc<Front>,
}

#[derive(Debug)]
struct Front {
    requests: Option<mpsc::Sender<Request>>,
    room: Arc<Semaphore>,
    queue_bytes_max: usize,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
}

/// Starts the writer of a folder that is held for as long as it runs.
pub(crate) fn start(shared: Arc<Shared>, active: Active, held: Held) -> Result<Writing, Error> {
    let path = shared.settings.path.clone();
    let queue_bytes_max = shared.settings.queue_bytes_max;
    let room = Arc::new(Semaphore::new(queue_bytes_max));
    let (requests, waiting) = mpsc::channel(QUEUE_MAX);
    let fault = |source| Error::Folder { action: "start a thread for", path: path.clone(), source };
    let housekeeper = Housekeeper::start(&shared.settings, &active, requests.downgrade()).map_err(fault)?;
    let writer = thread::Writer::new(shared, active, housekeeper);
    let work = move || {
        writer.run(waiting);
        drop(held);
    };
    let thread = std::thread::Builder::new().name("log-writer".to_owned()).spawn(work).map_err(fault)?;
    Ok(Writing { front: Arc::new(Front { requests: Some(requests), room, queue_bytes_max, thread: Some(thread), path }) })
}

impl Writing {
    /// Writes blocks, and a commit with them.
    pub(crate) async fn write(&self, drafts: Vec<Draft>, commit: Option<CommitJob>) -> Result<(), Error> {
        if drafts.is_empty() && commit.is_none() {
            return Ok(());
        }
        let bytes = drafts.iter().map(|draft| draft.bytes.len()).sum::<usize>() + REQUEST_OVERHEAD_BYTES;
        // Lengths and checksums come on top of what is limited, so an append at its limit asks for a little more than the room.
        let bytes = bytes.min(self.front.queue_bytes_max) as u32;
        let room = self.front.room.clone().acquire_many_owned(bytes).await;
        let room = room.map_err(|_| Error::Closed(self.front.path.clone()))?;
        self.ask(|reply| Request::Write(WriteJob { drafts, commit, reply, _room: room })).await
    }

    pub(crate) async fn create(&self, topics: Vec<TopicSpec>) -> Result<(), Error> {
        self.ask(|reply| Request::Create(topics, reply)).await
    }

    pub(crate) async fn retain(&self) -> Result<(), Error> {
        self.ask(Request::Retain).await
    }

    async fn ask(&self, request: impl FnOnce(Reply) -> Request) -> Result<(), Error> {
        let closed = || Error::Closed(self.front.path.clone());
        let (reply, answer) = oneshot::channel();
        let requests = self.front.requests.as_ref().ok_or_else(closed)?;
        requests.send(request(reply)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.requests.take();
        if let Some(thread) = self.thread.take() {
            // A panic of the writer was told to everybody who asked it for something.
            let _ = thread.join();
        }
    }
}
