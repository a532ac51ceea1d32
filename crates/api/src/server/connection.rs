//! One connection: requests one after the other, each read within bounds that a slow or hostile client cannot move. Knows no path.

use std::time::Duration;

use axum::{Router, body::Body, response::Response};
use bytes::{Buf, Bytes, BytesMut};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::watch::Receiver,
    time::timeout,
};
use tower_service::Service;

use super::head::{self, Head};
use crate::problem::Problem;

/// Longer than the pools of askers keep a connection that nobody uses, so that it is they who close it.
const QUIET_MAX: Duration = Duration::from_secs(90);
/// Between machines that are far from each other a head takes less than a second.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// A megabyte over a slow line.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// For lags the log is read, which waits for the disk. Scrapers give up after 10 seconds.
const RESPOND_WITHIN: Duration = Duration::from_secs(10);
/// A megabyte of metrics over a slow line.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// What a client still sends while it is refused is read up to here, so that the answer is not lost with the connection.
const REST_BYTES_MAX: u64 = 64 << 10;
const REST_WITHIN: Duration = Duration::from_millis(200);
/// Room for a quote of fifty candidates.
const BUFFER_BYTES: usize = 4 << 10;

/// Why nothing more is read.
enum End {
    /// The client went away, is quiet for too long, or the process stops.
    Silent,
    /// It is told why.
    Refused(Problem),
}

/// Answers requests until there are no more. `hear` is called with each of them.
pub(super) async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    mut router: Router,
    mut stop: Receiver<bool>,
    hear: impl Fn(),
) {
    let mut buffer = BytesMut::with_capacity(BUFFER_BYTES);
    loop {
        let (request, mut closes) = match request(&mut stream, &mut buffer, &mut stop).await {
            Ok(request) => request,
            Err(End::Silent) => return,
            Err(End::Refused(problem)) => {
                if send(&mut stream, problem.at(None), true, true).await {
                    end(stream).await;
                }
                return;
            }
        };
        hear();
        let with_body = *request.method() != Method::HEAD;
        let response = match timeout(RESPOND_WITHIN, router.call(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => late().at(None),
        };
        closes |= *stop.borrow();
        if !send(&mut stream, response, with_body, closes).await {
            return;
        }
        if closes {
            return end(stream).await;
        }
    }
}

/// The next request, and whether it is the last.
async fn request(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    buffer: &mut BytesMut,
    stop: &mut Receiver<bool>,
) -> Result<(Request<Body>, bool), End> {
    if buffer.is_empty() {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return Err(End::Silent),
            more = timeout(QUIET_MAX, more(stream, buffer)) => more.map_err(|_| End::Silent)??,
        }
    }
    let head = timeout(HEAD_WITHIN, whole_head(stream, buffer)).await;
    let Head { request, body_bytes, expects, closes } = head.map_err(|_| End::Refused(too_slow("head", HEAD_WITHIN)))??;
    if expects && buffer.len() < body_bytes {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.map_err(|_| End::Silent)?;
    }
    let body = timeout(BODY_WITHIN, whole_body(stream, buffer, body_bytes)).await;
    let body = body.map_err(|_| End::Refused(too_slow("body", BODY_WITHIN)))??;
    let (parts, ()) = request.into_parts();
    Ok((Request::from_parts(parts, Body::from(body)), closes))
}

async fn more(stream: &mut (impl AsyncRead + Unpin), buffer: &mut BytesMut) -> Result<(), End> {
    match stream.read_buf(buffer).await {
        Ok(0) | Err(_) => Err(End::Silent),
        Ok(_) => Ok(()),
    }
}

async fn whole_head(stream: &mut (impl AsyncRead + Unpin), buffer: &mut BytesMut) -> Result<Head, End> {
    loop {
        if let Some((head, length)) = head::read(buffer).map_err(End::Refused)? {
            buffer.advance(length);
            return Ok(head);
        }
        more(stream, buffer).await?;
    }
}

async fn whole_body(stream: &mut (impl AsyncRead + Unpin), buffer: &mut BytesMut, bytes: usize) -> Result<Bytes, End> {
    while buffer.len() < bytes {
        more(stream, buffer).await?;
    }
    Ok(buffer.split_to(bytes).freeze())
}

/// Whether it could be sent.
async fn send(stream: &mut (impl AsyncWrite + Unpin), response: Response, with_body: bool, closes: bool) -> bool {
    let (head, body) = response.into_parts();
    // Everything here is answered out of memory, which does not fail.
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let title = head.status.canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {title}\r\ncontent-length: {}\r\n", head.status.as_u16(), body.len()).into_bytes();
    for (name, value) in head.headers.iter().filter(|(name, _)| **name != header::CONTENT_LENGTH) {
        bytes.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    let close = if closes { "connection: close\r\n" } else { "" };
    bytes.extend_from_slice(format!("cache-control: no-store\r\n{close}\r\n").as_bytes());
    if with_body {
        bytes.extend_from_slice(&body);
    }
    matches!(timeout(ANSWER_WITHIN, stream.write_all(&bytes)).await, Ok(Ok(())))
}

/// Closes, so that what was sent arrives.
async fn end(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    if stream.shutdown().await.is_ok() {
        let mut rest = stream.take(REST_BYTES_MAX);
        // Nobody is interested in it.
        let _ = timeout(REST_WITHIN, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
    }
}

fn too_slow(what: &str, within: Duration) -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, format!("The {what} did not come within {} seconds.", within.as_secs()))
}

fn late() -> Problem {
    let detail = format!("The answer did not come within {} seconds: is the disk busy?", RESPOND_WITHIN.as_secs());
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail)
}

#[cfg(test)]
mod tests;
