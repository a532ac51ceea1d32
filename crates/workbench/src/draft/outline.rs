//! What a draft will say: streams, pairs and groups, decided and named, before anything is written.

use std::{collections::BTreeMap, path::Path};

use domain::Span;

use super::{
    features::{self, Context},
    flow,
    kinds::{Declared, declare},
    profile::Profile,
    rhythm::Rhythm,
    roles::{Roles, roles},
    walk::Walk,
    words::{Names, about, field, grouped, quoted, snake, usual_number, usual_span},
};
use crate::Error;

/// A file shows a part of what there is: room for this many times the entities that were seen.
const ENTITIES_ROOM: f64 = 4.0;
const ENTITIES_MIN: f64 = 1000.0;
/// And for this many times the busiest second.
const PEAK_ROOM: f64 = 5.0;
const PEAK_MIN: f64 = 50.0;
const LATENESS_MIN: Span = Span(60_000);
/// What comes later than a week is rather a wrong clock.
const LATENESS_MAX: Span = Span(7 * 86_400_000);
/// How long an entity is kept when nothing else is said.
const KEEP_DEFAULT: Span = Span(7 * 86_400_000);
/// Disorder and silence of tomorrow are larger than those of one file.
const TIMES_ROOM: i64 = 2;
/// From fewer arrivals no silence can be guessed.
const ARRIVALS_MIN: u64 = 10;
/// Cells about 700 m across: a neighbourhood.
const RESOLUTION: u8 = 8;

/// All that a draft says.
#[derive(Debug)]
pub(super) struct Outline {
    pub(super) streams: Vec<Stream>,
    pub(super) pairs: Vec<flow::Pair>,
    pub(super) groups: Vec<Group>,
    /// For people: what was left out, and guesses to look at.
    pub(super) notes: Vec<String>,
}

/// One stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) name: String,
    pub(super) topic: String,
    /// Each with why it is so.
    pub(super) settings: Vec<(String, String)>,
    pub(super) fields: Vec<(String, String)>,
    pub(super) declared: Vec<Declared>,
    pub(super) skipped: Vec<(String, String)>,
    pub(super) roles: Roles,
}

/// One group.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) entity: String,
    pub(super) key: String,
    pub(super) source: String,
    pub(super) hop: &'static str,
    pub(super) keep: Option<Span>,
    pub(super) entities: u64,
    pub(super) because: String,
    /// Name and the inline table behind it.
    pub(super) features: Vec<(String, String)>,
}

/// Makes the outline of streams that were looked at twice.
pub(super) fn outline(looked: Vec<(Profile, Roles, Walk)>, default: &str) -> Outline {
    let mut outline = Outline { streams: Vec::new(), pairs: Vec::new(), groups: Vec::new(), notes: Vec::new() };
    let mut taken = Taken::default();
    let many = looked.len() > 1;
    for (profile, roles, walk) in looked {
        let topic = profile.called.clone().unwrap_or_else(|| default.to_owned());
        let wish = Some(snake(&topic)).filter(|name| !name.is_empty()).unwrap_or_else(|| "events".into());
        let name = taken.sources.claim(&[wish], &[]);
        let (declared, skipped) = declare(&profile, &roles);
        let flow = flow::pairs(&profile, &roles, &walk, &name, &mut taken.sources);
        let key = partition_key(&profile, &roles, flow.first().map(|pair| &pair.key));
        let cell = cell(&profile, &roles);
        let names = entity_names(&roles);
        let context = Context { roles: &roles, walk: &walk, declared: &declared, names: &names };
        outline.groups.extend(groups_of_things(&context, &name, many, &mut taken));
        outline.groups.extend(flow.iter().map(|pair| group_of_pair(&context, pair, &mut taken)));
        if let Some((cell, _)) = &cell {
            outline.groups.push(group_of_area(&context, (cell, profile.events), &name, many, &mut taken));
        }
        notes(&mut outline.notes, &name, many, &roles, &skipped);
        let mut fields: Vec<(String, String)> = declared.iter().map(|field| (field.line(), field.because.clone())).collect();
        fields.extend(cell.map(|(_, line)| (line, String::new())));
        let settings = settings(&profile, &roles, &walk, &key);
        outline.pairs.extend(flow);
        outline.streams.push(Stream { name, topic, settings, fields, declared, skipped, roles });
    }
    outline
}

/// The names that are in use.
#[derive(Default)]
struct Taken {
    sources: Names,
    groups: Names,
    columns: Names,
}

fn groups_of_things(context: &Context<'_>, source: &str, many: bool, taken: &mut Taken) -> Vec<Group> {
    let Context { roles, walk, names, .. } = context;
    let group = |(place, entity): (usize, &String)| {
        let rhythm = Rhythm::fitting(walk.span_ms(), walk.things[place].events, walk.things[place].different);
        let suffix = if many { source } else { "activity" };
        Group {
            name: taken.groups.claim(&[format!("{entity}_{suffix}")], &[]),
            entity: entity.clone(),
            key: field(&roles.entities[place]),
            source: source.to_owned(),
            hop: rhythm.hop,
            keep: keep(walk, rhythm),
            entities: room(walk.things[place].different),
            because: because(walk, roles, place),
            features: features::of_thing(context, place, rhythm, &mut taken.columns),
        }
    };
    names.iter().enumerate().map(group).collect()
}

fn group_of_pair(context: &Context<'_>, pair: &flow::Pair, taken: &mut Taken) -> Group {
    let Context { roles, walk, names, .. } = context;
    let place = roles.entities.iter().position(|entity| *entity == pair.of).unwrap_or(0);
    let rhythm = Rhythm::fitting(walk.span_ms(), pair.count, walk.things[place].different);
    Group {
        name: taken.groups.claim(&[format!("{}_{}", names[place], pair.name)], &[]),
        entity: names[place].clone(),
        key: field(&pair.of),
        source: pair.name.clone(),
        hop: rhythm.hop,
        keep: keep(walk, rhythm),
        entities: room(walk.things[place].different),
        because: String::new(),
        features: features::of_pair(pair, rhythm, &mut taken.columns),
    }
}

fn group_of_area(context: &Context<'_>, (cell, events): (&str, u64), source: &str, many: bool, taken: &mut Taken) -> Group {
    let walk = context.walk;
    let rhythm = Rhythm::fitting(walk.span_ms(), events, walk.spots.len());
    let suffix = if many { source } else { "activity" };
    Group {
        name: taken.groups.claim(&[format!("{cell}_{suffix}")], &[]),
        entity: cell.to_owned(),
        key: field(cell),
        source: source.to_owned(),
        hop: rhythm.hop,
        keep: keep(walk, rhythm),
        entities: room(walk.spots.len()),
        because: "the cell around a position, about 700 m across".to_owned(),
        features: features::of_area(context, cell, rhythm, &mut taken.columns),
    }
}

/// Reads the roles of all streams.
pub(super) fn all_roles(profiles: &[Profile], shown: &Path) -> Result<Vec<Roles>, Error> {
    profiles.iter().map(|profile| roles(profile, shown)).collect()
}

fn settings(profile: &Profile, roles: &Roles, walk: &Walk, key: &str) -> Vec<(String, String)> {
    let mut settings = Vec::new();
    let mut say = |key: &str, value: &str, because: String| settings.push((format!("{key} = {}", quoted(value)), because));
    let all = profile.field(key).is_some_and(|field| field.present == profile.events);
    let because =
        if all { "by which producers partition the topic" } else { "by which producers partition the topic; not in all events" };
    say("key", key, because.to_owned());
    say("time", &roles.time, "when it happened".to_owned());
    let skew = usual_span(walk.ahead_ms * TIMES_ROOM);
    let because = match (walk.has_arrivals, walk.ahead_ms) {
        (false, _) => "nothing in the events says when they arrived".to_owned(),
        (true, 0) => "no event came before its time".to_owned(),
        (true, ahead) => format!("one event came {} before its time", about(ahead)),
    };
    say("skew", &skew.to_string(), because);
    let because = match walk.behind_ms {
        0 => "the file is in order".to_owned(),
        behind => format!("the latest event came {} late", about(behind)),
    };
    say("lateness", &lateness(walk).to_string(), because);
    if profile.events >= ARRIVALS_MIN && walk.gap_ms > 0 {
        let silence = usual_span((walk.gap_ms * TIMES_ROOM).max(LATENESS_MIN.0));
        say("silent_after", &silence.to_string(), format!("the longest silence lasted {}", about(walk.gap_ms)));
    }
    let [sender, id] = &roles.identity;
    if [sender.as_str(), id.as_str()] != ["source", "id"] {
        let because = match sender == "source" {
            true => "tells an event from its repetition".to_owned(),
            false => "tells an event from its repetition; there is no \"source\"".to_owned(),
        };
        let value = format!("[{}, {}]", quoted(sender), quoted(id));
        settings.push((format!("identity = {value}"), because));
    }
    let peak = usual_number((walk.peak as f64 * PEAK_ROOM).max(PEAK_MIN));
    settings.push((format!("peak_per_second = {peak}"), format!("the busiest second of the file has {}", grouped(walk.peak))));
    settings
}

fn lateness(walk: &Walk) -> Span {
    usual_span((walk.behind_ms * TIMES_ROOM).clamp(LATENESS_MIN.0, LATENESS_MAX.0))
}

/// An entity has to outlive its latest events, and its longest window.
fn keep(walk: &Walk, rhythm: Rhythm) -> Option<Span> {
    let reach = Span(lateness(walk).0 + usual_span(walk.ahead_ms * TIMES_ROOM).0);
    (reach > KEEP_DEFAULT).then(|| usual_span(reach.0).max(Span(rhythm.long_ms)))
}

/// A field that is in all events: what pairs go by, what names things, or else whatever is there.
fn partition_key(profile: &Profile, roles: &Roles, paired: Option<&String>) -> String {
    let is_everywhere =
        |name: &&String| profile.field(name).is_some_and(|field| profile.is_nearly_all(field.filled_texts().max(field.whole)));
    paired.into_iter().chain(&roles.entities).chain(&roles.kind).find(is_everywhere).unwrap_or(&roles.identity[0]).clone()
}

/// The name of the cell and its line among the fields.
fn cell(profile: &Profile, roles: &Roles) -> Option<(String, String)> {
    let position = roles.positions.first()?;
    let of = snake(&position.of);
    let wishes = [if of.is_empty() { "area".to_owned() } else { format!("{of}_area") }, "cell".into(), "position_cell".into()];
    let is_free = |name: &&String| profile.field(name).is_none() && !entity_names(roles).contains(name);
    let name = wishes.iter().find(is_free)?.clone();
    let halves = [&position.latitude, &position.longitude].map(|half| quoted(half));
    Some((name.clone(), format!("{name} = {{ cell = [{}, {}], resolution = {RESOLUTION} }}", halves[0], halves[1])))
}

/// What the entities are called: the `store` of `store_id`.
fn entity_names(roles: &Roles) -> Vec<String> {
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    let mut names = Vec::new();
    for entity in &roles.entities {
        let whole = snake(entity);
        let stem = ["_id", "_uuid", "_guid", "_key", "_ref", "_code", "_number", "_no", "_nr"]
            .iter()
            .find_map(|ending| whole.strip_suffix(ending))
            .unwrap_or(&whole);
        let name = if whole == "id" || stem.is_empty() { "thing" } else { stem };
        let times = used.entry(name.to_owned()).or_default();
        *times += 1;
        names.push(if *times > 1 { format!("{name}_{times}") } else { name.to_owned() });
    }
    names
}

fn room(different: usize) -> u64 {
    usual_number((different as f64 * ENTITIES_ROOM).max(ENTITIES_MIN)) as u64
}

fn because(walk: &Walk, roles: &Roles, place: usize) -> String {
    let (thing, name) = (&walk.things[place], &roles.entities[place]);
    match roles.has_things {
        true => format!("{} different values of {name} in {} events", grouped(thing.different as u64), grouped(thing.events)),
        false => format!("no field names things that come again, so this goes by {name}"),
    }
}

fn notes(notes: &mut Vec<String>, name: &str, many: bool, roles: &Roles, skipped: &[(String, String)]) {
    let place = if many { format!("{name}: ") } else { String::new() };
    if !roles.has_things {
        notes.push(format!(
            "{place}no field with ids that come again was found, so the features go by `{}`; change `key` and `entity` if you know better",
            roles.entities[0]
        ));
    }
    for (field, why) in skipped {
        notes.push(format!("{place}`{field}` is left out: {why}"));
    }
}
