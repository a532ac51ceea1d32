//! What the answers of a registry mean, right and wrong ones, given by a listener of the test; and what it is asked.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    thread::{self, JoinHandle},
};

use domain::Timestamp;
use io_registry::{Definition, Fault, Format, Login, Registry, SchemaId, Secret, Settings};
use ports::{ErrorKind, clock_fn};

const SCHEMA: &str = r#"{"schema":"{\"type\":\"record\",\"name\":\"A\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}"}"#;
const RECORD: [u8; 6] = [0, 0, 0, 0, 7, 2];

/// Gives one answer to one request, which it hands back.
fn answering(status: &str, headers: &str, body: &str) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let answer = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let answering = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a request");
        let mut reader = BufReader::new(&stream);
        let mut request = String::new();
        while !request.ends_with("\r\n\r\n") && reader.read_line(&mut request).expect("a line") > 0 {}
        let length = request.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("the request's body");
        (&stream).write_all(answer.as_bytes()).expect("it listens");
        request + &String::from_utf8(body).expect("text")
    });
    (url, answering)
}

fn open(settings: &Settings) -> Registry {
    Registry::open(settings, clock_fn(1.0, || Timestamp(0))).expect("sound settings")
}

/// How asking for a schema fails.
async fn check(status: &str, headers: &str, body: &str, kind: ErrorKind, words: &str) {
    let (url, answering) = answering(status, headers, body);
    let error = open(&Settings::new(url)).prepare([SchemaId(7)]).await.map(drop).expect_err("no schema");
    answering.join().expect("it was asked");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[tokio::test]
async fn wrong_answers_say_what_to_do() {
    check("503 Busy", "", "wait", ErrorKind::Transient, "503: wait").await;
    check("429 Slow", "", r#"{"error_code":429,"message":"slowly"}"#, ErrorKind::Transient, "429: slowly").await;
    check("401 No", "", "", ErrorKind::Invalid, "check user, password").await;
    check("403 No", "", "", ErrorKind::Invalid, "may read schemas").await;
    check("200 OK", "", "<html>", ErrorKind::Invalid, "does not speak as a schema registry").await;
    check("200 OK", "", r#"{"schema":"x","schemaType":"THRIFT"}"#, ErrorKind::Invalid, "THRIFT").await;
    check("404 No", "", "no such page", ErrorKind::Invalid, "name the URL").await;
    check("404 No", "", r#"{"error_code":404,"message":"HTTP 404"}"#, ErrorKind::Invalid, "name the URL").await;
    // The login is not carried elsewhere.
    check("302 There", "location: http://127.0.0.1:1/\r\n", "", ErrorKind::Invalid, "302").await;
    check("200 OK", "", &" ".repeat((4 << 20) + 1), ErrorKind::Invalid, "does not speak as a schema registry").await;
}

#[tokio::test]
async fn what_the_registry_does_not_have_is_a_fault_of_the_record() {
    let (url, answering) = answering("404 No", "", r#"{"error_code":40403,"message":"Schema not found"}"#);
    let decoder = open(&Settings::new(url)).prepare([SchemaId(7)]).await.expect("an answer");
    answering.join().expect("it was asked");
    let Err(Fault::UnknownSchema { id: SchemaId(7), why }) = decoder.json(&RECORD) else { panic!("the schema is not known") };
    assert!(why.contains("Schema not found"), "{why}");
}

#[tokio::test]
async fn a_schema_without_sense_is_a_fault_of_the_record() {
    let (url, answering) = answering("200 OK", "", r#"{"schema":"{}","schemaType":"PROTOBUF"}"#);
    let decoder = open(&Settings::new(url)).prepare([SchemaId(7)]).await.expect("an answer");
    answering.join().expect("it was asked");
    assert_eq!(decoder.json(&RECORD).map_err(|fault| fault.reason()), Err("unusable_schema"));
}

#[tokio::test]
async fn each_schema_is_asked_for_once_and_by_name() {
    let (url, answering) = answering("200 OK", "", SCHEMA);
    let login = Login { user: "reader".into(), password: Secret::new("pass:word") };
    let registry = open(&Settings { login: Some(login), ..Settings::new(format!("{url}/apis/ccompat/v7/")) });
    for _ in 0..2 {
        // The second time nobody listens any more.
        let decoder = registry.clone().prepare([SchemaId(7), SchemaId(7)]).await.expect("it is known");
        assert_eq!(decoder.json(&RECORD).as_deref(), Ok(&br#"{"a":1}"#[..]));
    }
    let request = answering.join().expect("it was asked").to_ascii_lowercase();
    assert!(request.starts_with("get /apis/ccompat/v7/schemas/ids/7 http/1.1\r\n"), "{request}");
    assert!(request.contains(&"authorization: Basic cmVhZGVyOnBhc3M6d29yZA==\r\n".to_ascii_lowercase()), "{request}");
}

#[tokio::test]
async fn a_subject_stays_one_part_of_the_path() {
    let (url, answering) = answering("409 Conflict", "", r#"{"error_code":409,"message":"a field was lost"}"#);
    let registered = open(&Settings::new(url)).register("a/b ?-value", &Definition::new(Format::Json, "{}")).await;
    let request = answering.join().expect("it was asked");
    assert!(request.starts_with("POST /subjects/a%2Fb%20%3F-value/versions HTTP/1.1\r\n"), "{request}");
    assert!(request.ends_with(r#"{"schema":"{}","schemaType":"JSON"}"#), "{request}");
    let error = registered.expect_err("it was refused");
    assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("a field was lost"), "{error}");
}
