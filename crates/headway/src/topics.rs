//! The topics of pipelines as they should be in a cluster, for whoever looks at them before or beside `headway run`. Never changes one.

use std::collections::BTreeMap;

use dataplane::{Topics, deploy};
use domain::{Span, Timestamp};
use io_kafka::{Owner, PlannedTopic, TopicChange, TopicPlan};
use pipeline::Pipeline;
use ports::{Deployment, TopicSpec};

use crate::{
    failure::Failure,
    host::{Host, named_schemas},
    table::table,
};

const DAY_MS: i64 = 86_400_000;

/// What a spec would be deployed as beside what is in force.
pub(crate) fn deployment(current: Option<Deployment>, pipeline: &Pipeline, spec: &str) -> Result<Deployment, Failure> {
    let after = named_schemas(pipeline);
    let before = current.as_ref().map(|current| pipeline::parse(&pipeline.id, &current.spec)).transpose()?;
    let changes = deploy::changes(current.as_ref(), &before.as_ref().map_or(Vec::new(), named_schemas), &after);
    let predicts_otherwise = before.is_some_and(|before| before.case != pipeline.case);
    // When it is asked for does not matter to its topics.
    let next = deploy::next(current.as_ref(), &pipeline.id, spec, &after, &changes, predicts_otherwise, Timestamp(0));
    next.or(current).ok_or_else(|| Failure::failed(format!("{} has no groups: there is nothing to run.", pipeline.id)))
}

/// A pipeline as one of its generations was built, or as it is in force, which is what is predicted by.
pub(crate) struct Generation {
    number: Option<u32>,
    pub(crate) pipeline: Pipeline,
}

/// Every generation that a deployment needs, and the spec in force.
pub(crate) fn generations(deployment: &Deployment) -> Result<Vec<Generation>, Failure> {
    let needed = deploy::generations(deployment).into_iter().map(|generation| generation.number);
    let built = |number| deployment.generations.iter().find(|built| built.generation == number);
    let generation = |number| {
        let built = built(number)?;
        Some((Some(number), &built.spec))
    };
    let read = |(number, spec): (Option<u32>, &String)| {
        pipeline::parse(&deployment.pipeline, spec).map(|pipeline| Generation { number, pipeline })
    };
    Ok(needed.filter_map(generation).chain([(None, &deployment.spec)]).map(read).collect::<Result<_, _>>()?)
}

/// All topics of these generations, each once.
pub(crate) fn specs(generations: &[Generation], partitions: u32) -> Vec<TopicSpec> {
    let mut specs = BTreeMap::new();
    for Generation { number, pipeline } in generations {
        let (topics, retention) = (Topics::new(pipeline), Host::retention());
        let needed = match number {
            Some(number) => topics.specs(*number, partitions, retention),
            None => topics.case_specs(pipeline, partitions, retention),
        };
        for spec in needed {
            specs.entry(spec.name.clone()).or_insert(spec);
        }
    }
    specs.into_values().collect()
}

/// What a person should know of topics that are as they should be, or that belong to somebody else.
pub(crate) fn remarks<'a>(plan: &TopicPlan, pipelines: impl IntoIterator<Item = &'a Pipeline>) -> Vec<String> {
    let mut remarks: Vec<String> = plan.topics.iter().flat_map(remarks_of).collect();
    for pipeline in pipelines {
        remarks.extend(plan.topics.iter().filter_map(|topic| short(topic, pipeline)));
    }
    remarks.sort();
    remarks.dedup();
    remarks
}

fn remarks_of(topic: &PlannedTopic) -> Vec<String> {
    let (name, mut remarks) = (&topic.name, Vec::new());
    let Some(there) = &topic.there else { return remarks };
    if topic.owner == Owner::Others && there.compacted {
        remarks.push(format!(
            "topic {name} keeps only the last record of each key, so a rebuild misses the others: ask its owner for cleanup.policy=delete"
        ));
    }
    if there.behind > 0 {
        let behind = there.behind;
        remarks.push(format!("{behind} partitions of topic {name} lack a copy at the moment: look whether all brokers run"));
    }
    remarks
}

/// A topic of somebody else that forgets sooner than a group's windows reach back.
fn short(topic: &PlannedTopic, pipeline: &Pipeline) -> Option<String> {
    let there = topic.there.as_ref().filter(|_| topic.owner == Owner::Others)?;
    let keeps = there.retention?;
    let topics = Topics::new(pipeline);
    let (_, sources) = topics.inputs().iter().find(|(name, _)| *name == topic.topic)?;
    let of_topic = |group: &&pipeline::Group| pipeline.base_of(group.source).is_some_and(|base| sources.contains(&base));
    let reaches = pipeline.groups.iter().filter(of_topic).filter_map(|group| {
        let reach = pipeline::reach(pipeline, group, None).filter(|reach| reach.by_window && reach.back > keeps)?;
        Some((reach.back, &group.name))
    });
    let (back, group) = reaches.max()?;
    let name = &topic.name;
    Some(format!(
        "topic {name} keeps records for {keeps}, and group {group} reaches back {back}: whenever it is built anew its windows are not          full for that long; ask the owner for retention.ms={}, or declare narrower windows",
        back.0
    ))
}

/// A plan for people: a line for each topic, then what cannot be done and what is to be known.
pub(crate) fn text(plan: &TopicPlan) -> String {
    let row = |topic: &PlannedTopic| {
        let of = |told: &dyn Fn(&io_kafka::TopicThere) -> String| topic.there.as_ref().map_or("-".to_owned(), told);
        vec![
            match topic.owner {
                Owner::Headway => topic.name.clone(),
                Owner::Others => format!("{} as {}", topic.name, topic.topic),
            },
            owner(topic.owner).to_owned(),
            of(&|there| there.partitions.to_string()),
            of(&|there| there.replicas.to_string()),
            of(&|there| there.retention.map_or("-".to_owned(), keeps)),
            changes(topic),
        ]
    };
    let rows: Vec<Vec<String>> = plan.topics.iter().map(row).collect();
    table(&["topic", "of", "partitions", "copies", "keeps", "what would change"], &rows)
}

/// Whose a topic is, in a word.
pub(crate) fn owner(owner: Owner) -> &'static str {
    match owner {
        Owner::Headway => "headway",
        Owner::Others => "others",
    }
}

fn keeps(span: Span) -> String {
    if span.0 % DAY_MS == 0 { format!("{}d", span.0 / DAY_MS) } else { span.to_string() }
}

/// What would change about a topic, in one line.
pub(crate) fn changes(topic: &PlannedTopic) -> String {
    if topic.changes.is_empty() {
        return "nothing".to_owned();
    }
    let told = topic.changes.iter().map(|change| match (topic.owner, change) {
        (Owner::Others, TopicChange::Missing { .. }) => "is missing".to_owned(),
        (Owner::Others, TopicChange::Setting { name, there, wanted }) => format!("has {name}={there}, not {wanted}"),
        _ => change.to_string(),
    });
    told.collect::<Vec<String>>().join("; ")
}

#[cfg(test)]
mod tests {
    use io_kafka::TopicThere;

    use super::*;

    /// Windows of five minutes, ten seconds of hop.
    fn check(owner: Owner, keeps_ms: i64, word: Option<&str>) {
        let pipeline = testkit::pipelines::minimal();
        let there = TopicThere { retention: Some(Span(keeps_ms)), ..TopicThere::default() };
        let topic = PlannedTopic {
            topic: "headway.minimal.readings".into(),
            name: "theirs".into(),
            owner,
            there: Some(there),
            changes: Vec::new(),
            can_be_made: true,
        };
        let told = remarks(&TopicPlan { topics: vec![topic] }, [&pipeline]).join("\n");
        assert!(word.map_or(told.is_empty(), |word| told.contains(word)), "{told}");
    }

    #[test]
    fn a_topic_that_forgets_too_soon_is_told_if_others_decide() {
        check(Owner::Others, 60_000, Some("topic theirs keeps records for 1m, and group"));
        check(Owner::Others, DAY_MS, None);
        check(Owner::Headway, 60_000, None);
    }
}
