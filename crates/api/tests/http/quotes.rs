//! Quotes: the numbers, what they are made of, and what is said when the store cannot be asked.

use std::{sync::atomic::Ordering, time::Duration};

use domain::{Carried, Value};
use scoring::{Facts, Origin, Question, Work};
use serde_json::json;
use testkit::fake::{Fault, Hook};
use tokio::time::Instant;

use crate::scene::{NOW, Scene, failing};

const BODY: &str =
    r#"{"draft":{"zone":"z","seats":3,"length":4.25,"fuel":"electric"},"candidates":[{"lot":"a"},{"lot":"b"},{"lot":"x"}]}"#;

/// Median and reason of each candidate.
fn said(body: &serde_json::Value) -> Vec<(f64, &str)> {
    let candidates = body["candidates"].as_array().expect("candidates");
    candidates.iter().map(|said| (said["p50"].as_f64().expect("a number"), said["degraded"].as_str().unwrap_or(""))).collect()
}

#[tokio::test(start_paused = true)]
async fn each_candidate_is_answered_in_its_place() {
    let scene = Scene::filled(Hook::default()).await;
    let answered = scene.quote(BODY).await;
    assert_eq!(answered.status, 200, "{answered:?}");
    let expected = json!({
        "candidate": { "lot": "a" }, "p10": 151.5, "p50": 303.0, "p80": 454.5, "p90": 606.0,
        "arrives_at": "2026-11-22T12:05:03.000Z", "promise_at": "2026-11-22T12:10:00.000Z", "degraded": "lot", "unknown": [],
        "features_as_of": "2026-11-22T11:59:56.000Z", "oldest_feature_seconds": 4.0,
    });
    assert_eq!(answered.body["candidates"][0], expected);
    assert_eq!(answered.body["at"], "2026-11-22T12:00:00.000Z");
    assert_eq!((&answered.body["pipeline"], &answered.body["digest"]), (&"parking".into(), &json!(null)));
    assert_eq!(said(&answered.body), [(303.0, "lot"), (543.0, "lot"), (300.0, "zone")]);
    assert_eq!(answered.body["candidates"][2]["unknown"], json!(["lot"]), "it may be new, or a mistake");
    assert_eq!(scene.api.counts().unknown, [(("parking".into(), "lot".to_owned()), 1)].into());
}

#[tokio::test(start_paused = true)]
async fn a_quote_says_what_the_scorer_would_say_of_such_a_case() {
    let scene = Scene::filled(Hook::default()).await;
    let answered = scene.quote(BODY).await;
    let predictor = scene.predictor();
    for (place, lot) in ["a", "b", "x"].into_iter().enumerate() {
        let mut facts = Facts::none(predictor.case());
        let value = |value| Some(Carried::Value(value));
        let key = |key: &str| Some(Carried::Text(key.into()));
        facts.attributes =
            vec![key(lot), key("z"), value(Value::Float(4.25)), value(Value::Integer(3)), value(Value::Integer(1))];
        facts.reached_at[0] = Some(NOW);
        let vectors = vec![scene.vector("lots", lot).await, scene.vector("zones", "z").await];
        let question = Question { facts, at: NOW, vectors, origin: Origin::Store };
        let answer = predictor.answer(&[question], &mut Work::default()).remove(0);
        let said = &answered.body["candidates"][place];
        let found = ["p10", "p50", "p80", "p90"].map(|name| said[name].as_f64().expect("a number"));
        assert_eq!(found, answer.left.seconds());
        assert_eq!(said["degraded"].as_str(), answer.degraded.as_deref());
        assert_eq!(said["promise_at"], predictor.promise(&answer.left, NOW, None).to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn a_candidate_says_in_what_it_differs() {
    let scene = Scene::filled(Hook::default()).await;
    let body = r#"{"draft":{"lot":"a","seats":1},"candidates":[{},{"seats":9},{"seats":null},{"lot":"b"},{}]}"#;
    let answered = scene.quote(body).await;
    assert_eq!(said(&answered.body), [(301.0, "lot"), (309.0, "lot"), (1800.0, "anywhere"), (541.0, "lot"), (301.0, "lot")]);
}

#[tokio::test(start_paused = true)]
async fn what_was_read_last_stands_in_for_a_store_that_is_away() {
    let (hook, fails) = failing(Fault::Before);
    let scene = Scene::filled(hook).await;
    assert_eq!(scene.quote(BODY).await.status, 200);
    fails.store(true, Ordering::Relaxed);
    scene.pass(60);
    let answered = scene.quote(BODY).await;
    // A fallback says more of itself than that its vectors are remembered.
    assert_eq!(said(&answered.body), [(303.0, "lot"), (543.0, "lot"), (300.0, "zone")]);
    assert_eq!(answered.body["candidates"][2]["unknown"], json!([]), "nobody could be asked");
    assert_eq!(answered.body["candidates"][0]["oldest_feature_seconds"], 64.0);
    // What was read too long ago is not told any more.
    scene.pass(61);
    assert_eq!(said(&scene.quote(BODY).await.body), [(1800.0, "anywhere"); 3]);
    let counts = scene.api.counts();
    let of = |origin: &'static str| counts.candidates.get(&("parking".into(), origin)).copied();
    assert_eq!((of("store"), of("remembered"), of("nowhere")), (Some(3), Some(3), Some(3)));
    assert_eq!(counts.degraded[&("parking".into(), "anywhere".into())], 3);
    fails.store(false, Ordering::Relaxed);
    assert_eq!(said(&scene.quote(BODY).await.body)[0], (303.0, "lot"));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_waited_for_no_longer_than_the_deadline() {
    let (hook, hangs) = failing(Fault::Late(Duration::from_secs(3600)));
    let scene = Scene::filled(hook).await;
    hangs.store(true, Ordering::Relaxed);
    let begun = Instant::now();
    let all = (0..20).map(|_| scene.quote(BODY));
    for answered in futures_util::future::join_all(all).await {
        assert_eq!(said(&answered.body), [(1800.0, "anywhere"); 3]);
    }
    assert!((15..=17).contains(&begun.elapsed().as_millis()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn all_vectors_are_one_read() {
    let reads = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = reads.clone();
    let hook = Hook::new(move |operation| {
        counted.fetch_add(u64::from(operation == "online.read"), Ordering::Relaxed);
        Fault::None
    });
    let scene = Scene::filled(hook).await;
    let candidates: Vec<String> = (0..200).map(|number| format!(r#"{{"lot":"{number}"}}"#)).collect();
    let body = format!(r#"{{"draft":{{"zone":"z"}},"candidates":[{}]}}"#, candidates.join(","));
    assert_eq!(scene.quote(&body).await.body["candidates"].as_array().map(Vec::len), Some(200));
    assert_eq!(reads.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn more_than_can_be_made_at_once_are_sent_away() {
    let (hook, hangs) = failing(Fault::Late(Duration::from_secs(3600)));
    let scene = Scene::filled(hook).await;
    hangs.store(true, Ordering::Relaxed);
    let answers = futures_util::future::join_all((0..65).map(|_| scene.quote(BODY))).await;
    let refused: Vec<_> = answers.iter().filter(|answered| answered.status != 200).collect();
    let [refused] = refused[..] else { panic!("{refused:?}") };
    assert_eq!(refused.headers["retry-after"], "1");
    refused.problem(503);
    assert_eq!(scene.quote(BODY).await.status, 200);
}
