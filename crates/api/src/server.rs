//! Connections: how many there are, and how they end. What is said on one stands in `connection`.

mod connection;
mod head;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch::Receiver,
    task::{AbortHandle, JoinSet},
    time::timeout,
};

/// The pools of a dozen askers, below what a process may have open by default. When one more comes, the one that was quiet for longest goes: whoever is served at all is served in
/// milliseconds, so that is one that dawdles or has nothing to ask.
const CONNECTIONS_MAX: usize = 256;
/// Until it is tried again to take a connection, when the machine has no room for one.
const BREATH: Duration = Duration::from_millis(100);
/// What is being answered when the process stops may take this long.
const DRAIN_WITHIN: Duration = Duration::from_secs(1);

/// When something was last heard on a connection: by a count, since nobody needs the time.
type Heard = Arc<AtomicU64>;

/// Takes connections until it is told to stop. Answers that were begun are finished then, and nothing new is taken.
pub async fn serve(listener: TcpListener, router: Router, mut stop: Receiver<bool>) {
    let mut connections = Connections::default();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => connections.begin(stream, &router, &stop),
            Err(_) => tokio::time::sleep(BREATH).await,
        }
    }
    drop(listener);
    let all_ended = async { while connections.tasks.join_next().await.is_some() {} };
    // Those that are left are aborted with the set.
    let _ = timeout(DRAIN_WITHIN, all_ended).await;
}

#[derive(Default)]
struct Connections {
    tasks: JoinSet<()>,
    open: Vec<(AbortHandle, Heard)>,
    clock: Arc<AtomicU64>,
}

impl Connections {
    fn begin(&mut self, stream: TcpStream, router: &Router, stop: &Receiver<bool>) {
        while self.tasks.try_join_next().is_some() {}
        self.open.retain(|(task, _)| !task.is_finished());
        if self.open.len() >= CONNECTIONS_MAX {
            let quietest = self.open.iter().enumerate().min_by_key(|(_, (_, heard))| heard.load(Ordering::Relaxed));
            if let Some((place, _)) = quietest {
                self.open.swap_remove(place).0.abort();
            }
        }
        // Answers are written whole, so there is nothing to wait for.
        let _ = stream.set_nodelay(true);
        let heard = Heard::new(AtomicU64::new(self.clock.fetch_add(1, Ordering::Relaxed)));
        let (router, stop, clock, own) = (router.clone(), stop.clone(), self.clock.clone(), heard.clone());
        let hear = move || own.store(clock.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        let task = self.tasks.spawn(connection::converse(stream, router, stop, hear));
        self.open.push((task, heard));
    }
}
