//! Models that are asked beside the one that speaks: each says once what it would have said of each prediction, whoever is killed meanwhile,
//! and none of it reaches a prediction or a promise. They are asked on threads of their own, so a seed is one run only as far as the order of
//! what happens at one instant does not depend on those.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;
use testkit::fake::Hook;

use crate::world::{World, package, predictor};

const SEEDS: u64 = 12;

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} of {value}"))
}

/// One record of each challenger for each prediction, in its place and under its key, with the challenger's own numbers.
async fn check(world: &World, medians: &BTreeMap<String, f64>, seed: u64) -> u64 {
    let predictions: BTreeMap<String, Value> = world
        .read_json(&world.plan.topics.predictions())
        .await
        .into_iter()
        .map(|prediction| (text(&prediction, "id").to_owned(), prediction))
        .collect();
    let (mut ids, mut opinions) = (BTreeSet::new(), BTreeSet::new());
    for record in world.read(&world.plan.topics.shadow()).await {
        let opinion: Value = serde_json::from_slice(&record.value).expect("JSON");
        assert!(ids.insert(text(&opinion, "id").to_owned()), "seed {seed}: {opinion} is there twice");
        let (of, digest) = (text(&opinion, "prediction"), text(&opinion, "digest"));
        let prediction = predictions.get(of).unwrap_or_else(|| panic!("seed {seed}: {opinion} is of no prediction"));
        for name in ["order", "trigger", "stage", "at", "area", "features_as_of"] {
            assert_eq!(opinion[name], prediction[name], "seed {seed}: {name}");
        }
        assert_eq!(text(&opinion, "order").as_bytes(), &*record.key);
        assert!(opinion.get("promise_at").is_none() && of != text(&opinion, "id"), "seed {seed}: {opinion}");
        assert_eq!(opinion["degraded"].is_null(), prediction["degraded"].is_null(), "seed {seed}: {opinion} of {prediction}");
        if opinion["degraded"].is_null() {
            assert_eq!(opinion["p50"].as_f64(), Some(medians[digest]), "seed {seed}: {opinion}");
        }
        opinions.insert((of.to_owned(), digest.to_owned()));
    }
    let expected: BTreeSet<(String, String)> =
        predictions.keys().flat_map(|id| medians.keys().map(move |digest| (id.clone(), digest.clone()))).collect();
    assert_eq!(opinions, expected, "seed {seed}: each challenger has an opinion of each prediction");
    let digests: BTreeSet<&str> = predictions.values().map(|prediction| text(prediction, "digest")).collect();
    assert!(digests.iter().all(|digest| !medians.contains_key(*digest)), "seed {seed}: a challenger spoke");
    predictions.len() as u64
}

/// Promises and medians of all predictions, by id.
async fn said(world: &World) -> BTreeMap<String, (String, f64)> {
    let all = world.read_json(&world.plan.topics.predictions()).await;
    let each = all.iter().map(|said| {
        let (id, promise) = (text(said, "id").to_owned(), text(said, "promise_at").to_owned());
        (id, (promise, said["p50"].as_f64().expect("a number")))
    });
    each.collect()
}

fn champion_and(world: &World, challengers: &[(&str, f32)]) -> BTreeMap<String, f64> {
    let packages: Vec<_> = challengers.iter().map(|(version, seconds)| package(version, *seconds)).collect();
    // Five orders of a minute each.
    let medians = packages.iter().zip(challengers);
    let medians = medians.map(|(package, (_, seconds))| (package.digest().to_string(), f64::from(*seconds) + 300.0)).collect();
    let champion = predictor(&world.plan.pipeline, Some(package("champion", 900.0)));
    world.predictors.send_replace(Arc::new(champion.with_challengers(packages).expect("they fit")));
    medians
}

#[test]
fn each_challenger_says_once_what_it_would_have_said_whatever_fails() {
    let (mut crashes, mut predictions) = (0, 0);
    for seed in 0..SEEDS {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime");
        let (died, predicted) = runtime.block_on(async {
            let mut world = World::new(seed).await;
            world.write("s1", 5).await;
            let medians = champion_and(&world, &[("1", 600.0), ("2", 1500.0)]);
            world.live().await;
            (world.crashes, check(&world, &medians, seed).await)
        });
        crashes += died;
        predictions += predicted;
    }
    println!("{crashes} crashes; {predictions} predictions, each with two opinions");
    assert!(crashes > 50 && predictions > 500, "what the seeds do not exercise they do not prove");
}

#[tokio::test(start_paused = true)]
async fn nothing_that_is_said_to_anybody_depends_on_challengers() {
    let mut told = Vec::new();
    for challengers in [&[][..], &[("1", 60.0), ("2", 9000.0)]] {
        let world = World::calm(Hook::default()).await;
        world.write("s1", 5).await;
        let medians = champion_and(&world, challengers);
        let worker = world.start(0);
        for order in ["a", "b"] {
            for what in ["placed", "accepted", "ready"] {
                tokio::time::sleep(std::time::Duration::from_secs(200)).await;
                world.tell(order, what, world.clock.now()).await;
            }
        }
        tokio::time::sleep(std::time::Duration::from_secs(1200)).await;
        worker.stop().await;
        assert!(check(&world, &medians, 0).await > 8);
        told.push(said(&world).await);
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test(start_paused = true)]
async fn a_challenger_is_asked_from_when_it_is_chosen_until_it_is_withdrawn() {
    let world = World::calm(Hook::default()).await;
    world.write("s1", 5).await;
    let worker = world.start(0);
    let mut opinions = Vec::new();
    for (order, challengers) in [("a", &[][..]), ("b", &[("1", 600.0)]), ("c", &[("1", 600.0), ("2", 1500.0)]), ("d", &[])] {
        champion_and(&world, challengers);
        world.tell(order, "placed", world.clock.now()).await;
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        opinions.push(world.read(&world.plan.topics.shadow()).await.len());
    }
    worker.stop().await;
    assert_eq!(opinions, [0, 1, 3, 3]);
    let counts = world.watch.counts();
    let heard: u64 = counts.challenged.values().sum();
    assert_eq!((heard, counts.challenged.len()), (3, 2), "{counts:?}");
    assert!(counts.challenged.keys().all(|(_, became)| became.name() == "said"), "{counts:?}");
}
