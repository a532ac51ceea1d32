//! Models that challenge the one that speaks: chosen in a folder that stands still and beside a process that runs, and heard on a topic of
//! their own.

use std::collections::{BTreeMap, BTreeSet};

use domain::Span;
use serde_json::{Value, json};

use crate::{
    driven::stop,
    eta,
    scene::{Scene, instant, now, predicted, predictions, records},
};

/// Opinions before somebody looks again.
const MANY: u64 = 200;
const SPEED: i64 = 60;

#[test]
fn challengers_are_chosen_in_a_folder_that_stands_still() {
    let scene = Scene::new(true);
    let (champion, speaks) = scene.package("1", 900.0);
    scene.used(&champion);
    let (second, told) = scene.challenge("2", 950.0);
    assert_eq!(
        (&told["changed"], &told["model"]["digest"], &told["before"]["digest"]),
        (&json!(true), &json!(speaks), &json!(speaks))
    );
    assert_eq!((&told["challengers"][0]["digest"], &told["challengers"][0]["version"]), (&json!(second), &json!("2")));
    assert_eq!(scene.challenge("2", 950.0).1["changed"], json!(false));
    let (err_of_champion, words) = (scene.ask(&["challenge", &speaks[..8]], 1).1, "it cannot challenge itself");
    assert!(err_of_champion.contains(words), "{err_of_champion}");
    let more: Vec<String> = ["3", "4", "5"].into_iter().map(|version| scene.challenge(version, 950.0).0).collect();
    let (sixth, _) = scene.package("6", 950.0);
    let (_, err) = scene.ask(&["challenge", &sixth.display().to_string()], 1);
    assert!(err.contains("4 models challenge the one of delivery-eta already, which is the most"), "{err}");
    let list = scene.list();
    assert_eq!(list["challengers"], json!([second, more[0], more[1], more[2]]));
    let (text, _) = scene.ask(&["list"], 0);
    assert_eq!((text.matches("challenges").count(), text.matches("\nspeaks  ").count()), (4, 1), "{text}");
    // Whoever begins to speak challenges nobody; the one before does not begin to.
    assert_eq!(scene.object(&["use", &second[..8]])["challengers"].as_array().map(Vec::len), Some(3));
    let (text, _) = scene.ask(&["withdraw", &more[1][..8]], 0);
    assert!(text.starts_with(&format!("delivery-eta: eta 4 ({}) challenges nobody any longer\n", &more[1][..12])), "{text}");
    assert_eq!(scene.list()["challengers"], json!([more[0], more[2]]));
    for (digest, code, words) in
        [(&more[1][..8], 1, "no challenger of delivery-eta begins with"), ("none", 2, "6 or more digits")]
    {
        let (_, err) = scene.ask(&["withdraw", digest], code);
        assert!(err.contains(words), "{err}");
    }
    eta::write(&scene.packages.path().join("strange"), "7", 1.0, 2);
    let (_, err) = scene.ask(&["challenge", &scene.packages.path().join("strange").display().to_string()], 78);
    assert!(err.contains("it is none of the 1 trusted here"), "{err}");
}

#[test]
fn a_challenger_says_of_each_prediction_what_it_would_have_said() {
    let scene = Scene::new(true);
    let (champion, speaks) = scene.package("1", 900.0);
    let (child, mut asking) = scene.start(&["--city", "calm", "--at", "12:00", "--speed", &SPEED.to_string()]);
    scene.used(&champion);
    predicted(&mut asking, MANY);
    let (digest, told) = scene.challenge("2", 300.0);
    assert_eq!((&told["process"]["challengers"], &told["process"]["digest"]), (&json!([digest]), &json!(speaks)));
    let from = now(&mut asking);
    predicted(&mut asking, MANY);
    let until = now(&mut asking);
    assert_eq!(scene.object(&["withdraw", &digest[..8]])["process"]["challengers"], json!([]));
    predicted(&mut asking, MANY);
    stop(child);

    let folder = scene.folder.path();
    let (predictions, opinions) = (predictions(folder), records(folder, "headway.delivery-eta.shadow"));
    let (mut ids, mut heard, mut expected, mut compared) = (BTreeSet::new(), 0, 0, 0);
    for (predictions, opinions) in predictions.iter().zip(&opinions) {
        let of: BTreeMap<&str, &Value> =
            predictions.iter().map(|prediction| (prediction["id"].as_str().expect("an id"), prediction)).collect();
        assert!(predictions.iter().all(|prediction| prediction["digest"] != json!(digest)), "a challenger spoke");
        for opinion in opinions {
            assert!(ids.insert(opinion["id"].as_str().expect("an id")), "{opinion} is there twice");
            assert_eq!(opinion["digest"], json!(digest));
            // In the partition of its prediction, or there is none.
            let prediction = of[opinion["prediction"].as_str().expect("an id")];
            assert_eq!((&opinion["order"], &opinion["at"]), (&prediction["order"], &prediction["at"]));
            assert!(opinion.get("promise_at").is_none(), "{opinion}");
            if prediction["degraded"].is_null() && prediction["digest"] == json!(speaks) {
                // A calibration has moved the one that is promised.
                let p50 = |said: &Value| said["said"][1].as_f64().expect("a number");
                assert_eq!(p50(prediction) - p50(opinion), 600.0, "{opinion} of {prediction}");
                compared += 1;
            }
        }
        // What fell due before the withdrawal may be said a moment later, and what fell due just before the choice, too.
        let is_challenged = |at| at > from && at < until.minus(Span(1000 * SPEED));
        expected += predictions.iter().filter(|prediction| is_challenged(instant(&prediction["at"]))).count();
        heard += opinions.iter().filter(|opinion| is_challenged(instant(&opinion["at"]))).count();
    }
    println!("{heard} opinions of {expected} predictions, {compared} compared");
    // On a busy machine it may be late now and then, and never without reason.
    assert!(expected > 0 && compared > 0 && 10 * heard >= 9 * expected && heard <= expected, "{heard} of {expected}");
}

#[test]
fn a_challenger_that_cannot_be_loaded_is_told_and_the_others_go_on() {
    let scene = Scene::new(true);
    let (champion, speaks) = scene.package("1", 900.0);
    scene.used(&champion);
    let ((sound, _), (broken, _)) = (scene.challenge("2", 950.0), scene.challenge("3", 990.0));
    eta::damage(scene.folder.path(), &broken);
    let (child, _) = scene.start(&[]);
    let process = &scene.list()["process"];
    assert_eq!((&process["digest"], &process["fault"], &process["challengers"]), (&json!(speaks), &Value::Null, &json!([sound])));
    let fault = process["refused"][&broken].as_str().expect("a fault");
    assert!(
        fault.contains("eta 3 (") && fault.contains("cannot challenge") && fault.contains("its checksum does not match"),
        "{fault}"
    );
    let (text, _) = scene.ask(&["list"], 0);
    assert!(text.contains("Not so in the process that runs here: eta 3 ("), "{text}");
    // Another one may challenge meanwhile, and what was broken can go.
    let (third, told) = scene.challenge("4", 1000.0);
    assert_eq!(told["process"]["challengers"], json!([sound, third]));
    let gone = scene.object(&["withdraw", &broken[..8]]);
    assert_eq!((&gone["process"]["refused"], &gone["process"]["challengers"]), (&json!({}), &json!([sound, third])));
    stop(child);
}
