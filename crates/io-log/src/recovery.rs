//! From a folder to the state it holds: the index, then every frame behind it. Cuts off what a power cut tore, and nothing else.

use std::{fs, path::PathBuf};

use bytes::Bytes;

use crate::{
    Error, Settings,
    frame::{self, Frame},
    index::Index,
    segment::{Active, Segments},
    state::{Place, State},
};

/// What opening a log found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Frames that were read again, since the index did not have them yet.
    pub frames: u64,
    /// The unfinished end of the last segment, if there was one.
    pub torn: Option<Torn>,
}

/// Bytes that were being written when the power went, put aside and no longer part of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Where they are now.
    pub kept_in: PathBuf,
    /// The segment they were in.
    pub segment: PathBuf,
    /// Where they began.
    pub at: u64,
    /// How many they are.
    pub length: u64,
}

/// Everything that a log is opened with.
pub(crate) struct Opened {
    pub(crate) state: State,
    pub(crate) index: Index,
    pub(crate) segments: Segments,
    pub(crate) active: Active,
    pub(crate) recovered: Recovered,
}

/// Reads a folder that this process holds.
pub(crate) fn open(settings: &Settings) -> Result<Opened, Error> {
    let index = Index::open(&settings.path)?;
    let read = read(settings, &index)?;
    let Read { mut state, segments, indexed, end, mut recovered, .. } = read;
    if let Some((torn, bytes)) = read.torn {
        put_aside(&torn, &bytes)?;
        recovered.torn = Some(torn);
    }
    for id in segments.ids()?.into_iter().filter(|id| *id < indexed.segment) {
        if state.live.get(&id).is_none_or(|live| *live == 0) {
            segments.remove(id)?;
            state.live.remove(&id);
        }
    }
    let active = segments.active(end.segment, end.at)?;
    Ok(Opened { state, index, segments, active, recovered })
}

/// What is in a folder.
pub(crate) struct Read {
    pub(crate) state: State,
    pub(crate) segments: Segments,
    /// Up to where the index knew it.
    indexed: Place,
    end: Place,
    recovered: Recovered,
    /// The unfinished end, and its bytes.
    pub(crate) torn: Option<(Torn, Bytes)>,
}

/// Reads a folder and changes nothing.
pub(crate) fn read(settings: &Settings, index: &Index) -> Result<Read, Error> {
    let segments = Segments::new(&settings.path);
    let mut state = State::new(settings.tail_bytes_max);
    let indexed = index.load(&mut state)?;
    let (mut end, mut recovered, mut torn) = (indexed, Recovered::default(), None);
    let ids = segments.ids()?;
    look_for_missing(&state, &segments, &ids)?;
    for id in ids.iter().copied().filter(|id| *id >= indexed.segment) {
        let at = if id == end.segment { end.at } else { 0 };
        let bytes = segments.read_from(id, at)?;
        let read = replay(&mut state, &bytes, Place { segment: id, at });
        recovered.frames += read.frames;
        end = Place { segment: id, at: at + read.length as u64 };
        let rest = bytes.slice(read.length..);
        if !rest.is_empty() {
            let last = ids.last() == Some(&id);
            torn = Some((torn_end(&segments, &state, end, &rest, last)?, rest));
        }
    }
    Ok(Read { state, segments, indexed, end, recovered, torn })
}

struct Replayed {
    frames: u64,
    length: usize,
}

fn replay(state: &mut State, bytes: &Bytes, place: Place) -> Replayed {
    let mut read = Replayed { frames: 0, length: 0 };
    while let Some(frame) = next_frame(state, &bytes.slice(read.length..)) {
        let at = read.length + frame.data_at;
        let data = Place { segment: place.segment, at: place.at + at as u64 };
        // A copy, so that what stays in memory does not hold the whole segment there.
        let whole = Bytes::copy_from_slice(&bytes[at..read.length + frame.length]);
        state.apply(frame.sequence, frame.entries, data, &whole, 0);
        read.length += frame.length;
        read.frames += 1;
    }
    read
}

fn next_frame(state: &State, bytes: &Bytes) -> Option<Frame> {
    frame::decode(bytes).filter(|frame| frame.sequence == state.sequence + 1)
}

/// The end of the last segment may be torn; a whole frame behind it shows that it is damage instead, since frames are written one
/// after the other.
fn torn_end(segments: &Segments, state: &State, end: Place, rest: &Bytes, last: bool) -> Result<Torn, Error> {
    let path = segments.path(end.segment);
    let later = |at: &usize| frame::decode_head(&rest.slice(*at..)).is_some_and(|frame| frame.sequence > state.sequence);
    if !last || (1..rest.len()).find(later).is_some() {
        let what = format!("frame {} of the log", state.sequence + 1);
        let instead = format!("cut it there with `truncate -s {}`, which gives up everything behind it", end.at);
        return Err(Error::Damaged { path, at: end.at, what, instead });
    }
    let kept_in = path.with_extension(format!("torn-at-{}", end.at));
    Ok(Torn { kept_in, segment: path, at: end.at, length: rest.len() as u64 })
}

fn put_aside(torn: &Torn, bytes: &Bytes) -> Result<(), Error> {
    fs::write(&torn.kept_in, bytes).map_err(|source| Error::Folder { action: "write", path: torn.kept_in.clone(), source })
}

fn look_for_missing(state: &State, segments: &Segments, ids: &[u64]) -> Result<(), Error> {
    let missing = state.live.iter().find(|(id, live)| **live > 0 && !ids.contains(id));
    missing.map_or(Ok(()), |(id, _)| {
        let (path, what) = (segments.path(*id), "the file is missing".to_owned());
        let instead = "an empty file of that name lets the log open without its records".to_owned();
        Err(Error::Damaged { path, at: 0, what, instead })
    })
}
