//! A handful of features for each entity: few enough to be read, one of each sort that its fields allow.

use std::cmp::Reverse;

use super::{
    flow::{Pair, word},
    kinds::{Declared, Kind},
    rhythm::Rhythm,
    roles::Roles,
    walk::{Thing, Walk},
    words::{Names, field, is_text, quoted, snake},
};

/// Of each sort, how many a person would begin with.
const NUMBERS_MAX: usize = 4;
const TYPES_MAX: usize = 4;
const BOOLEANS_MAX: usize = 2;
const CATEGORIES_MAX: usize = 2;
const OTHERS_MAX: usize = 2;
/// How many of the most frequent values.
const TOP: usize = 2;
/// Words for numbers whose sum means something.
const ADDITIVE: [&str; 14] = [
    "amount", "total", "cost", "qty", "quantity", "items", "basket", "revenue", "fee", "bytes", "count", "sales", "price",
    "units",
];

/// All that is known of one stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) roles: &'a Roles,
    pub(super) walk: &'a Walk,
    pub(super) declared: &'a [Declared],
    /// What the entities are called.
    pub(super) names: &'a [String],
}

/// Features with their names, and the names of the columns that are taken.
struct Shelf<'n> {
    names: &'n mut Names,
    /// Stands before a name that is taken.
    entity: &'n str,
    rhythm: Rhythm,
    features: Vec<(String, String)>,
}

impl Shelf<'_> {
    /// Adds a feature with these windows.
    fn add(&mut self, name: &str, body: &str, windows: &[&str]) {
        let endings: Vec<String> = windows.iter().map(|window| (*window).to_owned()).collect();
        let windows: Vec<String> = windows.iter().map(|window| quoted(window)).collect();
        let body = match windows.is_empty() {
            true => format!("{{ {body} }}"),
            false => format!("{{ {body}, windows = [{}] }}", windows.join(", ")),
        };
        self.put(name, body, &endings);
    }

    fn both(&mut self, name: &str, body: &str) {
        self.add(name, body, &[self.rhythm.short, self.rhythm.long]);
    }

    fn short(&mut self, name: &str, body: &str) {
        self.add(name, body, &[self.rhythm.short]);
    }

    fn long(&mut self, name: &str, body: &str) {
        self.add(name, body, &[self.rhythm.long]);
    }

    /// The most frequent values of the long window.
    fn top(&mut self, name: &str, expression: &str) {
        let long = self.rhythm.long;
        let parts = (1..=TOP).flat_map(|place| [format!("{long}_{place}"), format!("{long}_{place}_count")]);
        let endings: Vec<String> = parts.chain([format!("{long}_overflow")]).collect();
        self.put(name, format!("{{ top = {}, k = {TOP}, windows = [{}] }}", quoted(expression), quoted(long)), &endings);
    }

    fn put(&mut self, name: &str, body: String, endings: &[String]) {
        let with_entity = format!("{}_{name}", self.entity);
        let name = self.names.claim(&[name.to_owned(), with_entity], endings);
        self.features.push((name, body));
    }
}

/// Features of the events of one entity.
pub(super) fn of_thing(context: &Context<'_>, place: usize, rhythm: Rhythm, names: &mut Names) -> Vec<(String, String)> {
    let entity = context.names[place].as_str();
    let thing = &context.walk.things[place];
    let mut shelf = Shelf { names, entity, rhythm, features: Vec::new() };
    shelf.both(&format!("{entity}_events"), "count = \"*\"");
    let per = format!("rate = \"*\", per = \"{}\"", rhythm.per);
    shelf.short(&format!("{entity}_events_per_{}", rhythm.per_name), &per);
    let has = |name: &str| thing.beside.get(name).copied().unwrap_or(0) > 0;
    types(context, thing, &mut shelf);
    let declared: Vec<&Declared> = context.declared.iter().filter(|field| has(&field.name)).collect();
    values(&declared, &mut shelf);
    if let Some((position, _)) = context.roles.positions.iter().zip(&thing.moves).find(|(_, moves)| {
        let again = thing.events.saturating_sub(thing.different as u64);
        **moves > 0 && **moves * 3 >= again
    }) {
        let halves = [&position.latitude, &position.longitude].map(|half| quoted(&field(half)));
        let body = format!("travel = [{}, {}]", halves[0], halves[1]);
        let windows = format!("{body}, windows = {}, about = \"metres\"", rhythm.both());
        let endings = [rhythm.short.to_owned(), rhythm.long.to_owned()];
        shelf.put(&format!("{entity}_distance"), format!("{{ {windows} }}"), &endings);
    }
    let others = context.roles.entities.iter().enumerate().filter(|(other, name)| {
        // Of something that there is less of, one entity has one, as a rule.
        *other != place && has(name) && context.walk.things[*other].different > thing.different
    });
    for (other, name) in others.take(OTHERS_MAX) {
        shelf.long(&format!("{entity}_{}s", context.names[other]), &format!("distinct = {}", quoted(&field(name))));
    }
    let seen = format!("last = {}", quoted(&field(&context.roles.time)));
    shelf.add(&format!("{entity}_last_seen"), &seen, &[]);
    shelf.features
}

/// Features of the durations of a pair.
pub(super) fn of_pair(pair: &Pair, rhythm: Rhythm, names: &mut Names) -> Vec<(String, String)> {
    let mut shelf = Shelf { names, entity: &pair.from, rhythm, features: Vec::new() };
    shelf.both(&format!("{}_mean", pair.name), "mean = \"seconds\"");
    shelf.long(&format!("{}_p90", pair.name), "quantile = 0.9, of = \"seconds\"");
    shelf.long(&format!("{}_count", pair.name), "count = \"*\"");
    shelf.features
}

/// Features of the events around a position.
pub(super) fn of_area(context: &Context<'_>, area: &str, rhythm: Rhythm, names: &mut Names) -> Vec<(String, String)> {
    let mut shelf = Shelf { names, entity: area, rhythm, features: Vec::new() };
    shelf.both(&format!("{area}_events"), "count = \"*\"");
    if let Some((name, entity)) = context.roles.entities.iter().zip(context.names).find(|_| context.roles.has_things) {
        shelf.long(&format!("{area}_{entity}s"), &format!("distinct = {}", quoted(&field(name))));
    }
    shelf.features
}

/// One count for each of the most frequent types that come with the entity: others would be columns of zeros.
fn types(context: &Context<'_>, thing: &Thing, shelf: &mut Shelf<'_>) {
    let Some(kind) = context.roles.kind.as_ref().filter(|kind| !context.roles.entities.contains(kind)) else { return };
    let mut labels: Vec<(&String, &u64)> = thing.kinds.iter().filter(|(label, _)| !word(label).is_empty()).collect();
    // One type alone is what all events are.
    if labels.len() < 2 {
        return;
    }
    labels.sort_by_key(|(label, count)| (Reverse(**count), (*label).clone()));
    for (label, _) in labels.into_iter().take(TYPES_MAX) {
        let name = format!("{}_{}", shelf.entity, word(label));
        shelf.long(&name, &format!("count = {}", quoted(&is_text(kind, label))));
    }
}

/// Features of numbers, booleans and categories.
fn values(declared: &[&Declared], shelf: &mut Shelf<'_>) {
    let of = |wanted: fn(&Kind) -> bool, most: usize| declared.iter().filter(move |field| wanted(&field.kind)).take(most);
    for number in of(|kind| *kind == Kind::Number, NUMBERS_MAX) {
        let (name, expression) = (snake(&number.name), quoted(&field(&number.name)));
        if ADDITIVE.iter().any(|word| name.contains(word)) {
            shelf.both(&format!("{name}_sum"), &format!("sum = {expression}"));
            shelf.long(&format!("{name}_mean"), &format!("mean = {expression}"));
        } else {
            shelf.both(&format!("{name}_mean"), &format!("mean = {expression}"));
            shelf.long(&format!("{name}_max"), &format!("max = {expression}"));
            shelf.add(&format!("{name}_last"), &format!("last = {expression}"), &[]);
        }
    }
    for truth in of(|kind| *kind == Kind::Boolean, BOOLEANS_MAX) {
        let (name, expression) = (snake(&truth.name), quoted(&field(&truth.name)));
        shelf.long(&format!("{name}_share"), &format!("mean = {expression}"));
    }
    for category in of(|kind| matches!(kind, Kind::Category(_)), CATEGORIES_MAX) {
        let (name, expression) = (snake(&category.name), quoted(&field(&category.name)));
        shelf.add(&format!("{name}_last"), &format!("last = {expression}"), &[]);
        if matches!(category.kind, Kind::Category(labels) if labels > TOP) {
            shelf.top(&format!("{name}_top"), &field(&category.name));
        }
    }
}
