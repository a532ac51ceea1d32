use std::collections::BTreeSet;

use domain::{Carried, Value};
use pipeline::{Attribute, Move, Triggers};
use proptest::prelude::*;

use super::*;

const MINUTE: i64 = 60_000;
const LONGEST: i64 = 360 * MINUTE;
const LATENESS: i64 = 10 * MINUTE;
const SKEW: i64 = 30_000;
const EVERY: i64 = 2 * MINUTE;

/// Placed, accepted, ready, delivered; or cancelled. Predictions for the first three.
fn rules() -> Arc<Rules> {
    let told = |name: &str| Move { name: name.into(), source: 0, filter: None, key: 0 };
    let case = Case {
        entity: "order".into(),
        longest: Span(LONGEST),
        stages: ["placed", "accepted", "ready", "delivered"].map(told).into(),
        ends: ["cancelled", "returned"].map(told).into(),
        attributes: vec![Attribute { name: "store".into(), kind: None, told_by: vec![(0, 1)] }],
        triggers: Triggers { stages: vec![0, 1, 2], every: Some(Span(EVERY)) },
        ..Case::default()
    };
    let times = vec![Some((Span(SKEW), Span(LATENESS)))];
    Arc::new(Rules { case, times, remember: Span(SKEW + LATENESS), cases_max: 4 })
}

fn told(key: &str, minute: i64, identity: u128, stages: &[usize]) -> Told {
    let (stages, time) = (stages.to_vec(), Timestamp(minute * MINUTE));
    Told { key: key.into(), time, identity, stages, ends: Vec::new(), attributes: Vec::new() }
}

fn ended(key: &str, minute: i64, identity: u128, end: usize) -> Told {
    Told { ends: vec![end], ..told(key, minute, identity, &[]) }
}

/// A partition, and what fell due in it.
struct Scene {
    cases: Cases,
    due: Vec<Due>,
}

impl Scene {
    fn new() -> Self {
        Self { cases: Cases::new(rules()), due: Vec::new() }
    }

    fn hear(&mut self, told: &Told, minute: i64) -> Heard {
        self.cases.hear(0, told, Timestamp(minute * MINUTE), &mut self.due)
    }

    fn pass(&mut self, minute: i64) {
        self.cases.pass(Timestamp(minute * MINUTE), &mut self.due);
    }

    /// As a commit does.
    fn write(&mut self) {
        drop(self.cases.take_changes());
    }

    /// What fell due since the last call, in words.
    fn told(&mut self) -> Vec<String> {
        let minute = |at: &Timestamp| at.0 as f64 / MINUTE as f64;
        let words = |due: &Due| match due {
            Due::Prediction { key, trigger: Trigger::Reached { stage, identity }, at, .. } => {
                format!("{key} at stage {stage} by {identity}, minute {}", minute(at))
            }
            Due::Prediction { key, trigger: Trigger::Time(_), at, .. } => format!("{key} again, minute {}", minute(at)),
            Due::End { key, ending, at, .. } => format!("{key} {ending:?}, minute {}", minute(at)),
        };
        std::mem::take(&mut self.due).iter().map(words).collect()
    }
}

#[test]
fn an_order_from_placed_to_delivered() {
    let mut scene = Scene::new();
    assert_eq!(scene.hear(&told("o1", 0, 1, &[0]), 0), Heard::News);
    assert_eq!(scene.hear(&told("o1", 1, 2, &[1]), 1), Heard::News);
    scene.pass(4);
    assert_eq!(scene.hear(&told("o1", 11, 3, &[2]), 11), Heard::News);
    assert_eq!(scene.hear(&told("o1", 12, 4, &[3]), 12), Heard::News);
    let expected = [
        "o1 at stage 0 by 1, minute 0",
        "o1 at stage 1 by 2, minute 1",
        "o1 again, minute 3",
        "o1 at stage 2 by 3, minute 11",
        "o1 Closed, minute 12",
    ];
    assert_eq!(scene.told(), expected);
    assert!(scene.cases.get("o1").is_some(), "an event of it may still come");
    scene.pass(23);
    assert!(scene.cases.get("o1").is_some(), "nobody has written how it ended");
    scene.write();
    scene.pass(23);
    assert!(scene.cases.is_empty() && scene.told().is_empty());
}

#[test]
fn events_that_are_lost_or_out_of_order_hold_nothing_up() {
    let mut scene = Scene::new();
    // Nobody ever tells that it was placed; that it was accepted comes after it was ready.
    assert_eq!(scene.hear(&told("o1", 9, 3, &[2]), 9), Heard::Midway);
    assert_eq!(scene.hear(&told("o1", 2, 2, &[1]), 10), Heard::News);
    assert_eq!(scene.told(), ["o1 at stage 2 by 3, minute 9"]);
    let life = scene.cases.get("o1").expect("it is open");
    assert_eq!((life.stage(), life.reached_at(0), life.reached_at(1)), (Some(2), None, Some(Timestamp(2 * MINUTE))));
}

#[test]
fn each_stage_is_told_once() {
    let mut scene = Scene::new();
    for identity in [1, 1, 2] {
        scene.hear(&told("o1", 0, identity, &[0]), 0);
    }
    assert_eq!(scene.told(), ["o1 at stage 0 by 1, minute 0"]);
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    let mut scene = Scene::new();
    assert_eq!(scene.hear(&told("o1", 100, 1, &[0]), 99), Heard::Future);
    assert_eq!(scene.hear(&told("o1", 0, 1, &[0]), 11), Heard::Late);
    assert_eq!(scene.hear(&told("", 0, 1, &[0]), 0), Heard::NoKey);
    assert_eq!(scene.hear(&told(&"o".repeat(2000), 0, 1, &[0]), 0), Heard::NoKey);
    assert_eq!(scene.hear(&told("o1", 0, 1, &[]), 0), Heard::Nothing, "it opens no case");
    for key in ["a", "b", "c", "d"] {
        assert_eq!(scene.hear(&told(key, 0, 1, &[0]), 0), Heard::News);
    }
    assert_eq!(scene.hear(&told("e", 0, 1, &[0]), 0), Heard::OverCapacity);
    assert_eq!(scene.hear(&told("a", 1, 2, &[1]), 1), Heard::News);
    assert_eq!(scene.cases.len(), 4);
}

#[test]
fn what_comes_after_the_end_opens_nothing() {
    let mut scene = Scene::new();
    scene.hear(&told("o1", 0, 1, &[0]), 0);
    scene.hear(&told("o1", 8, 2, &[3]), 8);
    scene.told();
    assert_eq!(scene.hear(&told("o1", 5, 3, &[2]), 9), Heard::AfterEnd);
    assert_eq!(scene.hear(&told("o1", 8, 2, &[3]), 9), Heard::AfterEnd, "the same event");
    assert_eq!(scene.hear(&ended("o1", 9, 4, 1), 9), Heard::AfterEnd, "returned after it was delivered");
    assert_eq!(scene.hear(&ended("o1", 6, 5, 0), 9), Heard::Contradiction, "cancelled before it was delivered");
    assert!(scene.told().is_empty(), "an end is told once");
}

#[test]
fn a_case_that_never_ends_is_lost() {
    let mut scene = Scene::new();
    let mut cases = scene.cases.clone();
    scene.hear(&told("o1", 0, 1, &[0]), 0);
    for (key, written) in scene.cases.take_changes() {
        cases.restore(&key, written.as_deref()).expect("what was written");
    }
    scene.cases = cases;
    scene.told();
    scene.pass(359);
    assert_eq!(scene.told(), ["o1 again, minute 2"], "what nobody was there for is told once");
    scene.pass(361);
    assert_eq!(scene.told(), ["o1 Lost, minute 360"]);
    scene.write();
    scene.pass(371);
    assert!(scene.cases.is_empty());
    assert_eq!(scene.cases.next_timer(), None);
}

#[test]
fn what_was_written_is_read_and_nothing_else_is() {
    let mut scene = Scene::new();
    let carried = [Carried::Text("s1".into()), Carried::Value(Value::Float(-0.0)), Carried::Value(Value::Integer(i64::MIN))];
    for (place, carried) in carried.into_iter().enumerate() {
        let attributes = vec![(0, carried)];
        scene.hear(&Told { attributes, ..told("o1", place as i64, u128::MAX, &[0, 2]) }, place as i64);
        scene.cases.promise("o1", Timestamp(place as i64 * MINUTE));
        let bytes = scene.cases.lives["o1"].encode();
        assert_eq!(Life::decode(&rules().case, &bytes).as_ref(), Ok(&scene.cases.lives["o1"]));
        for length in 0..bytes.len() {
            assert!(Life::decode(&rules().case, &bytes[..length]).is_err());
        }
        let other = Case { stages: rules().case.stages[..3].to_vec(), ..rules().case.clone() };
        assert!(Life::decode(&other, &bytes).is_err(), "the pipeline has changed");
    }
}

/// Anything that three orders may do within ten minutes, in any order, some of it twice.
fn events() -> impl Strategy<Value = Vec<Told>> {
    let event = (0..3u8, 0..10i64, 0..12usize, 0..6u128);
    let event = event.prop_map(|(key, minute, what, identity)| {
        let base = told(&format!("o{key}"), minute, identity, &[]);
        let told = match what {
            0..10 => Told { stages: vec![[0, 0, 0, 1, 1, 1, 2, 2, 2, 3][what]], ..base },
            end => Told { ends: vec![end - 10], ..base },
        };
        Told { attributes: vec![(0, carried(minute * MINUTE, identity))], ..told }
    });
    prop::collection::vec(event, 0..24)
}

/// An event that is the same says the same.
fn carried(at: i64, identity: u128) -> Carried {
    Carried::Text(format!("s{at}-{identity}").into())
}

/// Stage, end and store by what the events say of a case, looking at all of them.
fn naive(events: &[Told], key: &str) -> Option<(Option<usize>, Option<Ending>, Option<Carried>)> {
    let of: Vec<&Told> = events.iter().filter(|told| told.key == key).collect();
    let stage = of.iter().flat_map(|told| told.stages.iter().copied()).max();
    let ends = of.iter().flat_map(|told| {
        let closed = told.stages.contains(&3).then_some(Ending::Closed);
        let all = closed.into_iter().chain(told.ends.iter().map(|end| Ending::Ended(*end)));
        all.map(|ending| (told.time, told.identity, ending))
    });
    let closes_first = |ending: &Ending| *ending != Ending::Closed;
    let ending = ends.min_by_key(|(time, identity, ending)| (*time, *identity, closes_first(ending), place(*ending)));
    let store = of.iter().map(|told| (told.time.0, told.identity)).max().map(|(at, identity)| carried(at, identity));
    (!of.is_empty()).then_some((stage, ending.map(|(_, _, ending)| ending), store))
}

fn place(ending: Ending) -> usize {
    if let Ending::Ended(place) = ending { place } else { 0 }
}

proptest! {
    #[test]
    fn the_order_of_events_does_not_matter(events in events(), seed in any::<u64>()) {
        let mut shuffled = events.clone();
        shuffled.extend(events.iter().take(5).cloned());
        // A shuffle by a hash of the place is one like any other.
        let mut places: Vec<usize> = (0..shuffled.len()).collect();
        places.sort_by_key(|place| (*place as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
        let mut scene = Scene::new();
        for place in places {
            scene.hear(&shuffled[place], 10);
        }
        for key in ["o0", "o1", "o2"] {
            let life = scene.cases.get(key);
            let found = life.map(|life| (life.stage(), life.told_ending(), life.attribute(0).cloned()));
            prop_assert_eq!(found, naive(&events, key));
            let Some(life) = life else { continue };
            for stage in 0..4 {
                let of = events.iter().filter(|told| told.key == key && told.stages.contains(&stage));
                prop_assert_eq!(life.reached_at(stage), of.map(|told| told.time).min());
            }
            prop_assert_eq!(life.ending().is_some(), life.told_ending().is_some());
        }
    }

    #[test]
    fn everything_is_told_once_whatever_crashes(events in events(), crashes in prop::collection::btree_set(0..24usize, 0..4)) {
        let mut scene = Scene::new();
        let mut written = Cases::new(rules());
        let mut begun = BTreeSet::new();
        for (place, event) in events.iter().enumerate() {
            if matches!(scene.hear(event, 10 + place as i64 / 4), Heard::News | Heard::Midway) {
                begun.insert(event.key.clone());
            }
            scene.pass(10 + place as i64 / 4);
            for (key, bytes) in scene.cases.take_changes() {
                written.restore(&key, bytes.as_deref()).expect("what was written");
            }
            prop_assert_eq!(&written.lives, &scene.cases.lives);
            prop_assert_eq!(&written.timers, &scene.cases.timers);
            if crashes.contains(&place) {
                scene.cases = written.clone();
            }
        }
        scene.pass(1000);
        scene.write();
        scene.pass(1000);
        prop_assert!(scene.cases.is_empty());
        let mut told = BTreeSet::new();
        let (mut ends, mut stages): (BTreeSet<String>, BTreeMap<String, usize>) = Default::default();
        for due in &scene.due {
            match due {
                Due::Prediction { key, trigger, .. } => {
                    prop_assert!(!ends.contains(key), "nothing is predicted of what is over");
                    prop_assert!(told.insert((key.clone(), *trigger)), "{key} {trigger:?} twice");
                    if let Trigger::Reached { stage, .. } = trigger {
                        prop_assert!(stages.insert(key.clone(), *stage).is_none_or(|before| before < *stage));
                    }
                }
                Due::End { key, .. } => prop_assert!(ends.insert(key.clone()), "{key} ended twice"),
            }
        }
        prop_assert_eq!(ends, begun, "whatever has begun ends");
    }
}
