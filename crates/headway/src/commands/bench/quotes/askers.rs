//! Whoever asks: requests at fixed instants, whether the ones before were answered or not, over connections that are kept.

#![expect(clippy::disallowed_methods, reason = "measures for a person")]

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{
        Mutex, Semaphore,
        mpsc::{UnboundedReceiver, unbounded_channel},
    },
    task::{JoinSet, spawn_blocking},
};

use crate::failure::Failure;

/// More than are under way at once while answers come within ten milliseconds; a request waits for one when they do not.
const CONNECTIONS: usize = 32;
/// An answer of two hundred candidates has some sixty kilobytes.
const BUFFER_BYTES: usize = 64 << 10;

/// Connections to one address.
pub(super) struct Askers {
    idle: Arc<Mutex<Vec<TcpStream>>>,
    free: Arc<Semaphore>,
}

/// How long requests took, from the instant at which each was to be sent.
#[derive(Default)]
pub(super) struct Took(Vec<Duration>);

impl Askers {
    pub(super) async fn connect(address: SocketAddr) -> Result<Self, Failure> {
        let mut idle = Vec::new();
        for _ in 0..CONNECTIONS {
            let stream = TcpStream::connect(address).await.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
            idle.push(stream.map_err(failed)?);
        }
        Ok(Self { idle: Arc::new(Mutex::new(idle)), free: Arc::new(Semaphore::new(CONNECTIONS)) })
    }

    /// Sends so many a second for so long.
    pub(super) async fn ask(&self, request: &Arc<[u8]>, rate: u32, lasting: Duration, took: &mut Took) -> Result<(), Failure> {
        let mut asked = JoinSet::new();
        let mut due = instants(rate, (lasting.as_secs_f64() * f64::from(rate)) as u32);
        while let Some(at) = due.recv().await {
            let (idle, free, request) = (self.idle.clone(), self.free.clone(), request.clone());
            asked.spawn(async move {
                let _permit = free.acquire().await.map_err(|_| Failure::failed("the connections are gone"))?;
                let taken = idle.lock().await.pop();
                let mut stream = taken.ok_or_else(|| Failure::failed("a connection was lost"))?;
                exchange(&mut stream, &request).await?;
                idle.lock().await.push(stream);
                Ok::<Duration, Failure>(at.elapsed())
            });
        }
        while let Some(one) = asked.join_next().await {
            took.0.push(one.map_err(|error| Failure::failed(format!("an asker broke down: {error}")))??);
        }
        Ok(())
    }
}

/// So many instants at a rate, each told when it has come. By a thread of its own: the timers of the runtime tell milliseconds apart, and
/// are up to one late.
fn instants(rate: u32, count: u32) -> UnboundedReceiver<Instant> {
    let (tell, told) = unbounded_channel();
    let (begun, every) = (Instant::now(), Duration::from_secs(1) / rate);
    spawn_blocking(move || {
        for at in (0..count).map(|number| begun + every * number) {
            std::thread::sleep(at.saturating_duration_since(Instant::now()));
            if tell.send(at).is_err() {
                return;
            }
        }
    });
    told
}

/// Sends a request and reads the answer to its end.
pub(super) async fn exchange(stream: &mut TcpStream, request: &[u8]) -> Result<String, Failure> {
    stream.write_all(request).await.map_err(failed)?;
    let mut answer = Vec::with_capacity(BUFFER_BYTES);
    loop {
        if stream.read_buf(&mut answer).await.map_err(failed)? == 0 {
            return Err(Failure::failed("a connection was closed in the middle of an answer"));
        }
        let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&answer[..head]);
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|length| length.parse().ok());
        let length: usize = length.ok_or_else(|| Failure::failed("an answer has no length"))?;
        if answer.len() < head + 4 + length {
            continue;
        }
        if !text.starts_with("HTTP/1.1 200") {
            return Err(Failure::failed(format!("a request was refused: {}", String::from_utf8_lossy(&answer))));
        }
        return Ok(String::from_utf8_lossy(&answer[head + 4..]).into_owned());
    }
}

fn failed(error: std::io::Error) -> Failure {
    Failure::failed(format!("cannot ask: {error}"))
}

impl Took {
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn mean_ms(&self) -> f64 {
        self.0.iter().sum::<Duration>().as_secs_f64() * 1000.0 / self.0.len().max(1) as f64
    }

    pub(super) fn quantile_ms(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let place = (sorted.len() as f64 * share) as usize;
        sorted.get(place.min(sorted.len().saturating_sub(1))).map_or(f64::NAN, |took| took.as_secs_f64() * 1000.0)
    }
}
