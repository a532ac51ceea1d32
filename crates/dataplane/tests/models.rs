//! One decision after the other, and packages that come back as they were kept.

use bytes::Bytes;
use dataplane::models::{BEFORE_MAX, Choice, Decision, KNOWN_MAX, decide, fetch, forget, keep};
use domain::Timestamp;
use ports::{Artifacts, ErrorKind, KnownModel, Models};
use scoring::package::{Files, MANIFEST, MODEL, SIGNATURE, digest};
use testkit::fake::MemoryArtifacts;

const PIPELINE: &str = "delivery-eta";

fn model(number: usize) -> KnownModel {
    let at = Timestamp(number as i64);
    let words = |what: &str| format!("{what} {number}");
    let (name, version, key, added_by) = ("eta".into(), words("version"), words("key"), words("person"));
    KnownModel { digest: words("digest"), name, version, key, added_at: at, added_by }
}

/// Makes these choices, each of which has to change something.
fn after(choices: impl IntoIterator<Item = Choice>) -> Models {
    let decided = |models: Models, choice: Choice| {
        let Decision { models: next, .. } = decide(&models, choice, Timestamp(9)).expect("a change");
        assert_eq!(next.revision, models.revision + 1);
        next
    };
    choices.into_iter().fold(Models::none(PIPELINE), decided)
}

fn use_of(number: usize) -> Choice {
    Choice::Model(model(number))
}

fn champion(models: &Models) -> Option<&str> {
    models.champion.as_deref()
}

#[test]
fn one_goes_back_step_by_step() {
    let mut models = after([use_of(1), use_of(2), Choice::Nobody, use_of(1)]);
    let mut seen = vec![models.champion.clone()];
    while let Some(Decision { models: next, .. }) = decide(&models, Choice::Back, Timestamp(9)) {
        models = next;
        seen.push(models.champion.clone());
    }
    let digest = |number: usize| Some(format!("digest {number}"));
    assert_eq!(seen, [digest(1), None, digest(2), digest(1), None], "as it was, and then there is nobody to go back to");
    assert_eq!(models.known, [model(1), model(2)], "what is known stays known");
}

#[test]
fn what_is_so_already_is_no_decision() {
    assert_eq!(decide(&Models::none(PIPELINE), Choice::Nobody, Timestamp(9)), None);
    assert_eq!(decide(&Models::none(PIPELINE), Choice::Back, Timestamp(9)), None);
    let models = after([use_of(1)]);
    assert_eq!(decide(&models, use_of(1), Timestamp(9)), None);
    // Signed again by somebody else, it is worth a word, and nobody else speaks.
    let again = KnownModel { key: "another".into(), added_by: "another".into(), ..model(1) };
    let Decision { models: next, .. } = decide(&models, Choice::Model(again), Timestamp(9)).expect("a change");
    assert_eq!((champion(&next), next.before.len()), (champion(&models), 1));
    assert_eq!(next.known, [KnownModel { key: "another".into(), ..model(1) }]);
}

#[test]
fn challengers_come_and_go_and_never_speak() {
    let challenge = |number: usize| Choice::Challenger(model(number));
    let models = after([use_of(1), challenge(2), challenge(3)]);
    assert_eq!((champion(&models), &models.challengers[..]), (Some("digest 1"), &["digest 2".to_owned(), "digest 3".into()][..]));
    assert_eq!((models.before.len(), models.known.len()), (1, 3), "there is no way back from what never spoke");
    for nothing in [challenge(2), challenge(1), Choice::NoChallenger("digest 1".into()), use_of(1)] {
        assert_eq!(decide(&models, nothing.clone(), Timestamp(9)), None, "{nothing:?}");
    }
    let Decision { models: without, forgotten } =
        decide(&models, Choice::NoChallenger("digest 2".into()), Timestamp(9)).expect("a change");
    assert_eq!((&without.challengers[..], forgotten.len(), without.known.len()), (&["digest 3".to_owned()][..], 0, 3));
    // Whoever begins to speak challenges nobody, also on the way back.
    let Decision { models: next, .. } = decide(&models, use_of(3), Timestamp(9)).expect("a change");
    assert_eq!((champion(&next), &next.challengers[..]), (Some("digest 3"), &["digest 2".to_owned()][..]));
    let Decision { models: next, .. } = decide(&next, challenge(1), Timestamp(9)).expect("a change");
    let Decision { models: back, .. } = decide(&next, Choice::Back, Timestamp(9)).expect("a change");
    assert_eq!((champion(&back), &back.challengers[..]), (Some("digest 1"), &["digest 2".to_owned()][..]));
}

#[test]
fn challengers_are_not_forgotten() {
    let first = model(0);
    let mut models = after([use_of(1), Choice::Challenger(first.clone())]);
    for number in 2..KNOWN_MAX + 20 {
        models = decide(&models, use_of(number), Timestamp(9)).expect("a change").models;
    }
    assert!(models.known.len() == KNOWN_MAX && models.known(&first.digest).is_some());
}

#[test]
fn what_nobody_goes_back_to_is_forgotten_in_the_end() {
    let mut models = after([use_of(0)]);
    let mut forgotten = Vec::new();
    for number in 1..KNOWN_MAX + 5 {
        let decision = decide(&models, use_of(number), Timestamp(9)).expect("a change");
        models = decision.models;
        forgotten.extend(decision.forgotten);
    }
    assert_eq!(forgotten, (0..5).map(|number| model(number).digest).collect::<Vec<_>>());
    assert_eq!((models.known.len(), models.before.len()), (KNOWN_MAX, BEFORE_MAX));
    // One that came long ago and spoke lately stays.
    let oldest = models.known[0].clone();
    models = decide(&models, Choice::Model(oldest.clone()), Timestamp(9)).expect("a change").models;
    let Decision { models, forgotten } = decide(&models, use_of(1_000), Timestamp(9)).expect("a change");
    assert!(models.known(&oldest.digest).is_some() && forgotten == [model(6).digest]);
}

fn package(word: &str) -> Files {
    [MODEL, MANIFEST, SIGNATURE].map(|name| (name.to_owned(), format!("{name} {word}").into_bytes())).into()
}

#[tokio::test]
async fn packages_come_back_as_they_were_kept() {
    let artifacts = MemoryArtifacts::default();
    let (one, other) = (package("one"), package("other"));
    let named = |files: &Files| digest(files).to_string();
    for files in [&one, &other, &one] {
        keep(&artifacts, PIPELINE, files).await.expect("kept");
    }
    assert_eq!(artifacts.list("").await.expect("names").len(), 6);
    assert_eq!(fetch(&artifacts, PIPELINE, &named(&one)).await.expect("there"), one);
    forget(&artifacts, PIPELINE, &[named(&one)]).await.expect("gone");
    assert_eq!(fetch(&artifacts, PIPELINE, &named(&other)).await.expect("there"), other);
    let gone = fetch(&artifacts, PIPELINE, &named(&one)).await.expect_err("gone");
    assert!(gone.kind() == ErrorKind::Poison && gone.to_string().contains("is not there: bring its package again"), "{gone}");
}

#[tokio::test]
async fn what_is_not_what_was_kept_is_poison() {
    let artifacts = MemoryArtifacts::default();
    let (one, other) = (package("one"), package("other"));
    keep(&artifacts, PIPELINE, &one).await.expect("kept");
    let names = artifacts.list("").await.expect("names");
    let name = names.iter().find(|name| name.ends_with(MODEL)).expect("a model");
    artifacts.put(name, Bytes::from(other[MODEL].clone())).await.expect("put");
    let error = fetch(&artifacts, PIPELINE, &digest(&one).to_string()).await.expect_err("another model");
    assert!(error.kind() == ErrorKind::Poison && error.to_string().contains("has the digest"), "{error}");
}
