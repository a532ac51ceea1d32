//! Events from files, merged by the time at which they arrived: what a topic would have held.
//!
//! Hands payloads on as they are and never judges them; that is the engine's. Holds one event for each file.

mod envelope;
mod lines;
mod rows;

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    path::{Path, PathBuf},
};

use domain::{EARLIEST, LATEST, Timestamp};
use features::Record;
use pipeline::{Pipeline, SourceKind};

pub(crate) use self::lines::Lines;
use self::{envelope::Envelope, rows::Rows};
use crate::Error;

/// One record of the past.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Index of a stream in the pipeline's sources.
    pub source: usize,
    /// Line or row of its file, from 1.
    pub line: u64,
    /// When it arrived; never earlier than the event before it.
    pub append_at: Timestamp,
    /// JSON, one hopes.
    pub payload: Vec<u8>,
}

impl Event {
    /// As the engine takes it.
    pub(crate) fn record(&self) -> Record<'_> {
        Record { source: self.source, offset: self.line, append_at: self.append_at, payload: &self.payload }
    }
}

/// All events of some files, in the order of their arrival.
#[derive(Debug)]
pub struct History {
    files: Vec<Reader>,
    streams: Streams,
    /// The next event of each file; the order of the files breaks ties.
    next: BinaryHeap<Reverse<(Timestamp, usize)>>,
    ahead: Vec<Option<Event>>,
}

/// One file and what is known of it so far.
#[derive(Debug)]
struct Reader {
    path: PathBuf,
    content: Content,
    /// What events without `_source` belong to.
    source: Option<usize>,
    /// Largest append time so far.
    clock: Timestamp,
    line: u64,
    bytes: u64,
    /// What a line belongs to that cannot be read at all.
    previous: Option<usize>,
}

#[derive(Debug)]
enum Content {
    Lines(Lines<File>),
    Rows(Rows),
}

/// The pipeline's streams, by what files may call them.
#[derive(Debug)]
struct Streams {
    /// Index, name, topic and time field of each.
    all: Vec<(usize, String, String, String)>,
}

impl History {
    /// Opens the files: Parquet by their ending, JSON lines otherwise.
    pub fn open(pipeline: &Pipeline, paths: &[PathBuf]) -> Result<Self, Error> {
        let streams = Streams::new(pipeline);
        let files = paths.iter().map(|path| Reader::open(path, &streams)).collect::<Result<Vec<Reader>, Error>>()?;
        let mut history = Self { next: BinaryHeap::new(), ahead: files.iter().map(|_| None).collect(), files, streams };
        for file in 0..history.files.len() {
            history.read_ahead(file)?;
        }
        Ok(history)
    }

    /// Bytes of all files.
    pub fn bytes_total(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    /// Bytes read so far, about.
    pub fn bytes_read(&self) -> u64 {
        self.files.iter().map(Reader::bytes_read).sum()
    }

    /// The next event if it arrived before `limit`.
    pub fn next_before(&mut self, limit: Timestamp) -> Option<Result<Event, Error>> {
        let Reverse((append_at, _)) = self.next.peek()?;
        if *append_at < limit { self.next() } else { None }
    }

    fn read_ahead(&mut self, file: usize) -> Result<(), Error> {
        self.ahead[file] = self.files[file].read(&self.streams)?;
        if let Some(event) = &self.ahead[file] {
            self.next.push(Reverse((event.append_at, file)));
        }
        Ok(())
    }
}

impl Iterator for History {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((_, file)) = self.next.pop()?;
        let event = self.ahead[file].take()?;
        Some(self.read_ahead(file).map(|()| event))
    }
}

impl Reader {
    fn open(path: &Path, streams: &Streams) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::reading(path))?;
        let metadata = file.metadata().map_err(Error::reading(path))?;
        if metadata.is_dir() {
            return Err(Error::content(path, 0, "this is a folder", "name the files in it"));
        }
        let is_parquet = path.extension().is_some_and(|ending| ending == "parquet");
        let content = if is_parquet { Content::Rows(Rows::new(path, file)?) } else { Content::Lines(Lines::new(file)) };
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let source = streams.called(stem).or_else(|| streams.only());
        let bytes = metadata.len();
        Ok(Self { path: path.into(), content, source, clock: EARLIEST, line: 0, bytes, previous: None })
    }

    fn bytes_read(&self) -> u64 {
        match &self.content {
            Content::Lines(lines) => lines.bytes_read(),
            Content::Rows(rows) => (rows.share_read() * self.bytes as f64) as u64,
        }
    }

    fn read(&mut self, streams: &Streams) -> Result<Option<Event>, Error> {
        let payload = match &mut self.content {
            Content::Lines(lines) => lines.next_line(&mut self.line).map_err(Error::reading(&self.path))?,
            Content::Rows(rows) => rows.next_payload(&mut self.line).map_err(Error::parquet(&self.path))?,
        };
        let Some(payload) = payload else { return Ok(None) };
        // Which member holds the time depends on the source, which another member may tell: guess, and read again if wrong.
        let guess = self.source.or(self.previous).map_or("", |source| streams.time_field(source));
        let mut envelope = Envelope::read(&payload, guess);
        let source = self.source_of(envelope.as_ref(), streams)?;
        let time_field = streams.time_field(source);
        if time_field != guess {
            envelope = Envelope::read(&payload, time_field);
        }
        self.previous = Some(source);
        let append_at = self.arrival(envelope.as_ref())?;
        Ok(Some(Event { source, line: self.line, append_at, payload }))
    }

    fn source_of(&self, envelope: Option<&Envelope<'_>>, streams: &Streams) -> Result<usize, Error> {
        match envelope {
            Some(Envelope { source: Some(name), .. }) => streams.called(name).ok_or_else(|| {
                let help = format!("the pipeline's streams are {}", streams.names());
                Error::content(&self.path, self.line, format!("`_source` is `{name}`, and no stream is called so"), help)
            }),
            Some(_) => self.source.ok_or_else(|| {
                let help = format!("add \"_source\" to each event or name the file after its stream, one of {}", streams.names());
                Error::content(&self.path, self.line, "nothing says which stream this event belongs to", help)
            }),
            // Whoever refuses this line refuses it for any stream.
            None => self.source.or(self.previous).or_else(|| streams.first()).ok_or_else(|| streams.none()),
        }
    }

    /// The running maximum of what the events say of themselves.
    fn arrival(&mut self, envelope: Option<&Envelope<'_>>) -> Result<Timestamp, Error> {
        let said = match envelope {
            Some(Envelope { at: Some(at), .. }) => {
                let at = envelope::instant(at).filter(is_plausible);
                let message = "`_at` is no time between 2000 and 2100";
                Some(at.ok_or_else(|| {
                    Error::content(
                        &self.path,
                        self.line,
                        message,
                        "write RFC 3339 such as \"2026-03-01T18:30:00Z\", or milliseconds",
                    )
                })?)
            }
            Some(Envelope { time: Some(time), .. }) => envelope::instant(time).filter(is_plausible),
            _ => None,
        };
        self.clock = self.clock.max(said.unwrap_or(self.clock));
        Ok(self.clock)
    }
}

impl Streams {
    fn new(pipeline: &Pipeline) -> Self {
        let all = pipeline.sources.iter().enumerate().filter_map(|(place, source)| match &source.kind {
            SourceKind::Stream(stream) => {
                Some((place, source.name.clone(), stream.topic.clone(), source.fields[stream.time].name.clone()))
            }
            _ => None,
        });
        Self { all: all.collect() }
    }

    fn called(&self, wanted: &str) -> Option<usize> {
        self.all.iter().find(|(_, name, topic, _)| name == wanted || topic == wanted).map(|(place, ..)| *place)
    }

    fn only(&self) -> Option<usize> {
        if let [(place, ..)] = self.all.as_slice() { Some(*place) } else { None }
    }

    fn first(&self) -> Option<usize> {
        self.all.first().map(|(place, ..)| *place)
    }

    fn time_field(&self, source: usize) -> &str {
        self.all.iter().find(|(place, ..)| *place == source).map_or("", |(.., time)| time)
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.all.iter().map(|(_, name, ..)| name.as_str()).collect();
        names.join(", ")
    }

    fn none(&self) -> Error {
        Error::setting("the pipeline has no stream, so no event belongs to it", "declare a [source.NAME] with a topic")
    }
}

fn is_plausible(time: &Timestamp) -> bool {
    (EARLIEST..LATEST).contains(time)
}

#[cfg(test)]
mod tests;
