//! A real Redis goes away for a while: what is predicted meanwhile is made of what was read last and says so, and nothing stops.

use domain::{NEVER, Span};
use serde_json::Value;
use testkit::servers::Own;

use crate::{
    driven::stop,
    scene::{Scene, instant, now, predicted, predictions},
};

const SPEED: i64 = 10;
/// Predictions in each part: less than two minutes of this city, for which vectors are remembered.
const SOME: u64 = 40;

#[test]
fn predictions_go_on_without_redis() {
    let servers = Own::start(&["redis"]);
    let scene = Scene::new(true);
    let (package, _) = scene.package("1", 900.0);
    let (child, mut asking) =
        scene.start(&["--city", "calm", "--at", "12:00", "--speed", &SPEED.to_string(), "--redis", &servers.address("redis")]);
    scene.used(&package);
    predicted(&mut asking, SOME);
    let begun = now(&mut asking);
    servers.kill("redis");
    let gone = now(&mut asking);
    predicted(&mut asking, SOME);
    let last = now(&mut asking);
    servers.revive("redis");
    let back = now(&mut asking);
    predicted(&mut asking, 2 * SOME);
    stop(child);

    let all: Vec<Value> = predictions(scene.folder.path()).concat();
    let reasons = |from, until| -> Vec<Option<&str>> {
        let within = all.iter().filter(|said| (from..until).contains(&instant(&said["at"])));
        within.map(|said| said["degraded"].as_str()).collect()
    };
    // What fell due before a second is over may have been read before.
    let meanwhile = reasons(gone.plus(Span(1000 * SPEED)), last);
    println!("{} predictions without Redis", meanwhile.len());
    assert!(meanwhile.iter().all(Option::is_some), "{meanwhile:?}");
    assert!(meanwhile.contains(&Some("remembered")), "{meanwhile:?}");
    let before = reasons(begun.minus(Span(60_000)), begun);
    assert!(before.contains(&None), "the model speaks as long as it can be asked: {before:?}");
    let again = reasons(back, NEVER);
    assert!(again.contains(&None), "the store is asked again: {again:?}");
}
