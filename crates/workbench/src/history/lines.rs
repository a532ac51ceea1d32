//! Lines of a file, however long or broken they are, in bounded memory.

use std::io::{self, BufRead, BufReader, Read};

/// Longer payloads are refused, so one byte more than this is all that is kept of a line.
const PAYLOAD_BYTES_MAX: usize = 1 << 20;
/// Large enough that a system call costs nothing beside the parsing of what it brings.
const BUFFER_BYTES: usize = 1 << 18;

/// The lines of one file or pipe.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    bytes: u64,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(file: R) -> Self {
        Self { reader: BufReader::with_capacity(BUFFER_BYTES, file), bytes: 0 }
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes
    }

    /// The next line that is not blank, without its end. Counts lines in `number`.
    pub(crate) fn next_line(&mut self, number: &mut u64) -> io::Result<Option<Vec<u8>>> {
        loop {
            let mut line = Vec::new();
            if !self.fill(&mut line)? {
                return Ok(None);
            }
            *number += 1;
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            if !line.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
        }
    }

    /// Reads up to the end of a line and keeps its beginning; false at the end of the file.
    fn fill(&mut self, line: &mut Vec<u8>) -> io::Result<bool> {
        let mut any = false;
        loop {
            let buffer = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if buffer.is_empty() {
                return Ok(any);
            }
            any = true;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let room = PAYLOAD_BYTES_MAX + 1 - line.len();
            line.extend_from_slice(&part[..part.len().min(room)]);
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            self.bytes += used as u64;
            if end.is_some() {
                return Ok(true);
            }
        }
    }
}
