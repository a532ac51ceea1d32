//! The online store goes away and comes back: each trigger makes its prediction all the same, and says what it was made of.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    time::Duration,
};

use domain::{Span, Timestamp};
use scoring::Origin;
use serde_json::Value;
use testkit::fake::{Fault, Hook};

use crate::world::{World, package, predictor};

const WELL: u8 = 0;
const REFUSES: u8 = 1;
const HANGS: u8 = 2;
/// Longer than any vector is remembered, in milliseconds.
const FORGOTTEN_AFTER: u64 = 121_000;

/// A store that can be told how it is.
fn telling() -> (Hook, Arc<AtomicU8>) {
    let how = Arc::new(AtomicU8::new(WELL));
    let told = how.clone();
    let hook = Hook::new(move |_| match told.load(Ordering::Relaxed) {
        REFUSES => Fault::Before,
        HANGS => Fault::Late(Duration::from_secs(3600)),
        _ => Fault::None,
    });
    (hook, how)
}

/// Places an order, and waits for what is said of it: median, reason, and after how long.
async fn placed(world: &World, order: &str) -> (f64, Option<String>, Span) {
    let at = world.clock.now();
    world.tell(order, "placed", at).await;
    loop {
        let said = world.read_json(&world.plan.topics.predictions()).await;
        let found: Vec<&Value> = said.iter().filter(|said| said["order"] == *order).collect();
        match found[..] {
            [] => tokio::time::sleep(Duration::from_millis(1)).await,
            [said] => {
                assert_eq!((&said["trigger"], instant(said)), (&"placed".into(), at));
                let degraded = said["degraded"].as_str().map(str::to_owned);
                return (said["p50"].as_f64().expect("a number"), degraded, Span(world.clock.now().0 - at.0));
            }
            _ => panic!("{order} is predicted more than once: {found:?}"),
        }
    }
}

fn instant(said: &Value) -> Timestamp {
    said["at"].as_str().and_then(Timestamp::parse).expect("an instant")
}

#[tokio::test(start_paused = true)]
async fn what_was_read_last_stands_in_for_a_store_that_is_away() {
    let (hook, how) = telling();
    let world = World::calm(hook).await;
    world.predictors.send_replace(Arc::new(predictor(&world.plan.pipeline, Some(package("1", 900.0)))));
    world.write("s1", 5).await;
    let worker = world.start(0);
    let (p50, degraded, _) = placed(&world, "first").await;
    assert_eq!((p50, degraded), (1200.0, None), "a quarter of an hour, and five orders");
    for (away, name) in [(REFUSES, "refuses"), (HANGS, "hangs")] {
        how.store(away, Ordering::Relaxed);
        let (p50, degraded, waited) = placed(&world, name).await;
        assert_eq!((p50, degraded.as_deref()), (1200.0, Some("remembered")), "the model is asked with what is known");
        assert!(waited <= Span(1_100), "an order waited for {waited} while the store {name}");
        // Nobody predicts by the kitchen of long ago.
        tokio::time::sleep(Duration::from_millis(FORGOTTEN_AFTER)).await;
        let (p50, degraded, _) = placed(&world, &format!("{name} for long")).await;
        assert_eq!((p50, degraded.as_deref()), (1800.0, Some("anywhere")), "nothing is known any more");
        how.store(WELL, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        let (p50, degraded, _) = placed(&world, &format!("{name} no longer")).await;
        assert_eq!((p50, degraded), (1200.0, None), "it is asked again");
    }
    worker.stop().await;
    let counts = world.watch.counts();
    let of = |origin| counts.origins.get(&origin).copied().unwrap_or(0);
    assert_eq!(of(Origin::Store) + of(Origin::Remembered) + of(Origin::Nowhere), counts.predictions);
    assert!(of(Origin::Store) >= 3 && of(Origin::Remembered) >= 2 && of(Origin::Nowhere) >= 2, "{counts:?}");
    assert_eq!(counts.degraded["remembered"], of(Origin::Remembered));
}
