//! A collector of OpenTelemetry: takes requests over HTTP, and reads spans and metrics by the numbers of their fields.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use crate::wire::{Field, all, fields, hex, number, text};

/// It listens until the test ends.
pub(crate) struct Collector {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

struct Request {
    head: String,
    body: Vec<u8>,
}

#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) name: String,
    pub(crate) begun: u64,
    pub(crate) ended: u64,
    pub(crate) attributes: BTreeMap<String, String>,
    /// The traces that it is linked to.
    pub(crate) links: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Metric {
    pub(crate) name: String,
    pub(crate) unit: String,
    pub(crate) is_monotonic_and_cumulative: bool,
    /// Of integers.
    values: Vec<u64>,
    /// Of the first histogram.
    pub(crate) counts: Vec<u64>,
    pub(crate) bounds: Vec<f64>,
}

impl Metric {
    pub(crate) fn sum(&self) -> u64 {
        self.values.iter().sum()
    }
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let taken = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let taken = taken.clone();
                std::thread::spawn(move || take(stream, &taken));
            }
        });
        Self { address, requests }
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.requests.lock().expect("whole").iter().map(|request| request.head.clone()).collect()
    }

    fn bodies(&self, path: &str) -> Vec<Vec<u8>> {
        let begins = format!("POST {path} ");
        let requests = self.requests.lock().expect("whole");
        requests.iter().filter(|request| request.head.starts_with(&begins)).map(|request| request.body.clone()).collect()
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        let bodies = self.bodies("/v1/traces");
        let scopes = bodies.iter().flat_map(|body| all(body, 1)).flat_map(|resource| all(resource, 2));
        scopes.flat_map(|scope| all(scope, 2)).map(span).collect()
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let bodies = self.bodies("/v1/metrics");
        let scopes = bodies.iter().flat_map(|body| all(body, 1)).flat_map(|resource| all(resource, 2));
        scopes.flat_map(|scope| all(scope, 2)).map(metric).collect()
    }

    /// The name of the service, the same in all requests.
    pub(crate) fn service(&self) -> String {
        let bodies = [self.bodies("/v1/traces"), self.bodies("/v1/metrics")].concat();
        let resources = bodies.iter().flat_map(|body| all(body, 1)).flat_map(|part| all(part, 1));
        let mut names: Vec<String> = resources.map(|resource| attributes(resource, 1)["service.name"].clone()).collect();
        names.dedup();
        assert_eq!(names.len(), 1, "{names:?}");
        names.remove(0)
    }
}

fn take(stream: TcpStream, taken: &Mutex<Vec<Request>>) {
    let mut write = stream.try_clone().expect("a second handle");
    let mut read = BufReader::new(stream);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if read.read_line(&mut head).is_ok_and(|count| count > 0) {
                continue;
            }
            return;
        }
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok());
        let mut body = vec![0; length.expect("a length")];
        read.read_exact(&mut body).expect("the body");
        assert!(head.to_lowercase().contains("content-type: application/x-protobuf"), "{head}");
        taken.lock().expect("whole").push(Request { head, body });
        write.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").expect("it listens");
    }
}

fn span(bytes: &[u8]) -> Span {
    let id = |number| all(bytes, number).first().map_or(String::new(), |id| hex(id));
    Span {
        trace: id(1),
        id: id(2),
        parent: id(4),
        name: text(bytes, 5),
        begun: number(bytes, 7).expect("a start"),
        ended: number(bytes, 8).expect("an end"),
        attributes: attributes(bytes, 9),
        links: all(bytes, 13).into_iter().map(|link| hex(all(link, 1)[0])).collect(),
    }
}

fn metric(bytes: &[u8]) -> Metric {
    let data = [5, 7, 9].into_iter().find_map(|number| all(bytes, number).first().copied()).expect("data");
    let points = all(data, 1);
    let histogram = all(bytes, 9).first().and_then(|_| points.first().copied()).unwrap_or_default();
    let packed = |number| {
        let bytes = all(histogram, number).first().copied().unwrap_or_default();
        bytes.chunks_exact(8).map(|chunk| u64::from_le_bytes(chunk.try_into().expect("eight"))).collect::<Vec<u64>>()
    };
    Metric {
        name: text(bytes, 1),
        unit: text(bytes, 3),
        is_monotonic_and_cumulative: number(data, 2) == Some(2) && number(data, 3) == Some(1),
        values: points.iter().filter_map(|point| number(point, 6)).collect(),
        counts: packed(6),
        bounds: packed(7).into_iter().map(f64::from_bits).collect(),
    }
}

fn attributes(bytes: &[u8], number: u64) -> BTreeMap<String, String> {
    let value = |bytes: &[u8]| match fields(bytes)[..] {
        [(1, Field::Bytes(text))] => String::from_utf8_lossy(text).into_owned(),
        [(_, Field::Number(value))] => value.to_string(),
        ref other => panic!("{other:?}"),
    };
    all(bytes, number).into_iter().map(|pair| (text(pair, 1), value(all(pair, 2)[0]))).collect()
}
