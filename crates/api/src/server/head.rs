//! The head of a request: what `httparse` finds in it, and what of that is served. Strict where two readers could disagree about where
//! a request ends: no body but one with a single, plain length.

use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};

use crate::{
    problem::Problem,
    routes::{BODY_BYTES_MAX, too_large},
};

/// A head with some headers of proxies on the way; what is longer is no request that anybody meant.
pub(super) const HEAD_BYTES_MAX: usize = 8 << 10;
const HEADERS_MAX: usize = 64;

/// A head that was read.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) request: Request<()>,
    /// Bytes of the body that follows.
    pub(super) body_bytes: usize,
    /// Whether the client waits to be told that it may send it.
    pub(super) expects: bool,
    /// Whether it says that this is its last request.
    pub(super) closes: bool,
}

/// The head at the beginning of these bytes and how long it is; none while it is not whole.
pub(super) fn read(bytes: &[u8]) -> Result<Option<(Head, usize)>, Problem> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(bytes) {
        Ok(httparse::Status::Partial) if bytes.len() <= HEAD_BYTES_MAX => return Ok(None),
        Ok(httparse::Status::Complete(length)) if length <= HEAD_BYTES_MAX => length,
        Ok(_) | Err(httparse::Error::TooManyHeaders) => return Err(too_much()),
        Err(_) => return Err(nonsense("This is no HTTP/1 request.")),
    };
    let method = parsed.method.and_then(|method| Method::from_bytes(method.as_bytes()).ok());
    let uri = parsed.path.and_then(|path| path.parse::<Uri>().ok());
    let (Some(method), Some(uri)) = (method, uri) else { return Err(nonsense("This is no method and path.")) };
    let is_old = parsed.version == Some(0);
    let mut request = Request::new(());
    (*request.method_mut(), *request.uri_mut()) = (method, uri);
    for header in parsed.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes());
        let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(header.value)) else {
            return Err(nonsense("A header is none."));
        };
        request.headers_mut().append(name, value);
    }
    let body_bytes = body_bytes(&request)?;
    let connection = words(&request, header::CONNECTION);
    let has = |wanted: &str| connection.iter().any(|word| word.eq_ignore_ascii_case(wanted));
    let closes = has("close") || is_old && !has("keep-alive");
    let expects = words(&request, header::EXPECT).iter().any(|word| word.eq_ignore_ascii_case("100-continue"));
    Ok(Some((Head { request, body_bytes, expects, closes }, length)))
}

fn body_bytes(request: &Request<()>) -> Result<usize, Problem> {
    if request.headers().contains_key(header::TRANSFER_ENCODING) {
        return Err(Problem::new(
            StatusCode::LENGTH_REQUIRED,
            "Send the body whole, with a content-length and without transfer-encoding.",
        ));
    }
    let mut lengths = request.headers().get_all(header::CONTENT_LENGTH).iter();
    let (Some(length), None) = (lengths.next(), lengths.next()) else {
        return match request.headers().contains_key(header::CONTENT_LENGTH) {
            true => Err(nonsense("There are several content-lengths.")),
            false => Ok(0),
        };
    };
    // Digits alone: a sign or a comma is read differently by different servers.
    let digits = length.as_bytes();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(nonsense("The content-length is no number."));
    }
    let length = length.to_str().ok().and_then(|digits| digits.parse::<usize>().ok());
    length.filter(|length| *length <= BODY_BYTES_MAX).ok_or_else(too_large)
}

/// The words of a header that has a comma between two.
fn words(request: &Request<()>, name: HeaderName) -> Vec<&str> {
    let values = request.headers().get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim).collect()
}

pub(super) fn too_much() -> Problem {
    let detail = format!("The head is longer than {} KiB, or has more than {HEADERS_MAX} headers.", HEAD_BYTES_MAX >> 10);
    Problem::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail)
}

fn nonsense(detail: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str, expected: Result<(usize, bool, bool), &str>) {
        match (read(head.as_bytes()), expected) {
            (Ok(Some((head, _))), Ok(expected)) => assert_eq!((head.body_bytes, head.expects, head.closes), expected, "{head:?}"),
            (Err(problem), Err(expected)) => {
                let object = problem.object(None).to_string();
                assert!(object.contains(expected), "{head}: {object}");
            }
            (found, expected) => panic!("{head}: {found:?}, not {expected:?}"),
        }
    }

    #[test]
    fn a_head_says_how_the_request_ends() {
        check("GET / HTTP/1.1\r\n\r\n", Ok((0, false, false)));
        check("GET / HTTP/1.0\r\n\r\n", Ok((0, false, true)));
        check("GET / HTTP/1.0\r\nconnection: Keep-Alive\r\n\r\n", Ok((0, false, false)));
        check(
            "POST / HTTP/1.1\r\nContent-Length: 12\r\nExpect: 100-continue\r\nconnection: x, close\r\n\r\n",
            Ok((12, true, true)),
        );
    }

    #[test]
    fn where_readers_could_disagree_nothing_is_served() {
        let post = |headers: &str| format!("POST / HTTP/1.1\r\n{headers}\r\n\r\n");
        check(&post("transfer-encoding: chunked"), Err("411"));
        check(&post("transfer-encoding: chunked\r\ncontent-length: 3"), Err("411"));
        check(&post("content-length: 3\r\ncontent-length: 3"), Err("several"));
        for length in ["+3", "3, 3", "-1", "0x3", ""] {
            check(&post(&format!("content-length: {length}")), Err("no number"));
        }
        check(&post("content-length: 99999999999999999999999"), Err("413"));
        check(&post("content-length: 1048577"), Err("1024 KiB"));
        check("PRI * HTTP/2.0\r\n\r\n", Err("no HTTP/1"));
        check("\u{1}\u{2}\r\n\r\n", Err("no HTTP/1"));
        check(&format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65)), Err("431"));
        check(&format!("GET / HTTP/1.1\r\nx: {}", "a".repeat(9000)), Err("431"));
        assert!(read(b"GET / HTTP/1.1\r\nx").is_ok_and(|head| head.is_none()));
    }
}
