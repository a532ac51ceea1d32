//! Predictions and cases in, effects out.

use features::Told;
use pipeline::{Case, CorrectorRules, Fallback, Move};

use super::*;
use crate::scorer::Cases;

const MINUTE: i64 = 60_000;

fn case() -> Case {
    let told = |name: &str| Move { name: name.into(), source: 0, filter: None, key: 0 };
    Case {
        entity: "order".into(),
        longest: Span(120 * MINUTE),
        stages: ["placed", "ready", "delivered"].map(told).into(),
        ends: vec![told("cancelled")],
        label: (600.0, 3600.0),
        fallbacks: vec![Fallback { name: "anywhere".into(), seconds: pipeline::Expr::Number(900.0), spread: [1.0; 4] }],
        corrector: Some(CorrectorRules::default()),
        ..Case::default()
    }
}

/// A partition with the scorer's cases beside it.
struct Scene {
    cases: Cases,
    join: Join,
}

impl Scene {
    fn new() -> Self {
        Self::of(case())
    }

    fn of(case: Case) -> Self {
        let rules = Arc::new(Rules::of_stream(case, Span(MINUTE), Span(10 * MINUTE)));
        Self { cases: Cases::new(rules.clone()), join: Join::bounded(rules, 4) }
    }

    /// A stage, or the end after the last one, told when it happens or later; what changes is written.
    fn tell(&mut self, key: &str, what: usize, minute: i64, heard: i64) -> Vec<String> {
        let (stages, ends) = if what < 3 { (vec![what], Vec::new()) } else { (Vec::new(), vec![what - 3]) };
        let identity = (minute * 10) as u128 + what as u128;
        let told = Told { key: key.into(), time: Timestamp(minute * MINUTE), identity, stages, ends, attributes: Vec::new() };
        self.cases.hear(0, &told, Timestamp(heard * MINUTE), &mut Vec::new());
        self.write()
    }

    fn pass(&mut self, minute: i64) -> Vec<String> {
        self.cases.pass(Timestamp(minute * MINUTE), &mut Vec::new());
        self.write()
    }

    fn write(&mut self) -> Vec<String> {
        let mut effects = Vec::new();
        for (key, written) in self.cases.take_changes() {
            self.join.changed(&key, written.as_deref(), &mut effects).expect("a case");
        }
        words(&effects)
    }

    fn predict(&mut self, key: &str, stage: usize, minute: i64) -> Vec<String> {
        let at = Timestamp(minute * MINUTE);
        let left = [600.0, 900.0, 1200.0, 1500.0];
        let said = Said {
            id: format!("{key}@{minute}"),
            key: key.into(),
            trigger: "time".into(),
            stage: Some(stage),
            at,
            left,
            said: left,
            promise_at: at.plus(Span(20 * MINUTE)),
            digest: None,
            degraded: Some("anywhere".into()),
            area: None,
            corrector: None,
            corrector_seconds: 0.0,
            calibration: None,
        };
        let mut effects = Vec::new();
        self.join.predicted(said, &mut effects);
        words(&effects)
    }
}

fn words(effects: &[Effect]) -> Vec<String> {
    let one = |effect: &Effect| match effect {
        Effect::Outcome(outcome) => {
            format!("{} {} {:?}", outcome.said.id, outcome.label.name(), outcome.seconds().map(|seconds| seconds / 60.0))
        }
        Effect::Contradiction { key, ended, told } => format!("{key} {:?}, now {told:?}", ended.0),
        Effect::Cohort(cohort) => format!("hour {} {:?}", cohort.begins_at.0 / 60 / MINUTE, cohort.total()),
        Effect::Lesson(Lesson::Opened { case, slot, .. }) => format!("{case} opens at {}", slot.stage),
        Effect::Lesson(Lesson::Closed { case, slot, .. }) => format!("{case} teaches at {}", slot.stage),
        Effect::Lesson(Lesson::Gone { case, slot }) => format!("{case} gone at {}", slot.stage),
    };
    effects.iter().map(one).collect()
}

#[test]
fn an_end_gives_each_prediction_its_outcome_and_the_first_of_a_stage_teaches() {
    let mut scene = Scene::new();
    assert!(scene.tell("o1", 0, 0, 0).is_empty());
    assert_eq!(scene.predict("o1", 0, 0), ["o1 opens at 0"]);
    assert!(scene.predict("o1", 0, 5).is_empty());
    scene.tell("o1", 1, 10, 10);
    assert_eq!(scene.predict("o1", 1, 10), ["o1 opens at 1"]);
    let expected =
        ["o1@0 taken Some(20.0)", "o1 teaches at 0", "o1@5 taken Some(15.0)", "o1@10 taken Some(10.0)", "o1 teaches at 1"];
    assert_eq!(scene.tell("o1", 2, 20, 22), expected);
    assert_eq!(scene.join.pending(), 0);
    assert_eq!(scene.predict("o1", 1, 22), ["o1@22 taken Some(-2.0)"], "nobody had heard of the end");
}

#[test]
fn nothing_is_taught_where_nobody_learns() {
    let mut scene = Scene::of(Case { corrector: None, ..case() });
    scene.tell("o1", 0, 0, 0);
    assert!(scene.predict("o1", 0, 0).is_empty());
    assert_eq!(scene.tell("o1", 2, 20, 22), ["o1@0 taken Some(20.0)"]);
}

#[test]
fn what_is_no_label_is_accounted_for() {
    let mut scene = Scene::new();
    for key in ["short", "cancelled", "lost"] {
        scene.tell(key, 0, 0, 0);
        scene.predict(key, 0, 0);
    }
    assert_eq!(scene.tell("short", 2, 9, 9), ["short@0 out_of_range None", "short gone at 0"]);
    assert_eq!(scene.tell("cancelled", 3, 30, 30), ["cancelled@0 censored None", "cancelled gone at 0"]);
    let lost = scene.pass(125);
    assert_eq!(lost[..2], ["lost@0 censored None", "lost gone at 0"], "{lost:?}");
}

#[test]
fn two_ends_are_a_contradiction_before_the_outcome_or_after_it() {
    let mut scene = Scene::new();
    scene.tell("o1", 0, 0, 0);
    scene.predict("o1", 0, 0);
    assert_eq!(scene.tell("o1", 2, 20, 20)[0], "o1@0 taken Some(20.0)");
    assert_eq!(scene.tell("o1", 3, 18, 21), ["o1 Closed, now Ended(0)"]);
    assert!(scene.write().is_empty());
    // Both came in one step of the scorer.
    scene.tell("o2", 0, 21, 21);
    scene.predict("o2", 0, 21);
    let delivered =
        Told { key: "o2".into(), time: Timestamp(40 * MINUTE), identity: 1, stages: vec![2], ends: vec![], attributes: vec![] };
    scene.cases.hear(0, &delivered, Timestamp(40 * MINUTE), &mut Vec::new());
    assert_eq!(scene.tell("o2", 3, 39, 40), ["o2@21 contradiction None", "o2 gone at 0"]);
}

#[test]
fn an_hour_is_closed_two_hours_after_it_with_what_is_open_still() {
    let mut scene = Scene::new();
    scene.tell("o1", 0, 0, 0);
    scene.predict("o1", 0, 0);
    scene.tell("o1", 2, 20, 20);
    scene.tell("o2", 0, 59, 59);
    scene.predict("o2", 0, 59);
    scene.tell("o3", 0, 170, 170);
    assert!(scene.predict("o3", 0, 179).iter().all(|words| !words.starts_with("hour")));
    let closed = scene.predict("o3", 0, 180);
    assert_eq!(closed, ["hour 0 Tally { predictions: 2, taken: 1, censored: 0, unusable: 0 }"]);
    let late = Said { at: Timestamp(30 * MINUTE), ..said_of(&scene) };
    assert!(!scene.join.predicted(late, &mut Vec::new()), "its hour is closed");
}

/// Any prediction that waits.
fn said_of(scene: &Scene) -> Said {
    scene.join.pending.values().flatten().map(|pending| pending.said.clone()).next().expect("one waits")
}

#[test]
fn who_waits_for_too_long_or_finds_no_room_has_an_outcome_as_well() {
    let mut scene = Scene::new();
    for number in 0..4 {
        assert_eq!(scene.predict(&format!("o{number}"), 0, 0), [format!("o{number} opens at 0")]);
    }
    assert_eq!(scene.predict("o5", 0, 1), ["o5@1 unfollowed None"]);
    // Nobody ever writes how they ended: the longest that a case is known is 131 minutes, and an hour more is waited.
    let before = scene.predict("o6", 0, 190);
    assert_eq!(before.last().map(String::as_str), Some("o6@190 unfollowed None"), "{before:?}");
    let after = scene.predict("o6", 0, 201);
    assert_eq!(after.iter().filter(|words| words.contains("@0 unfollowed")).count(), 4, "{after:?}");
    assert_eq!(scene.join.pending(), 1);
}

#[test]
fn what_is_no_case_changes_nothing() {
    let mut scene = Scene::new();
    scene.predict("o1", 0, 0);
    assert!(scene.join.changed("o1", Some(b"something else"), &mut Vec::new()).is_err());
    assert_eq!(scene.join.pending(), 1);
    let mut effects = Vec::new();
    scene.join.changed("o1", None, &mut effects).expect("forgotten");
    assert_eq!(words(&effects), ["o1@0 unfollowed None", "o1 gone at 0"]);
}
