//! Whatever is in a spec, reading it ends with a pipeline or with faults that point into the text.

use proptest::prelude::*;

const SPECS: [&str; 2] = [
    include_str!("../../../pipelines/delivery-eta/pipeline.toml"),
    include_str!("../../../pipelines/scooter-fleet/pipeline.toml"),
];

/// Pieces that mean something in a spec, so that mutations reach beyond the TOML parser.
const PIECES: [&str; 40] = [
    "\"",
    "'",
    "{",
    "}",
    "[",
    "]",
    "=",
    ",",
    "\n",
    ".",
    "#",
    "\\",
    "\"\"\"",
    "*",
    "(",
    ")",
    "-",
    "1",
    "0",
    "1e999",
    "9223372036854775808",
    "nan",
    "true",
    "\"0s\"",
    "\"1d\"",
    "[source.x]",
    "[group.x]",
    "[[test]]",
    "[transform]",
    "features",
    "NULL",
    " NOT ",
    " BETWEEN ",
    "CASE ",
    " WHEN ",
    "''",
    "é",
    "\u{0}",
    "\u{1F6F4}",
    "\r\n",
];

/// Reads a spec and holds what is said about it against the text.
fn check(text: &str) -> Result<(), TestCaseError> {
    let faults = match pipeline::parse("fuzzed", text) {
        Ok(pipeline) => {
            let bound = pipeline.memory_max;
            prop_assert!(
                pipeline::memory(&pipeline).total() <= bound && pipeline.row_columns().len() >= pipeline.transforms.len()
            );
            return Ok(());
        }
        Err(faults) => faults,
    };
    prop_assert!(!faults.all().is_empty());
    let lines = text.split('\n').count();
    for fault in faults.all() {
        prop_assert!(fault.line >= 1 && fault.line <= lines, "{fault:?}");
        prop_assert!(fault.column >= 1 && fault.width >= 1, "{fault:?}");
        prop_assert!(!fault.code.is_empty() && !fault.message.is_empty(), "{fault:?}");
    }
    prop_assert!(faults.to_string().contains("error["));
    Ok(())
}

fn mutated() -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), 0usize..40, prop::sample::select(PIECES.to_vec()));
    (prop::sample::select(SPECS.to_vec()), prop::collection::vec(change, 1..6)).prop_map(|(spec, changes)| {
        let mut text: Vec<char> = spec.chars().collect();
        for (place, removed, piece) in changes {
            let start = place.index(text.len());
            let end = (start + removed).min(text.len());
            text.splice(start..end, piece.chars());
        }
        text.into_iter().collect()
    })
}

/// A sound spec with one expression exchanged for a soup of words.
fn with_expression() -> impl Strategy<Value = String> {
    let words =
        ["a", "b", "1", "'x'", "(", ")", "+", "-", "*", "/", "=", "<", ",", "AND", "OR", "NOT", "IN", "BETWEEN", "IS", "NULL"];
    let more = ["CASE", "WHEN", "THEN", "ELSE", "END", "TRUE", "coalesce(", "abs(", "least(", "starts_with(", "\\\"a\\\"", "t"];
    let word = prop::sample::select([words.as_slice(), more.as_slice()].concat());
    prop::collection::vec(word, 0..30).prop_map(|words| {
        let expression = words.join(" ");
        format!(
            "[source.s]\ntopic='s'\nkey='t'\ntime='at'\nskew='0s'\nlateness='0s'\nfields={{a='integer',b='boolean'}}\n\
             [group.g]\nentity='e'\nkey='t'\nsource='s'\nhop='1m'\n\
             [group.g.features]\nf={{count=\"{expression}\",windows=['1m']}}\n"
        )
    })
}

#[test]
fn deep_nesting_is_a_fault() {
    let arrays = format!("a = {}{}", "[".repeat(50_000), "]".repeat(50_000));
    let tables = format!("{}1{}", "a = {".repeat(50_000), "}".repeat(50_000));
    let headers = format!("[{}]\nb = 1", vec!["a"; 50_000].join("."));
    let keys = format!("{} = 1", vec!["a"; 50_000].join("."));
    for text in [arrays, tables, headers, keys] {
        assert!(pipeline::parse("deep", &text).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_text(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn mutated_specs(text in mutated()) {
        check(&text)?;
    }

    #[test]
    fn soups_of_words(text in with_expression()) {
        check(&text)?;
    }
}
