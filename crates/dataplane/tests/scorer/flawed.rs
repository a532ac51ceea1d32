//! What predictions are made of is not what it should be: each flaw has an outcome that the prediction names, and a count.

use std::sync::Arc;

use domain::{Header, Span};
use testkit::fake::Hook;

use crate::world::{World, package_of, predictor};

/// A vector of the store that is asked about.
type Vector = fn(&World) -> (Header, u64);

/// A quarter of an hour, and a minute for each order.
const PER_ORDER: f32 = 60.0;

/// What is said of an order of a store with this vector, by a model with so much for each order: median and reason; and what was counted.
async fn check(vector: Option<Vector>, per_order: f32, expected: (f64, Option<&str>), flaws: &[(&str, u64)]) {
    let world = World::calm(Hook::default()).await;
    let model = package_of("1", 900.0, per_order);
    world.predictors.send_replace(Arc::new(predictor(&world.plan.pipeline, Some(model))));
    // Somebody says which generation is read, and has a vector of another store.
    world.write("s0", 1).await;
    if let Some(vector) = vector {
        let (header, orders) = vector(&world);
        world.write_as("s1", header, orders).await;
    }
    let worker = world.start(0);
    world.tell("o1", "placed", world.clock.now()).await;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    worker.stop().await;
    let said = world.read_json(&world.plan.topics.predictions()).await;
    let [said] = &said[..] else { panic!("one prediction and not {said:?}") };
    assert_eq!((said["p50"].as_f64(), said["degraded"].as_str()), (Some(expected.0), expected.1), "{said}");
    let counted: Vec<(&str, u64)> = world.watch.counts().flaws.into_iter().collect();
    assert_eq!(counted, flaws);
}

/// A sound vector of now.
fn sound(world: &World) -> Header {
    world.header()
}

#[tokio::test(start_paused = true)]
async fn a_sound_vector_has_no_flaw() {
    check(Some(|world| (sound(world), 5)), PER_ORDER, (1200.0, None), &[]).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_replaced_as_the_package_says() {
    check(None, PER_ORDER, (900.0, None), &[("missing", 1)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_vector_of_another_schema_is_left_out() {
    check(Some(|world| (Header { schema: 1, ..sound(world) }, 5)), PER_ORDER, (900.0, Some("unreadable")), &[("unreadable", 1)])
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_vector_that_should_have_been_written_anew_is_used_and_told() {
    let outdated = |world: &World| {
        let at = world.clock.now().minus(Span(3_600_000));
        (Header { as_of: at, valid_until: at.plus(Span(60_000)), ..sound(world) }, 5)
    };
    check(Some(outdated), PER_ORDER, (1200.0, Some("outdated")), &[("outdated", 1)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_source_is_told() {
    check(
        Some(|world| (Header { source_silent: true, ..sound(world) }, 5)),
        PER_ORDER,
        (1200.0, Some("silent")),
        &[("silent", 1)],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_model_that_says_no_number_is_no_reason_to_say_nothing() {
    // Five of them are more than a single number holds.
    check(Some(|world| (sound(world), 5)), 1e38, (1800.0, Some("anywhere")), &[("no_number", 1)]).await;
}
