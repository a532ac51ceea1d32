//! Topics that belong to somebody else, as `[kafka.topics]` names them: `orders = "shop.orders.v2"`, and where several pipelines read
//! a topic of that name, `delivery-eta.orders = "..."`. What is not known is refused, or a misspelt name would be made as a new topic.

use std::collections::{BTreeMap, BTreeSet};

use dataplane::Topics;
use pipeline::{Pipeline, SourceKind};
use serde::Deserialize;

/// The longest name that Kafka takes.
const NAME_LENGTH_MAX: usize = 249;

/// As it was written.
pub(super) type Foreign = BTreeMap<String, Written>;

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "a name of a topic in the cluster is needed, such as orders = \"shop.orders.v2\"")]
pub(super) enum Written {
    /// Of a topic of the only pipeline that reads one of this name.
    Name(String),
    /// Of a pipeline's topics.
    Pipeline(BTreeMap<String, String>),
}

/// The topics of events that pipelines declare, by the id of the pipeline.
pub(super) type Declared = BTreeMap<String, BTreeSet<String>>;

/// Names in the cluster by the names inside, or all faults.
pub(super) fn resolve(written: &Foreign, declared: &Declared) -> Result<BTreeMap<String, String>, Vec<String>> {
    let (mut names, mut faults) = (BTreeMap::new(), Vec::new());
    for (left, right) in written {
        let found = match right {
            Written::Name(name) => whose(declared, left).map(|pipeline| vec![(pipeline, left, name)]),
            Written::Pipeline(topics) => Ok(topics.iter().map(|(topic, name)| (left.clone(), topic, name)).collect()),
        };
        match found {
            Err(fault) => faults.push(fault),
            Ok(found) => {
                for (pipeline, topic, name) in found {
                    let known = declared.get(&pipeline).is_some_and(|topics| topics.contains(topic));
                    if !known {
                        faults.push(unknown(declared, &format!("{pipeline}.{topic}")));
                    } else if let Some(fault) = unsound(name) {
                        faults.push(fault);
                    } else if names.insert(format!("{}{topic}", Topics::prefix(&pipeline)), name.clone()).is_some() {
                        faults.push(format!("{pipeline}.{topic} is named twice: leave one of them out"));
                    }
                }
            }
        }
    }
    faults.extend(twice(&names));
    if faults.is_empty() { Ok(names) } else { Err(faults) }
}

/// What pipelines declare.
pub(super) fn declared<'a>(pipelines: impl IntoIterator<Item = &'a Pipeline>) -> Declared {
    let mut declared = Declared::new();
    for pipeline in pipelines {
        let topics = pipeline.sources.iter().filter_map(|source| match &source.kind {
            SourceKind::Stream(stream) => Some(stream.topic.clone()),
            _ => None,
        });
        declared.entry(pipeline.id.clone()).or_default().extend(topics);
    }
    declared
}

/// The pipeline that reads a topic of this name, if it is one.
fn whose(declared: &Declared, topic: &str) -> Result<String, String> {
    let of: Vec<&String> = declared.iter().filter(|(_, topics)| topics.contains(topic)).map(|(pipeline, _)| pipeline).collect();
    match of[..] {
        [one] => Ok(one.clone()),
        [] => Err(unknown(declared, topic)),
        [first, ..] => Err(format!("several pipelines read a topic {topic}: say whose, as in {first}.{topic} = \"...\"")),
    }
}

fn unknown(declared: &Declared, name: &str) -> String {
    let all = declared.iter().flat_map(|(pipeline, topics)| topics.iter().map(move |topic| format!("{pipeline}.{topic}")));
    format!("no pipeline here reads a topic {name}; there are {}", all.collect::<Vec<_>>().join(", "))
}

fn unsound(name: &str) -> Option<String> {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_sound = !name.is_empty() && name.len() <= NAME_LENGTH_MAX && name.bytes().all(sound);
    (!is_sound).then(|| format!("{name:?} is no name of a topic: letters, digits, `.`, `_` and `-`, at most {NAME_LENGTH_MAX}"))
}

/// Topics of one pipeline that would be one and the same in the cluster.
fn twice(names: &BTreeMap<String, String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let pipeline = |inside: &str| inside.split('.').nth(1).unwrap_or_default().to_owned();
    let again = names.iter().filter(|(inside, name)| !seen.insert((pipeline(inside), name.as_str())));
    again.map(|(inside, name)| format!("{inside} and another topic of its pipeline are both called {name}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a table means, or the beginning of what is wrong with it, where two pipelines read orders and one of them riders.
    fn check(table: &str, expected: Result<&[(&str, &str)], &str>) {
        let written: Foreign = toml::from_str(table).expect("a table");
        let topics = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let declared =
            Declared::from([("eta".to_owned(), topics(&["orders", "riders"])), ("other".to_owned(), topics(&["orders"]))]);
        match (resolve(&written, &declared), expected) {
            (Ok(names), Ok(expected)) => {
                let names: Vec<(&str, &str)> = names.iter().map(|(inside, name)| (&**inside, &**name)).collect();
                assert_eq!(names, expected);
            }
            (Err(faults), Err(expected)) => assert!(faults.join("\n").contains(expected), "{faults:?}"),
            (found, _) => panic!("{table}: {found:?}"),
        }
    }

    #[test]
    fn the_topics_of_streams_are_declared() {
        let pipeline = testkit::pipelines::minimal();
        assert_eq!(declared([&pipeline]), Declared::from([("minimal".to_owned(), ["readings".to_owned()].into())]));
    }

    #[test]
    fn a_name_that_one_pipeline_reads_needs_no_more() {
        check("riders = 'fleet.v1'", Ok(&[("headway.eta.riders", "fleet.v1")]));
        check("eta.riders = 'fleet.v1'", Ok(&[("headway.eta.riders", "fleet.v1")]));
        let both = [("headway.eta.orders", "shop.orders"), ("headway.other.orders", "shop.orders")];
        check("eta.orders = 'shop.orders'\nother.orders = 'shop.orders'", Ok(&both));
    }

    #[test]
    fn what_is_not_known_is_refused_with_what_there_is() {
        check("ordrs = 'x'", Err("reads a topic ordrs; there are eta.orders, eta.riders, other.orders"));
        check("etta.orders = 'x'", Err("reads a topic etta.orders; there are eta.orders"));
        check("orders = 'x'", Err("several pipelines read a topic orders: say whose, as in eta.orders"));
        check("riders = 'a'\neta.riders = 'b'", Err("eta.riders is named twice"));
        check("riders = 'a b'", Err("is no name of a topic"));
        check("eta.orders = 'x'\neta.riders = 'x'", Err("both called x"));
    }
}
