//! Any text as a spec: a pipeline that keeps its bounds and makes an engine, or faults that point into the text.

use std::ops::Range;

use features::{Config, Engine};

use crate::choices::Choices;

/// Inputs that begin with this byte are changes of a sound spec, all others are specs.
const RECIPE: u8 = 1;

const SPECS: [&str; 4] = [
    include_str!("expression.toml"),
    include_str!("every_field.toml"),
    include_str!("../../pipelines/delivery-eta/pipeline.toml"),
    include_str!("../../pipelines/scooter-fleet/pipeline.toml"),
];

/// Checks one input.
pub fn check(bytes: &[u8]) {
    match bytes {
        [RECIPE, recipe @ ..] => check_text(&String::from_utf8_lossy(&changed(recipe))),
        text => _ = std::str::from_utf8(text).map(check_text),
    }
}

/// A sound spec in which lines are exchanged for lines of any spec, and places for copies of others or bytes of the input.
fn changed(recipe: &[u8]) -> Vec<u8> {
    let mut choices = Choices::new(recipe);
    let mut text = choices.pick(&SPECS).as_bytes().to_vec();
    while !choices.is_over() && !text.is_empty() {
        let at = choices.below(text.len());
        let (range, new) = match choices.below(6) {
            0 => (at..at + choices.below(40), choices.raw(40).to_vec()),
            1 => {
                let from = choices.below(text.len());
                (at..at + choices.below(40), text[from..(from + choices.below(200)).min(text.len())].to_vec())
            }
            2 => (line(&text, at), Vec::new()),
            kind => {
                // Over a line, or before it.
                let other = choices.pick(&SPECS).as_bytes();
                let mut range = line(&text, at);
                range.end = if kind == 3 { range.start } else { range.end };
                (range, other[line(other, choices.below(other.len()))].to_vec())
            }
        };
        text.splice(range.start..range.end.min(text.len()), new);
    }
    text
}

/// The line around a place, with its end.
fn line(text: &[u8], at: usize) -> Range<usize> {
    let start = text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    start..text[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| at + end + 1)
}

fn check_text(text: &str) {
    let faults = match pipeline::parse("fuzz", text) {
        Ok(pipeline) => {
            assert!(pipeline::memory(&pipeline).total() <= pipeline.memory_max, "more memory than allowed");
            assert!(pipeline.row_columns().len() >= pipeline.transforms.len(), "a transform without a column");
            // An engine may ask for fewer conditions; it must not fall over.
            if let Err(error) = Engine::new(pipeline.into(), Config::default()) {
                assert!(matches!(error, features::Error::TooManyConditions { .. }), "a resolved pipeline and {error}");
            }
            return;
        }
        Err(faults) => faults,
    };
    assert!(!faults.all().is_empty(), "refused without a fault");
    let lines = text.split('\n').count();
    for fault in faults.all() {
        assert!((1..=lines).contains(&fault.line) && fault.column >= 1 && fault.width >= 1, "outside the text: {fault:?}");
        assert!(!fault.code.is_empty() && !fault.message.is_empty(), "says nothing: {fault:?}");
    }
    assert!(faults.to_string().contains("error["), "drawn without a head: {faults}");
}
