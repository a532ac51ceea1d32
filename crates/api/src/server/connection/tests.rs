use axum::routing::{any, get};
use tokio::{io::duplex, sync::watch};

use super::*;

fn router() -> Router {
    let echo = |method: Method, uri: http::Uri, body: String| async move { format!("{method} {uri} {body}") };
    Router::new().route("/never", get(std::future::pending::<()>)).fallback(any(echo))
}

/// Sends pieces, and returns everything that is answered until the connection is closed, without the heads' lines but the first.
async fn check(pieces: &[&[u8]], expected: &[(&str, &str)]) {
    let (mut client, server) = duplex(64 << 10);
    let (_keep, stop) = watch::channel(false);
    let served = tokio::spawn(converse(server, router(), stop, || {}));
    for piece in pieces {
        client.write_all(piece).await.expect("it is read");
    }
    let mut said = String::new();
    client.read_to_string(&mut said).await.expect("text");
    drop(client);
    served.await.expect("no panic");
    let answers: Vec<&str> = said.split("HTTP/1.1 ").skip(1).collect();
    assert_eq!(answers.len(), expected.len(), "{said}");
    for (answer, (line, body)) in answers.iter().zip(expected) {
        let (head, rest) = answer.split_once("\r\n\r\n").expect("a head");
        assert_eq!(head.lines().next(), Some(*line), "{said}");
        assert!(rest.contains(body), "{rest:?} is not {body:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_come_one_after_the_other_and_in_pieces() {
    let pieces: [&[u8]; 4] = [
        b"GET /a?b=c HTTP/1.1\r\n\r\nPOST /d HT",
        b"TP/1.1\r\ncontent-length: 4\r\n\r\nab",
        b"cdHEAD /e HTTP/1.1\r\n\r\n",
        b"GET /f HTTP/1.1\r\nconnection: close\r\n\r\nGET /never heard",
    ];
    check(&pieces, &[("200 OK", "GET /a?b=c "), ("200 OK", "POST /d abcd"), ("200 OK", ""), ("200 OK", "GET /f ")]).await;
}

#[tokio::test(start_paused = true)]
async fn a_body_is_waited_for_with_a_word() {
    let (mut client, server) = duplex(1024);
    let (_keep, stop) = watch::channel(false);
    let served = tokio::spawn(converse(server, router(), stop, || {}));
    let head = b"POST / HTTP/1.1\r\ncontent-length: 2\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n";
    client.write_all(head).await.expect("it is read");
    let mut word = [0; 25];
    client.read_exact(&mut word).await.expect("a word");
    assert_eq!(&word, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"ab").await.expect("it is read");
    let mut said = String::new();
    client.read_to_string(&mut said).await.expect("text");
    assert!(said.starts_with("HTTP/1.1 200 OK") && said.ends_with("POST / ab"), "{said}");
    drop(client);
    served.await.expect("no panic");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_request_is_a_problem() {
    for (pieces, line, words) in [
        (&[b"\x16\x03\x01\x02\x00".as_slice()][..], "400 Bad Request", "no HTTP/1"),
        (&[b"GET / HTTP/1.1\r\nhost:"], "408 Request Timeout", "head did not come within 5 seconds"),
        (&[b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\nab"], "408 Request Timeout", "body did not come within 10 seconds"),
        (&[b"POST / HTTP/1.1\r\ncontent-length: 2000000\r\n\r\n"], "413 Payload Too Large", "1024 KiB"),
        (&[b"GET /never HTTP/1.1\r\nconnection: close\r\n\r\n"], "503 Service Unavailable", "within 10 seconds"),
    ] {
        check(pieces, &[(line, words)]).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_quiet_and_the_gone_are_not_answered() {
    check(&[], &[]).await;
    let (client, server) = duplex(1024);
    drop(client);
    let (_keep, stop) = watch::channel(false);
    converse(server, router(), stop, || {}).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_is_answered_when_the_process_stops() {
    let (mut client, server) = duplex(1024);
    let (tell, stop) = watch::channel(false);
    let served = tokio::spawn(converse(server, router(), stop.clone(), || {}));
    client.write_all(b"GET /a HTTP/1.1\r\n").await.expect("it is read");
    while !client_was_read(&served).await {}
    tell.send_replace(true);
    client.write_all(b"\r\n").await.expect("it is read");
    let mut said = String::new();
    client.read_to_string(&mut said).await.expect("text");
    assert!(said.starts_with("HTTP/1.1 200 OK") && said.contains("connection: close"), "{said}");
    let (_client, server) = duplex(1024);
    converse(server, router(), stop, || {}).await;
}

/// Lets the server take what was sent.
async fn client_was_read(served: &tokio::task::JoinHandle<()>) -> bool {
    tokio::task::yield_now().await;
    tokio::time::advance(Duration::from_millis(1)).await;
    !served.is_finished()
}
