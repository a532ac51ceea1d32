//! Connections: one request each, within bounds that a slow or hostile client cannot move. Knows no path.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
    task::AbortHandle,
    time::timeout,
};

/// Some scrapers, probes and curious people. When one more comes, the oldest goes: whoever is served at all is served in
/// milliseconds, so the oldest is one that dawdles.
const CONNECTIONS_MAX: usize = 64;
/// A head with some headers of proxies on the way; what is longer is no request for metrics.
const HEAD_BYTES_MAX: usize = 8 << 10;
const HEADERS_MAX: usize = 64;
/// Between machines that are far from each other a head takes less than a second.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// For lags the log is read, which waits for the disk. Scrapers give up after 10 seconds.
const RESPOND_WITHIN: Duration = Duration::from_secs(10);
/// A megabyte of metrics over a slow line.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// What a client still sends while it is answered is read up to here, so that the answer is not lost with the connection.
const REST_BYTES_MAX: u64 = 64 << 10;
const REST_WITHIN: Duration = Duration::from_millis(200);
/// Until it is tried again to take a connection, when the machine has no room for one.
const BREATH: Duration = Duration::from_millis(100);

/// Somebody who knows the answers.
pub(super) trait Respond: Send + Sync + 'static {
    /// To a request that could be read.
    fn respond(&self, method: &str, path: &str) -> impl Future<Output = Answer> + Send;

    /// To one that could not.
    fn refuse(&self, status: u16, title: &'static str, detail: &str) -> Answer;
}

/// What is sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) title: &'static str,
    pub(super) content_type: &'static str,
    pub(super) body: String,
    /// Whether it says which methods there are.
    pub(super) allow: bool,
}

/// What was asked, as far as it matters.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    For {
        method: String,
        path: String,
    },
    TooMuch,
    Nonsense,
    TooSlow,
    /// The client went away, or said nothing.
    Nothing,
}

impl Answer {
    pub(super) fn ok(content_type: &'static str, body: &str) -> Self {
        Self { status: 200, title: "OK", content_type, body: body.to_owned(), allow: false }
    }

    fn bytes(&self, with_body: bool) -> Vec<u8> {
        let allow = if self.allow { "allow: GET, HEAD\r\n" } else { "" };
        let head = format!(
            "HTTP/1.1 {} {}\r\ncontent-type: {}\r\ncontent-length: {}\r\n{allow}cache-control: no-store\r\n\
             connection: close\r\n\r\n",
            self.status,
            self.title,
            self.content_type,
            self.body.len()
        );
        let body = if with_body { self.body.as_str() } else { "" };
        [head.as_bytes(), body.as_bytes()].concat()
    }
}

/// Takes connections until it is dropped.
pub(super) async fn serve<R: Respond>(listener: TcpListener, respond: Arc<R>) {
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(BREATH).await;
            continue;
        };
        open.retain(|connection| !connection.is_finished());
        if open.len() >= CONNECTIONS_MAX
            && let Some(oldest) = open.pop_front()
        {
            oldest.abort();
        }
        let respond = respond.clone();
        open.push_back(tokio::spawn(async move { answer(stream, &*respond).await }).abort_handle());
    }
}

/// One request and its answer.
async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, respond: &impl Respond) {
    let asked = timeout(HEAD_WITHIN, head(&mut stream)).await.unwrap_or(Asked::TooSlow);
    let (answer, with_body) = match asked {
        Asked::Nothing => return,
        Asked::For { method, path } => {
            let answer = timeout(RESPOND_WITHIN, respond.respond(&method, &path)).await;
            let late =
                || respond.refuse(503, "Service Unavailable", "The answer did not come within 10 seconds: is the disk busy?");
            (answer.unwrap_or_else(|_| late()), method != "HEAD")
        }
        Asked::TooMuch => (respond.refuse(431, "Request Header Fields Too Large", "The head is longer than 8 KiB."), true),
        Asked::Nonsense => (respond.refuse(400, "Bad Request", "This is no HTTP/1 request."), true),
        Asked::TooSlow => (respond.refuse(408, "Request Timeout", "The head did not come within 5 seconds."), true),
    };
    let sent = timeout(ANSWER_WITHIN, async {
        stream.write_all(&answer.bytes(with_body)).await?;
        stream.shutdown().await
    });
    if let Ok(Ok(())) = sent.await {
        let mut rest = stream.take(REST_BYTES_MAX);
        // Nobody is interested in it.
        let _ = timeout(REST_WITHIN, tokio::io::copy(&mut rest, &mut tokio::io::sink())).await;
    }
}

async fn head(stream: &mut (impl AsyncRead + Unpin)) -> Asked {
    let mut bytes = Vec::with_capacity(1024);
    loop {
        let mut more = [0; 1024];
        match stream.read(&mut more).await {
            Ok(0) | Err(_) => return Asked::Nothing,
            Ok(count) => bytes.extend_from_slice(&more[..count]),
        }
        if let Some(asked) = parse(&bytes) {
            return asked;
        }
        if bytes.len() > HEAD_BYTES_MAX {
            return Asked::TooMuch;
        }
    }
}

/// None while the head is not whole.
fn parse(bytes: &[u8]) -> Option<Asked> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Partial) => None,
        Ok(httparse::Status::Complete(length)) if length > HEAD_BYTES_MAX => Some(Asked::TooMuch),
        Ok(httparse::Status::Complete(_)) => {
            let (method, path) = (request.method?.to_owned(), request.path?);
            let path = path.split(['?', '#']).next().unwrap_or_default().to_owned();
            Some(Asked::For { method, path })
        }
        Err(httparse::Error::TooManyHeaders) => Some(Asked::TooMuch),
        Err(_) => Some(Asked::Nonsense),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    /// Answers with what was asked.
    struct Echo;

    impl Respond for Echo {
        async fn respond(&self, method: &str, path: &str) -> Answer {
            if path == "/never" {
                std::future::pending::<()>().await;
            }
            Answer::ok("text/plain", &format!("{method} {path}"))
        }

        fn refuse(&self, status: u16, title: &'static str, detail: &str) -> Answer {
            Answer { status, title, content_type: "text/plain", body: detail.to_owned(), allow: false }
        }
    }

    /// Sends pieces, and returns the first line of the answer and its body.
    async fn check(pieces: &[&[u8]]) -> (String, String) {
        let (mut client, server) = duplex(64 << 10);
        let served = tokio::spawn(async move { answer(server, &Echo).await });
        for piece in pieces {
            client.write_all(piece).await.expect("it is read");
        }
        let mut said = String::new();
        client.read_to_string(&mut said).await.expect("text");
        drop(client);
        served.await.expect("no panic");
        let (head, body) = said.split_once("\r\n\r\n").unwrap_or_default();
        (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_may_come_in_pieces() {
        let (line, body) = check(&[b"GET /met", b"rics?a=b HTTP/1.1\r\nhost: x", b"\r\n\r\n"]).await;
        assert_eq!((&*line, &*body), ("HTTP/1.1 200 OK", "GET /metrics"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_answer_to_a_head_has_no_body() {
        let (line, body) = check(&[b"HEAD /metrics HTTP/1.1\r\n\r\n"]).await;
        assert_eq!((&*line, &*body), ("HTTP/1.1 200 OK", ""));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_request_is_refused() {
        let endless = [b"GET / HTTP/1.1\r\nx: ".as_slice(), &[b'a'; 9000]].concat();
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65));
        for (pieces, expected) in [
            (&[b"\x16\x03\x01\x02\x00".as_slice()][..], "HTTP/1.1 400 Bad Request"),
            (&[&endless], "HTTP/1.1 431 Request Header Fields Too Large"),
            (&[many.as_bytes()], "HTTP/1.1 431 Request Header Fields Too Large"),
            (&[b"GET / HTTP/1.1\r\nhost:"], "HTTP/1.1 408 Request Timeout"),
        ] {
            assert_eq!(check(pieces).await.0, expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_does_not_come_is_a_problem() {
        assert_eq!(check(&[b"GET /never HTTP/1.1\r\n\r\n"]).await.0, "HTTP/1.1 503 Service Unavailable");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_goes_away_is_not_answered() {
        let (client, server) = duplex(1024);
        drop(client);
        answer(server, &Echo).await;
    }
}
