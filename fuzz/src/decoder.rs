//! Any bytes as a payload: the engine refuses it for the reason that the oracle finds as well, or makes the same values of it,
//! and either way it goes on. Other spellings of the same object come out the same.

use std::cell::RefCell;

use domain::Span;
use features::{Admission, Config, Engine, Reason, Record};
use testkit::{Decision, Oracle};

use crate::{
    agreement,
    fixture::{CLOCK, engine, every_field, sound},
    json, payload,
};

/// Inputs that begin with this byte are recipes of payloads, all others are payloads.
const RECIPE: u8 = 1;
/// Beyond the lateness and the widest window.
const LATER: Span = Span(6_500 * 86_400_000);
/// All fields in an order that is not the alphabetical one, and no time: refused, but read to the end. What was read before
/// guides the reader and must change nothing.
const ANOTHER: &[u8] =
    br#"{"source":"","seen_at":1,"rough":1,"precise":1,"note":"","mode":"","longitude":1,"level":1,"device":""}"#;

thread_local! {
    /// An engine that has refused all that it was given: building one takes longer than most refusals.
    static REFUSING: RefCell<Option<Engine>> = const { RefCell::new(None) };
}

/// Checks one input.
pub fn check(bytes: &[u8]) {
    match bytes {
        [RECIPE, recipe @ ..] => check_payload(&payload::compose(recipe)),
        payload => check_payload(payload),
    }
}

fn check_payload(payload: &[u8]) {
    let mut admission = Admission::new(&every_field());
    let mut decide = |payload| admission.decide(&record(0, payload)).err().map(Reason::code);
    assert_eq!(decide(ANOTHER), Some("missing_field"));
    let reason = decide(payload);
    assert_eq!(reason, refusal_of_oracle(payload), "reasons of the engine and of the oracle: {}", payload.escape_ascii());
    let members = std::str::from_utf8(payload).ok().and_then(json::members);
    let spellings = members.as_ref().map(json::spellings);
    // The same object again is refused as before, or as a duplicate of what was accepted.
    for spelling in spellings.iter().flatten() {
        let again = decide(spelling.as_bytes());
        assert_eq!(again, reason.or(Some("duplicate")), "{} is said to differ from {spelling}", payload.escape_ascii());
    }
    let Some(reason) = reason else {
        let spelling = spellings.iter().flatten().nth(payload.len() % 3);
        let spelling = spelling.unwrap_or_else(|| panic!("accepted and no JSON object: {}", payload.escape_ascii()));
        return check_values(payload, spelling.as_bytes());
    };
    if spellings.is_none() {
        assert!(matches!(reason, "malformed" | "not_utf8" | "too_large"), "no object: {}", payload.escape_ascii());
    }
    check_refused(payload, reason);
}

/// The engine makes of an accepted payload, or of another spelling of it, what the oracle makes of it.
fn check_values(payload: &[u8], spelling: &[u8]) {
    let mut two = [payload, spelling];
    two.rotate_left(payload.len() / 3 % 2);
    let after = sound("after", "d", "slow", CLOCK);
    let ended = sound("ended", "d", "off", CLOCK.plus(Span(500)));
    let instants = [CLOCK.plus(Span(4000)), CLOCK.plus(LATER)];
    agreement::check(&every_field(), &[two[0], after.as_bytes(), two[1], ended.as_bytes()], CLOCK, &instants);
}

/// The engine keeps nothing of a refused payload.
fn check_refused(payload: &[u8], reason: &str) {
    let mut engine = REFUSING.take().unwrap_or_else(|| engine(&every_field(), Config::default()));
    let out = engine.ingest(&[record(0, ANOTHER), record(1, payload)], CLOCK.plus(Span(1)));
    let refused: Vec<(u64, &str)> = out.refused.iter().map(|refused| (refused.offset, refused.reason.code())).collect();
    assert_eq!(refused, [(0, "missing_field"), (1, reason)]);
    let load = engine.load();
    assert_eq!((load.entities, load.derived_keys, load.held, out.vectors.len()), (0, 0, 0, 0), "refused and yet kept");
    REFUSING.set(Some(engine));
}

fn record(offset: u64, payload: &[u8]) -> Record<'_> {
    Record { source: 0, offset, append_at: CLOCK, payload }
}

fn refusal_of_oracle(payload: &[u8]) -> Option<&'static str> {
    let record = testkit::Record { source: 0, append_at: CLOCK, payload: payload.to_vec() };
    match Oracle::new(&every_field()).decide(&[vec![record]])[0][0] {
        Decision::Accepted => None,
        Decision::Refused(reason) => Some(reason),
    }
}
