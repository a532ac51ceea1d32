//! A client that can be as rude as a test wants it to be.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    time::Duration,
};

/// An answer.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The body of a problem.
    pub(crate) fn problem(&self) -> serde_json::Value {
        assert!(self.head.contains("content-type: application/problem+json"), "{}", self.head);
        let problem: serde_json::Value = serde_json::from_str(&self.body).expect("JSON");
        assert_eq!(problem["status"], self.status);
        problem
    }
}

pub(crate) fn get(address: &str, path: &str) -> Answer {
    request(address, &format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n"))
}

/// Asks for quotes.
pub(crate) fn quote(address: &str, body: &str) -> Answer {
    let head = format!("content-type: application/json\r\ncontent-length: {}", body.len());
    request(address, &format!("POST /v1/quotes HTTP/1.1\r\n{head}\r\n\r\n{body}"))
}

pub(crate) fn request(address: &str, request: &str) -> Answer {
    let stream = begin(address, request);
    // Nothing more is asked, so the connection ends with the answer.
    stream.shutdown(Shutdown::Write).expect("it is open");
    end(stream).expect("an answer")
}

/// Sends as much of a request as there is.
pub(crate) fn begin(address: &str, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a time-out");
    stream.write_all(request.as_bytes()).expect("it reads");
    stream
}

/// What is answered; none when the connection was closed without a word.
pub(crate) fn end(mut stream: TcpStream) -> Option<Answer> {
    let mut bytes = Vec::new();
    // A connection that is dropped in the middle of a request may end with a reset.
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).expect("text");
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ").and_then(|rest| rest[..3].parse().ok()).expect("a status");
    Some(Answer { status, head: head.to_owned(), body: body.to_owned() })
}
