//! Which types of events begin and end something: one type that nearly always follows another for the same key.

use domain::Span;

use super::{
    profile::Profile,
    roles::Roles,
    walk::{Follow, Thing, Walk},
    words::{Names, is_text, snake, usual_span},
};

/// Enough to see a pattern, few enough for a small file.
const COUNT_MIN: u64 = 2;
/// A draft shows how it is done; the rest is copied by hand.
const PAIRS_MAX: usize = 3;
/// Durations of tomorrow are longer than those of one file.
const LONGEST_ROOM: i64 = 2;
/// What a pair calls its duration.
const SECONDS: &str = "seconds";

/// The time from one type to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) from: String,
    pub(super) start: String,
    pub(super) end: String,
    pub(super) key: String,
    pub(super) longest: Span,
    pub(super) longest_seen_ms: i64,
    pub(super) count: u64,
    /// The field of the entity whose features are made of it.
    pub(super) of: String,
}

/// The pairs of a stream, all of one key.
pub(super) fn pairs(profile: &Profile, roles: &Roles, walk: &Walk, source: &str, names: &mut Names) -> Vec<Pair> {
    let Some(kind) = roles.kind.as_deref().filter(|_| roles.has_things && profile.field(SECONDS).is_none()) else {
        return Vec::new();
    };
    let found = walk.things.iter().enumerate().map(|(place, thing)| (place, follows(profile, kind, thing)));
    // The key that explains most is what begins and ends; ties go to what there is more of.
    let most = found.max_by_key(|(place, follows)| {
        let explained: u64 = follows.iter().map(|(_, _, follow)| follow.count).sum();
        (explained, walk.things[*place].different, usize::MAX - place)
    });
    let Some((place, follows)) = most else { return Vec::new() };
    let of = owner(roles, walk, place);
    let pair = |(start, end, follow): (&str, &str, Follow)| Pair {
        name: names.claim(&[format!("{}_to_{}", word(start), word(end))], &[]),
        from: source.to_owned(),
        start: is_text(kind, start),
        end: is_text(kind, end),
        key: roles.entities[place].clone(),
        longest: usual_span(follow.longest_ms.max(1) * LONGEST_ROOM),
        longest_seen_ms: follow.longest_ms,
        count: follow.count,
        of: roles.entities[of].clone(),
    };
    follows.into_iter().map(pair).collect()
}

/// Types that follow each other for most events of either, the earliest seen first.
fn follows<'t>(profile: &Profile, kind: &str, thing: &'t Thing) -> Vec<(&'t str, &'t str, Follow)> {
    let of_type = |label: &str| {
        let labels = profile.field(kind).and_then(|field| field.labels.as_ref());
        labels.and_then(|labels| labels.get(label).copied()).unwrap_or(u64::MAX)
    };
    let is_usual = |start: &str, end: &str, follow: &Follow| {
        follow.count >= COUNT_MIN && follow.count * 2 >= of_type(start).max(of_type(end))
    };
    let is_way_back = |start: &str, end: &str, follow: &Follow| {
        let other = thing.follows.get(&(end.to_owned(), start.to_owned()));
        other.is_some_and(|other| is_usual(end, start, other) && other.first < follow.first)
    };
    let mut follows: Vec<(&str, &str, Follow)> = (thing.follows.iter())
        .map(|((start, end), follow)| (start.as_str(), end.as_str(), *follow))
        .filter(|(start, end, follow)| is_usual(start, end, follow) && !is_way_back(start, end, follow))
        .filter(|(start, end, follow)| follow.longest_ms > 0 && !word(start).is_empty() && !word(end).is_empty())
        .collect();
    follows.sort_by_key(|(_, _, follow)| follow.first);
    follows.truncate(PAIRS_MAX);
    follows
}

/// What the durations say something about: the entity that has many of the keys, or else the key itself.
fn owner(roles: &Roles, walk: &Walk, key: usize) -> usize {
    let thing = &walk.things[key];
    let is_owner = |place: &usize| {
        let beside = thing.beside.get(&roles.entities[*place]).copied().unwrap_or(0);
        *place != key && beside * 2 >= thing.events && walk.things[*place].different < thing.different
    };
    (0..roles.entities.len()).filter(is_owner).min_by_key(|place| (walk.things[*place].different, *place)).unwrap_or(key)
}

/// The part of a type that tells it from others: the `placed` of `order.placed`.
pub(super) fn word(label: &str) -> String {
    snake(label.rsplit(['.', '/', ':']).next().unwrap_or(label))
}
