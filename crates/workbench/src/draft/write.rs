//! The outline as the text of a spec, with the reason beside each guess.

use super::{
    flow::Pair,
    outline::{Group, Outline, Stream},
    trial::Case,
    words::{about, key, quoted},
};

/// Where the events of the case go.
pub(super) const CASE_FILE: &str = "tests/first_events.jsonl";
/// A comment begins here when the line before it is shorter.
const COMMENT_COLUMN: usize = 40;

/// What is said above everything else.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) title: String,
    /// One sentence: what was looked at.
    pub(super) looked_at: String,
    pub(super) memory: String,
}

/// The text of `pipeline.toml`.
pub(super) fn spec(head: &Head, outline: &Outline, case: Option<&Case>) -> String {
    let mut text = format!("title = {}\ndescription = {}\n", quoted(&head.title), quoted(&head.looked_at));
    text.push_str(&format!("\n[limits]\nmemory = {}\n", quoted(&head.memory)));
    for stream in &outline.streams {
        text.push_str(&source(stream));
    }
    if !outline.pairs.is_empty() {
        text.push_str("\n# Durations, each emitted at the moment it ends: one type of event nearly always followed the other.\n");
    }
    for pair in &outline.pairs {
        text.push_str(&duration(pair));
    }
    for part in &outline.groups {
        text.push_str(&group(part));
    }
    if let Some(case) = case {
        text.push_str(&test(case));
    }
    text
}

fn source(stream: &Stream) -> String {
    let mut text = format!("\n[source.{}]\ntopic = {}\n", stream.name, quoted(&stream.topic));
    for (setting, because) in &stream.settings {
        text.push_str(&line(setting, because));
    }
    if stream.fields.is_empty() {
        return text;
    }
    text.push_str(&format!("\n[source.{}.fields]\n", stream.name));
    for (field, because) in &stream.fields {
        text.push_str(&line(field, because));
    }
    for (name, why) in &stream.skipped {
        text.push_str(&format!("# {} is left out: {why}\n", comment(&key(name))));
    }
    text
}

fn duration(pair: &Pair) -> String {
    let Pair { name, from, start, end, .. } = pair;
    let (start, end, by) = (quoted(start), quoted(end), quoted(&pair.key));
    let longest = quoted(&pair.longest.to_string());
    format!(
        "\n# {} times in the file, after {} at most.\n[source.{name}]\n\
         pair = {{ from = \"{from}\", start = {start}, end = {end}, key = {by}, longest = {longest} }}\n",
        pair.count,
        about(pair.longest_seen_ms)
    )
}

fn group(group: &Group) -> String {
    let mut text = String::from("\n");
    if !group.because.is_empty() {
        text.push_str(&format!("# {}\n", comment(&group.because)));
    }
    let Group { name, entity, source, hop, entities, .. } = group;
    text.push_str(&format!(
        "[group.{name}]\nentity = \"{entity}\"\nkey = {}\nsource = \"{source}\"\nhop = \"{hop}\"\n",
        quoted(&group.key)
    ));
    if let Some(keep) = group.keep {
        text.push_str(&line(&format!("keep = \"{keep}\""), "as long as events may be late"));
    }
    text.push_str(&format!("entities = {entities}\n\n[group.{name}.features]\n"));
    for (name, body) in &group.features {
        text.push_str(&format!("{name} = {body}\n"));
    }
    text
}

fn test(case: &Case) -> String {
    let refused: Vec<String> = case.refused.iter().map(|(reason, count)| format!("{reason} = {count}")).collect();
    let refused = if refused.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", refused.join(", ")) };
    let name = if case.count == 1 { "the first event".to_owned() } else { format!("the first {} events", case.count) };
    let mut text = format!(
        "\n# The values are what came out when this was drafted: look whether they are what you mean.\n\
         [[test]]\nname = \"{name}\"\nevents = \"{CASE_FILE}\"\nat = \"{}\"\nrefused = {refused}\n",
        case.at
    );
    for (entity, values) in &case.expect {
        text.push_str(&format!("\n[test.expect.{}]\n", quoted(entity)));
        for (column, value) in values {
            text.push_str(&format!("{column} = {value}\n"));
        }
    }
    text
}

fn line(content: &str, because: &str) -> String {
    if because.is_empty() { format!("{content}\n") } else { format!("{content:<COMMENT_COLUMN$} # {}\n", comment(because)) }
}

/// A comment ends with its line.
fn comment(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}
