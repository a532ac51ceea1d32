//! What every catalog promises.

use std::collections::BTreeMap;

use domain::Timestamp;
use ports::{AuditEntry, Built, Catalog, Deployed, Deployment, ErrorKind, KnownModel, Models};

use super::harness::{CRASH_SHARES, Harness, bad, good};
use crate::generate::dice::Dice;

/// Runs every case and a few random runs.
pub async fn suite<H: Harness<Port: Catalog>>(harness: &mut H) {
    nothing_is_there_at_first(harness).await;
    a_deployment_and_its_entry_survive_a_crash(harness).await;
    only_the_next_revision_is_taken(harness).await;
    of_two_that_decide_at_once_one_wins(harness).await;
    pipelines_do_not_touch_each_other(harness).await;
    the_trail_is_read_newest_first(harness).await;
    any_text_comes_back_as_it_was(harness).await;
    a_choice_of_models_and_its_entry_survive_a_crash(harness).await;
    only_the_next_choice_is_taken(harness).await;
    models_and_deployments_do_not_touch_each_other(harness).await;
    for seed in 0..6 {
        random(harness, seed, 40).await;
    }
}

/// No deployment and no entry.
pub async fn nothing_is_there_at_first<H: Harness<Port: Catalog>>(harness: &mut H) {
    let port = harness.fresh().await;
    assert_eq!(good(port.deployment("delivery-eta").await), None);
    assert_eq!(good(port.models("delivery-eta").await), None);
    assert_eq!(good(port.audit(10).await), []);
}

/// Both are durable when the call returns, and one is not there without the other.
pub async fn a_deployment_and_its_entry_survive_a_crash<H: Harness<Port: Catalog>>(harness: &mut H) {
    let mut port = harness.fresh().await;
    for revision in 1..=3 {
        good(port.deploy(&deployment("one", revision), &entry(revision, "deploy one")).await);
        port = harness.crash(port).await;
        assert_eq!(good(port.deployment("one").await), Some(deployment("one", revision)));
        let expected: Vec<AuditEntry> = (1..=revision).rev().map(|revision| entry(revision, "deploy one")).collect();
        assert_eq!(good(port.audit(10).await), expected);
    }
}

/// Whoever decided by an older deployment is fenced, and leaves no trace.
pub async fn only_the_next_revision_is_taken<H: Harness<Port: Catalog>>(harness: &mut H) {
    let port = harness.fresh().await;
    for revision in [0, 2, u64::MAX] {
        let result = port.deploy(&deployment("one", revision), &entry(1, "too far")).await;
        bad(result, ErrorKind::Fenced, "a first revision that is not 1");
    }
    good(port.deploy(&deployment("one", 1), &entry(1, "first")).await);
    good(port.deploy(&deployment("one", 2), &entry(2, "second")).await);
    for revision in [0, 1, 2, 4] {
        let result = port.deploy(&deployment("one", revision), &entry(9, "not the next")).await;
        bad(result, ErrorKind::Fenced, "a revision that does not follow 2");
    }
    let port = harness.crash(port).await;
    assert_eq!(good(port.deployment("one").await), Some(deployment("one", 2)));
    assert_eq!(good(port.audit(10).await), [entry(2, "second"), entry(1, "first")]);
}

/// Two with the same revision: one deployment, one entry, one `Fenced`.
pub async fn of_two_that_decide_at_once_one_wins<H: Harness<Port: Catalog>>(harness: &mut H) {
    let port = harness.fresh().await;
    let mine = Deployment { spec: "mine".into(), ..deployment("one", 1) };
    let yours = Deployment { spec: "yours".into(), ..deployment("one", 1) };
    let (my_entry, your_entry) = (entry(1, "mine"), entry(1, "yours"));
    let (first, second) = (port.clone(), port.clone());
    let (first, second) = tokio::join!(first.deploy(&mine, &my_entry), second.deploy(&yours, &your_entry));
    let (winner, winners_entry, loser) = if first.is_ok() { (mine, my_entry, second) } else { (yours, your_entry, first) };
    bad(loser, ErrorKind::Fenced, "the slower of two");
    assert_eq!(good(port.deployment("one").await), Some(winner));
    assert_eq!(good(port.audit(10).await), [winners_entry]);
}

/// Each counts its own revisions.
pub async fn pipelines_do_not_touch_each_other<H: Harness<Port: Catalog>>(harness: &mut H) {
    let port = harness.fresh().await;
    good(port.deploy(&deployment("one", 1), &entry(1, "one")).await);
    good(port.deploy(&deployment("two", 1), &entry(2, "two")).await);
    assert_eq!(good(port.pipelines().await), ["one", "two"]);
    good(port.deploy(&deployment("one", 2), &entry(3, "one again")).await);
    let port = harness.crash(port).await;
    assert_eq!(good(port.deployment("one").await), Some(deployment("one", 2)));
    assert_eq!(good(port.deployment("two").await), Some(deployment("two", 1)));
    assert_eq!(good(port.deployment("three").await), None);
}

/// The order is that of writing, whatever the entries say of their time; equal entries are two.
pub async fn the_trail_is_read_newest_first<H: Harness<Port: Catalog>>(harness: &mut H) {
    let port = harness.fresh().await;
    for at in [5, 1, 9, 9] {
        good(port.record(&entry(at, "look")).await);
    }
    let port = harness.crash(port).await;
    assert_eq!(good(port.audit(10).await), [entry(9, "look"), entry(9, "look"), entry(1, "look"), entry(5, "look")]);
    assert_eq!(good(port.audit(1).await), [entry(9, "look")]);
    assert_eq!(good(port.audit(0).await), []);
}

/// Quotes, line breaks, other scripts, nothing at all, and the ends of the number ranges.
pub async fn any_text_comes_back_as_it_was<H: Harness<Port: Catalog>>(harness: &mut H) {
    let port = harness.fresh().await;
    let text = "a \"b\"\r\n\\ \t\u{1} grüße 配達 {\"json\": [1]}\n";
    let groups = vec![
        Deployed { group: text.into(), generation: u32::MAX, replaces: Some(u32::MAX), definition: u32::MAX },
        Deployed { group: String::new(), generation: 0, replaces: None, definition: 0 },
    ];
    let deployment = Deployment { spec: text.repeat(1000), groups, at: Timestamp(-1), ..deployment("one", 1) };
    let entry = AuditEntry { actor: text.into(), action: String::new(), detail: text.into(), at: Timestamp(i64::MAX) };
    good(port.deploy(&deployment, &entry).await);
    good(port.record(&entry).await);
    let port = harness.crash(port).await;
    assert_eq!(good(port.deployment("one").await), Some(deployment));
    assert_eq!(good(port.audit(10).await), [entry.clone(), entry]);
}

/// Both are durable when the call returns, and one is not there without the other; any text comes back as it was.
pub async fn a_choice_of_models_and_its_entry_survive_a_crash<H: Harness<Port: Catalog>>(harness: &mut H) {
    let mut port = harness.fresh().await;
    for revision in 1..=3 {
        good(port.choose(&models("one", revision), &entry(revision, "models one")).await);
        port = harness.crash(port).await;
        assert_eq!(good(port.models("one").await), Some(models("one", revision)));
        let expected: Vec<AuditEntry> = (1..=revision).rev().map(|revision| entry(revision, "models one")).collect();
        assert_eq!(good(port.audit(10).await), expected);
    }
    let text = "a \"b\"\r\n\\ \t grüße 配達 {}\n";
    let odd = KnownModel { name: text.into(), version: String::new(), added_at: Timestamp(i64::MIN), ..model(1) };
    let challengers = vec![text.into(), String::new()];
    let bare =
        Models { known: vec![odd], champion: None, challengers, before: vec![None, Some(text.into())], ..models("one", 4) };
    good(port.choose(&bare, &entry(4, "models one")).await);
    assert_eq!(good(harness.crash(port).await.models("one").await), Some(bare));
}

/// Whoever decided by an older choice is fenced, and leaves no trace; of two at once one wins.
pub async fn only_the_next_choice_is_taken<H: Harness<Port: Catalog>>(harness: &mut H) {
    let port = harness.fresh().await;
    for revision in [0, 2, u64::MAX] {
        bad(port.choose(&models("one", revision), &entry(1, "too far")).await, ErrorKind::Fenced, "a first choice that is not 1");
    }
    let (first, second) = (port.clone(), port.clone());
    let other = Models { champion: None, ..models("one", 1) };
    let (mine, yours) = (models("one", 1), entry(2, "yours"));
    let (first, second) = tokio::join!(first.choose(&mine, &yours), second.choose(&other, &yours));
    let (winner, loser) = if first.is_ok() { (mine, second) } else { (other, first) };
    bad(loser, ErrorKind::Fenced, "the slower of two");
    for revision in [0, 1, 3] {
        let result = port.choose(&models("one", revision), &entry(9, "not the next")).await;
        bad(result, ErrorKind::Fenced, "a choice that does not follow 1");
    }
    let port = harness.crash(port).await;
    assert_eq!(good(port.models("one").await), Some(winner));
    assert_eq!(good(port.audit(10).await), [yours]);
}

/// Each counts its own revisions, and models may be chosen for a pipeline that is not deployed.
pub async fn models_and_deployments_do_not_touch_each_other<H: Harness<Port: Catalog>>(harness: &mut H) {
    let port = harness.fresh().await;
    good(port.choose(&models("models", 1), &entry(1, "models")).await);
    assert_eq!((good(port.pipelines().await), good(port.deployment("models").await)), (Vec::new(), None));
    good(port.deploy(&deployment("models", 1), &entry(2, "deploy")).await);
    good(port.deploy(&deployment("models", 2), &entry(3, "deploy")).await);
    good(port.choose(&models("models", 2), &entry(4, "models")).await);
    good(port.choose(&models("one", 1), &entry(5, "models")).await);
    let port = harness.crash(port).await;
    assert_eq!(good(port.pipelines().await), ["models"]);
    assert_eq!(good(port.deployment("models").await), Some(deployment("models", 2)));
    assert_eq!(good(port.models("models").await), Some(models("models", 2)));
    assert_eq!(good(port.models("one").await), Some(models("one", 1)));
    let at: Vec<i64> = good(port.audit(10).await).iter().map(|entry| entry.at.0).collect();
    assert_eq!(at, [5, 4, 3, 2, 1]);
}

/// Random operations beside a map and a list.
pub async fn random<H: Harness<Port: Catalog>>(harness: &mut H, seed: u64, operations: usize) {
    let pipelines = ["one", "two", "three"];
    let mut dice = Dice::new(seed);
    let crash_share = *dice.pick(&CRASH_SHARES);
    let mut in_force: BTreeMap<&str, Deployment> = BTreeMap::new();
    let mut chosen: BTreeMap<&str, Models> = BTreeMap::new();
    let mut trail: Vec<AuditEntry> = Vec::new();
    let mut port = harness.fresh().await;
    for operation in 0..operations as i64 {
        let pipeline = *dice.pick(&pipelines);
        let current = in_force.get(pipeline).map_or(0, |deployment| deployment.revision);
        let entry = AuditEntry { at: Timestamp(operation), ..entry(0, "random") };
        match dice.place(5) {
            0 => {
                good(port.record(&entry).await);
                trail.push(entry);
            }
            1 => {
                let other = Deployment { revision: current + 2 * dice.place(2) as u64, ..deployment(pipeline, 0) };
                bad(port.deploy(&other, &entry).await, ErrorKind::Fenced, "not the next revision");
            }
            2 => {
                let next = models(pipeline, chosen.get(pipeline).map_or(0, |models| models.revision) + 1);
                good(port.choose(&next, &entry).await);
                chosen.insert(pipeline, next);
                trail.push(entry);
            }
            _ => {
                let next = Deployment { at: Timestamp(operation), ..deployment(pipeline, current + 1) };
                good(port.deploy(&next, &entry).await);
                in_force.insert(pipeline, next);
                trail.push(entry);
            }
        }
        if dice.chance(crash_share) {
            port = harness.crash(port).await;
        }
        assert_eq!(good(port.deployment(pipeline).await).as_ref(), in_force.get(pipeline), "seed {seed}, operation {operation}");
        assert_eq!(good(port.models(pipeline).await).as_ref(), chosen.get(pipeline), "seed {seed}, operation {operation}");
        let newest: Vec<AuditEntry> = trail.iter().rev().take(5).cloned().collect();
        assert_eq!(good(port.audit(5).await), newest, "seed {seed}, operation {operation}");
    }
    trail.reverse();
    assert_eq!(good(port.audit(usize::MAX).await), trail, "seed {seed}, at the end");
}

fn deployment(pipeline: &str, revision: u64) -> Deployment {
    let group = Deployed { group: "stores".into(), generation: 4, replaces: Some(2), definition: 0xFEED };
    let spec = format!("# revision {revision}\n[source.orders]\n");
    let generations = vec![Built { generation: 4, spec: spec.clone(), at: Timestamp(3) }];
    let at = Timestamp(1_772_366_400_000);
    Deployment { pipeline: pipeline.into(), revision, spec, groups: vec![group], generations, at }
}

fn models(pipeline: &str, revision: u64) -> Models {
    let known: Vec<KnownModel> = (1..=revision.min(3)).map(model).collect();
    let mut digests: Vec<String> = known.iter().map(|known| known.digest.clone()).collect();
    let (champion, challengers, before) = (digests.pop(), digests, vec![None]);
    Models { pipeline: pipeline.into(), revision, known, champion, challengers, before, at: Timestamp(1_772_366_400_000) }
}

fn model(number: u64) -> KnownModel {
    KnownModel {
        digest: format!("{number:064x}"),
        name: "eta".into(),
        version: format!("2026-11-{number}"),
        key: "ab".repeat(32),
        added_at: Timestamp(1_772_366_400_000),
        added_by: "somebody".into(),
    }
}

fn entry(at: impl TryInto<i64>, action: &str) -> AuditEntry {
    let at = Timestamp(at.try_into().unwrap_or(i64::MAX));
    AuditEntry { at, actor: "features".into(), action: action.into(), detail: "because".into() }
}
