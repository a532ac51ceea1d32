//! Lessons in, numbers out.

use domain::{Span, Timestamp};
use pipeline::{CalibrationRules, Case, CorrectorRules, Fallback};

use super::{Lesson, SLOTS_MAX, Slot, Tuner, Tuning};
use crate::{Quantiles, StateFault};

const SAID: [f64; 4] = [600.0, 900.0, 1200.0, 1500.0];

/// Both are declared, with a half-life of two hours.
fn case() -> Case {
    Case { corrector: Some(CorrectorRules::default()), calibration: Some(CalibrationRules::default()), ..Case::default() }
}

fn slot(speaker: &str, stage: usize) -> Slot {
    Slot { speaker: speaker.into(), stage }
}

fn minute(minute: i64) -> Timestamp {
    Timestamp(1_795_348_800_000 + minute * 60_000)
}

/// A case each minute, all of them so many seconds later than the median that was said.
fn taught(tuner: &mut Tuner, slot: &Slot, cases: i64, late: i64) {
    for number in 0..cases {
        let (case, area, at) = (format!("o{number}"), "a".to_owned(), minute(number));
        let closed_at = at.plus(Span(900_000 + late * 1000));
        let opened = Lesson::Opened { case: case.clone(), slot: slot.clone(), area: area.clone(), median: SAID[1], at };
        tuner.hear(&opened);
        tuner.hear(&Lesson::Closed { case, slot: slot.clone(), area, said: SAID, seconds: 0.0, at, closed_at });
    }
}

fn applied(tuning: &Tuning, slot: &Slot, at: Timestamp) -> (f64, f64, bool, bool) {
    let applied = tuning.applied(&case(), Some(slot), "a", &Quantiles::rearranged(SAID).unwrap(), at);
    (applied.seconds, applied.left.seconds()[1], applied.corrector.is_some(), applied.calibration.is_some())
}

#[test]
fn what_is_taught_in_one_slot_is_applied_there_and_nowhere_else() {
    let mut tuner = Tuner::new(&case());
    taught(&mut tuner, &slot("fallback area", 0), 200, 300);
    let tuning = tuner.tuning(minute(220));
    let (seconds, median, corrected, calibrated) = applied(&tuning, &slot("fallback area", 0), minute(221));
    assert!((250.0..=300.0).contains(&seconds), "{seconds}");
    assert!(corrected && calibrated && median > 1150.0, "{median}");
    for other in [slot("fallback area", 1), slot("model 1", 0)] {
        assert_eq!(applied(&tuning, &other, minute(221)), (0.0, 900.0, false, false));
    }
}

#[test]
fn adjustments_of_the_past_are_not_applied() {
    let mut tuner = Tuner::new(&case());
    taught(&mut tuner, &slot("m", 0), 200, 300);
    let tuning = tuner.tuning(minute(220));
    let (seconds, _, corrected, calibrated) = applied(&tuning, &slot("m", 0), minute(220 + 121));
    assert_eq!((seconds, corrected, calibrated), (0.0, false, true));
}

#[test]
fn open_cases_count_and_those_that_are_gone_do_not() {
    let mut tuner = Tuner::new(&case());
    taught(&mut tuner, &slot("m", 0), 100, 0);
    let open = |number: i64| format!("late{number}");
    for number in 0..50 {
        let lesson =
            Lesson::Opened { case: open(number), slot: slot("m", 0), area: "a".into(), median: SAID[1], at: minute(100) };
        tuner.hear(&lesson);
    }
    let with_open = applied(&tuner.tuning(minute(160)), &slot("m", 0), minute(160)).0;
    assert!(with_open > 100.0 && tuner.open() == 50, "{with_open}");
    (0..50).for_each(|number| tuner.hear(&Lesson::Gone { case: open(number), slot: slot("m", 0) }));
    assert_eq!((applied(&tuner.tuning(minute(160)), &slot("m", 0), minute(160)).0, tuner.open()), (0.0, 0));
}

#[test]
fn bytes_are_read_as_they_were_written_and_damage_is_seen() {
    let mut tuner = Tuner::new(&case());
    taught(&mut tuner, &slot("fallback area", 0), 30, 200);
    taught(&mut tuner, &slot("model 7", 2), 20, -100);
    let (bytes, id) = tuner.encode();
    let mut again = Tuner::decode(&case(), &bytes).unwrap();
    assert_eq!((&again, again.encode().1), (&tuner, id));
    let tuning = tuner.tuning(minute(60));
    assert_eq!(again.tuning(minute(60)), tuning);
    let told = tuning.encode();
    assert_eq!(Tuning::decode(&case(), &told), Ok(tuning));
    for cut in 0..told.len() {
        assert!(Tuning::decode(&case(), &told[..cut]).is_err());
    }
    assert!(matches!(Tuner::decode(&case(), &told), Err(StateFault::Foreign(_))));
    let lessons = [
        Lesson::Gone { case: "o\"1".into(), slot: slot("m", 1) },
        Lesson::Opened { case: "o2".into(), slot: slot("", 0), area: String::new(), median: 7.5, at: minute(1) },
        Lesson::Closed {
            case: "o3".into(),
            slot: slot("m", 0),
            area: "a".into(),
            said: SAID,
            seconds: -3.5,
            at: minute(1),
            closed_at: minute(2),
        },
    ];
    assert_eq!(Lesson::decode(&Lesson::encode(&lessons)).as_deref(), Ok(&lessons[..]));
    let mut damaged = Lesson::encode(&lessons);
    damaged[20] ^= 1;
    assert!(Lesson::decode(&damaged).is_err());
}

#[test]
fn the_slot_that_was_not_taught_for_longest_gives_way() {
    let mut tuner = Tuner::new(&case());
    (0..=SLOTS_MAX).for_each(|number| taught(&mut tuner, &slot(&format!("model {number}"), 0), 1, 60));
    let tuning = tuner.tuning(minute(30));
    assert_eq!(tuning.len(), SLOTS_MAX);
    assert!(!applied(&tuning, &slot("model 0", 0), minute(30)).3);
    assert!(applied(&tuning, &slot("model 1", 0), minute(30)).3);
}

#[test]
fn a_slot_is_who_spoke() {
    let fallback = |name: &str| Fallback { name: name.into(), seconds: pipeline::Expr::Field(0), spread: [1.0; 4] };
    let case = Case { fallbacks: vec![fallback("store")], ..Case::default() };
    let of = |digest, degraded| Slot::new(&case, digest, degraded, Some(1)).map(|slot| slot.speaker);
    assert_eq!(of(Some("d"), None).as_deref(), Some("model d"));
    assert_eq!(of(Some("d"), Some("silent")).as_deref(), Some("model d"), "it spoke of what it knew");
    assert_eq!(of(Some("d"), Some("store")).as_deref(), Some("fallback store"));
    assert_eq!(of(None, Some("store")).as_deref(), Some("fallback store"));
    assert_eq!(of(None, None), None);
}

#[test]
fn only_what_is_declared_is_learned_and_applied() {
    let slot = slot("m", 0);
    let said = Quantiles::rearranged(SAID).unwrap();
    let corrects = Case { calibration: None, ..case() };
    let calibrates = Case { corrector: None, ..case() };
    for (learned, is_corrected, is_calibrated) in [(&corrects, true, false), (&calibrates, false, true)] {
        let mut tuner = Tuner::new(learned);
        taught(&mut tuner, &slot, 200, 300);
        let told = tuner.tuning(minute(220)).encode();
        let of = |case: &Case| {
            let tuning = Tuning::decode(case, &told).unwrap();
            let applied = tuning.applied(case, Some(&slot), "a", &said, minute(221));
            (applied.corrector.is_some(), applied.calibration.is_some(), applied.left != said)
        };
        assert_eq!(of(learned), (is_corrected, is_calibrated, true));
        assert_eq!(of(&case()), (is_corrected, is_calibrated, true), "whoever declares more has no more than was learned");
        assert_eq!(of(&Case::default()), (false, false, false), "who declares nothing applies nothing");
        let mut again = Tuner::decode(learned, &tuner.encode().0).unwrap();
        assert_eq!(again.tuning(minute(220)).encode(), told);
        // What is declared since begins with the next outcome.
        let mut more = Tuner::decode(&case(), &tuner.encode().0).unwrap();
        let applied = more.tuning(minute(220)).applied(&case(), Some(&slot), "a", &said, minute(221));
        assert_eq!((applied.corrector.is_some(), applied.calibration.is_some()), (true, true));
        assert_eq!(applied.seconds > 200.0, is_corrected, "{applied:?}");
    }
}
