//! A first pipeline for events that nobody has described yet: looks at a file of JSON lines and drafts a spec that passes its
//! checks, takes the events of the file, and says beside each guess why it was made.
//!
//! Twice over the same lines: `profile` counts what fields hold, `roles` and `kinds` guess what they are, `walk` follows the
//! order of the events, `outline` decides, `write` puts it into words, and `trial` asks the engine. Never writes a file.

mod features;
mod file;
mod flow;
mod kinds;
mod outline;
mod profile;
mod rhythm;
mod roles;
mod trial;
mod value;
mod walk;
mod words;
mod write;

use std::{collections::BTreeMap, io::Read, path::Path, sync::Arc};

use domain::{EARLIEST, Timestamp};
use pipeline::Pipeline;

use self::{
    file::{Kept, Line},
    outline::Outline,
    profile::Profile,
    roles::Roles,
    trial::{Case, Tried},
    walk::Walk,
    words::{grouped, snake},
    write::Head,
};
use crate::Error;

/// More streams than these in one file are more likely a wrong `_source`.
const STREAMS_MAX: usize = 16;
/// As long as names may be.
const NAME_LENGTH_MAX: usize = 64;
/// What a stream without a name is called.
const STREAM: &str = "events";
/// While nothing is known of the memory that is needed.
const MEMORY_UNKNOWN: &str = "1024TiB";
/// What live state gets, in MiB, at least: less is no help to anybody.
const MEMORY_MIB_MIN: u64 = 256;

/// A pipeline that nobody has looked at yet.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The text of `pipeline.toml`.
    pub pipeline_toml: String,
    /// Files of its tests: path in the pipeline's folder, and content.
    pub cases: Vec<(String, String)>,
    /// For people: what is refused, what was left out, which guesses to look at.
    pub notes: Vec<String>,
    /// Events that were looked at.
    pub events: u64,
    /// The first and last event time among them.
    pub times: Option<(Timestamp, Timestamp)>,
    /// What was found in the events, by stream and in their order.
    pub fields: Vec<FoundField>,
    /// Events of the file that this pipeline refuses, by reason.
    pub refused: BTreeMap<&'static str, u64>,
    /// The same as `pipeline_toml`, resolved.
    pub pipeline: Arc<Pipeline>,
}

/// One field that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundField {
    /// The stream's name in the spec.
    pub stream: String,
    /// The field's name.
    pub name: String,
    /// What it is taken for: `time`, `identity`, or as it is declared.
    pub taken_for: String,
    /// Why, or why not.
    pub because: String,
}

/// Drafts a pipeline of this name from JSON lines; `shown` is the file, as messages name it. Its stem names the stream.
pub fn draft(name: &str, shown: &Path, reader: impl Read) -> Result<Draft, Error> {
    check_name(name)?;
    let kept = file::read(shown, reader)?;
    file::check_envelopes(shown, &kept.lines)?;
    let profiles = profiles(shown, &kept.lines)?;
    let roles = outline::all_roles(&profiles, shown)?;
    let walks = walks(&kept.lines, &profiles, &roles);
    let times = walks.iter().filter_map(|walk| walk.from.zip(walk.to)).reduce(|all, one| (all.0.min(one.0), all.1.max(one.1)));
    let events: u64 = profiles.iter().map(|profile| profile.events).sum();
    let looked = profiles.into_iter().zip(roles).zip(walks).map(|((profile, roles), walk)| (profile, roles, walk));
    let mut outline = outline::outline(looked.collect(), &stem(shown));
    let mut head = head(name, shown, events, times, kept.has_more);
    // The memory that a pipeline needs is known when it is there.
    let roomy = checked(name, &write::spec(&head, &outline, None), &outline)?;
    head.memory = memory(pipeline::memory(&roomy).total());
    let case = trial::case(&roomy, &outline, &kept.lines)?;
    let tried = trial::run(&roomy, &outline, &kept.lines)?;
    let pipeline_toml = write::spec(&head, &outline, case.as_ref());
    let pipeline = checked(name, &pipeline_toml, &outline)?;
    let mut notes = std::mem::take(&mut outline.notes);
    notes.splice(0..0, notes_of(&kept, &tried));
    Ok(Draft {
        cases: case.into_iter().map(|Case { events, .. }| (write::CASE_FILE.to_owned(), events)).collect(),
        fields: outline.streams.iter().flat_map(found).collect(),
        refused: tried.refused.into_iter().map(|(reason, (count, _))| (reason, count)).collect(),
        pipeline_toml,
        notes,
        events,
        times,
        pipeline,
    })
}

/// What a pipeline may be called; told before anything is read.
fn check_name(name: &str) -> Result<(), Error> {
    let is_simple = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if is_simple && name.starts_with(|first: char| first.is_ascii_lowercase()) && name.len() <= NAME_LENGTH_MAX {
        return Ok(());
    }
    let help = format!("use lower-case letters, digits and `-`, beginning with a letter, at most {NAME_LENGTH_MAX}");
    Err(Error::setting(format!("`{name}` is no name of a pipeline"), help))
}

/// The first look.
fn profiles(shown: &Path, lines: &[Line]) -> Result<Vec<Profile>, Error> {
    let mut profiles: Vec<Profile> = Vec::new();
    for line in lines {
        let Some(members) = &line.members else { continue };
        let called = line.stream();
        let place = profiles.iter().position(|profile| profile.called.as_deref() == called).unwrap_or_else(|| {
            profiles.push(Profile::of(called));
            profiles.len() - 1
        });
        if profiles.len() > STREAMS_MAX {
            let message = format!("`_source` has more than {STREAMS_MAX} different values, and each is a stream");
            return Err(Error::content(shown, line.number, message, "name streams as topics are named, or leave `_source` out"));
        }
        profiles[place].note(line.number, members);
    }
    Ok(profiles)
}

/// The second look.
fn walks(lines: &[Line], profiles: &[Profile], roles: &[Roles]) -> Vec<Walk> {
    let mut walks: Vec<Walk> = roles.iter().map(Walk::new).collect();
    let mut clock = EARLIEST;
    for line in lines {
        let Some(members) = &line.members else { continue };
        let Some(place) = profiles.iter().position(|profile| profile.called.as_deref() == line.stream()) else { continue };
        clock = line.clock(clock, &roles[place].time);
        walks[place].note(line.number, clock, members, &roles[place]);
    }
    walks
}

/// Reads the text back; what is wrong with it is told beside what was found in the file.
fn checked(name: &str, text: &str, outline: &Outline) -> Result<Arc<Pipeline>, Error> {
    pipeline::parse(name, text).map(Arc::new).map_err(|faults| {
        let fields: Vec<String> =
            outline.streams.iter().flat_map(found).map(|field| format!("{} ({})", field.name, field.taken_for)).collect();
        let message = format!("what was drafted has faults; found in the file: {}\n{faults}", fields.join(", "));
        Error::setting(message, "rename what the faults name, or write the pipeline by hand after docs/reference/pipeline.md")
    })
}

fn head(name: &str, shown: &Path, events: u64, times: Option<(Timestamp, Timestamp)>, has_more: bool) -> Head {
    let which = if has_more { "the first " } else { "" };
    let file = shown.file_name().map_or_else(|| "standard input".to_owned(), |file| file.to_string_lossy().into_owned());
    let file = if file == "-" { "standard input".to_owned() } else { file };
    let span = times.map_or(String::new(), |(from, to)| format!(", from {from} to {to}"));
    let word = if events == 1 { "event" } else { "events" };
    let looked_at = format!("Drafted from {which}{} {word} of {file}{span}.", grouped(events));
    let mut title = name.replace('-', " ");
    if let Some(first) = title.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    Head { title, looked_at, memory: MEMORY_UNKNOWN.to_owned() }
}

/// The next power of two, with half as much again for features that are added later.
fn memory(bytes: u64) -> String {
    let mib = (bytes.saturating_mul(3) / 2).div_ceil(1 << 20).max(MEMORY_MIB_MIN).next_power_of_two();
    if mib >= 1024 { format!("{}GiB", mib / 1024) } else { format!("{mib}MiB") }
}

/// What a file's name says of its stream.
fn stem(shown: &Path) -> String {
    let stem = shown.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    Some(snake(&stem)).filter(|stem| !stem.is_empty()).unwrap_or_else(|| STREAM.to_owned())
}

fn notes_of(kept: &Kept, tried: &Tried) -> Vec<String> {
    let mut notes = Vec::new();
    if kept.has_more {
        notes.push(format!("only the first {} lines were looked at", grouped(kept.lines.len() as u64)));
    }
    for (reason, (count, line)) in &tried.refused {
        let what = if *count == 1 { "event is" } else { "events are" };
        notes.push(format!(
            "{} {what} refused as `{reason}` ({}), the first in line {line}",
            grouped(*count),
            trial::meaning(reason)
        ));
    }
    for (reason, count) in &tried.dropped {
        notes.push(format!("{} parts of events find no place in a group (`{reason}`)", grouped(*count)));
    }
    notes
}

fn found(stream: &outline::Stream) -> Vec<FoundField> {
    let field = |name: &str, taken_for: &str, because: &str| FoundField {
        stream: stream.name.clone(),
        name: name.to_owned(),
        taken_for: taken_for.to_owned(),
        because: because.to_owned(),
    };
    let mut fields = vec![field(&stream.roles.time, "time", "when it happened")];
    let is_declared = |name: &&String| !stream.declared.iter().any(|declared| declared.name == **name);
    fields.extend(stream.roles.identity.iter().filter(is_declared).map(|name| field(name, "identity", "tells events apart")));
    fields.extend(stream.declared.iter().map(|declared| field(&declared.name, &declared.written, &declared.because)));
    fields.extend(stream.skipped.iter().map(|(name, why)| field(name, "left out", why)));
    fields
}

#[cfg(test)]
mod tests;
