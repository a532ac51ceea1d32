use super::*;

/// Reads by both readers and shows what they found; they must agree.
fn check(text: &str, expected: &str) {
    let mut found = Vec::new();
    let result = members(text, |key, token| {
        found.push(format!("{key}={token:?}"));
        true
    });
    let mut by_library = Vec::new();
    let library = any(text, |key, token| {
        by_library.push(format!("{key}={token:?}"));
        true
    });
    assert_eq!(result, library, "{text}");
    let shown = if result.is_ok() { found.join(" ") } else { "malformed".to_owned() };
    if result.is_ok() {
        assert_eq!(found, by_library, "{text}");
    }
    assert_eq!(shown, expected, "{text}");
}

#[test]
fn plain_objects_are_read_in_one_pass() {
    check(r#"{"a":"x","b":-1.50,"c":true,"d":null}"#, r#"a=Text("x") b=Number("-1.50") c=Boolean(true) d=Null"#);
    check(" { } ", "");
    check(r#"{ "a" : 1 , "b" : false }"#, r#"a=Number("1") b=Boolean(false)"#);
}

#[test]
fn unusual_objects_are_read_by_the_library() {
    check(r#"{"a":1,"b":"x\n\u00e9","c":2}"#, r#"a=Number("1") b=Text("x\né") c=Number("2")"#);
    check(r#"{"a":{"b":[1,2]},"c":1e3}"#, r#"a=Nested c=Number("1e3")"#);
    check(r#"{"\u0061":1}"#, r#"a=Number("1")"#);
}

#[test]
fn what_is_not_json_is_malformed() {
    for text in ["", "{", "[]", "1", "null", r#"{"a"}"#, r#"{"a":}"#, r#"{"a":1,}"#, r#"{"a":1}x"#, r#"{"a":1}{}"#] {
        check(text, "malformed");
    }
    for text in [r#"{"a":NaN}"#, r#"{"a":01}"#, r#"{"a":1.}"#, r#"{"a":.5}"#, r#"{"a":+1}"#, r#"{"a":-}"#, r#"{"a":Infinity}"#] {
        check(text, "malformed");
    }
    for text in
        ["{\"a\":\"\u{1}\"}", r#"{"a":"\x"}"#, r#"{a:1}"#, r#"{'a':1}"#, r#"{"a":tru}"#, r#"{"a":nulll}"#, "{\"a\":1\u{a0}}"]
    {
        check(text, "malformed");
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |depth: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    check(&nested(63), "a=Nested");
    check(&nested(64), "malformed");
    check(&nested(100_000), "malformed");
}

#[test]
fn a_refused_member_makes_it_malformed_in_both_readers() {
    for text in [r#"{"a":1,"a":2}"#, r#"{"a":1,"b":[],"a":2}"#] {
        let mut seen = std::collections::BTreeSet::new();
        assert_eq!(members(text, |key, _| seen.insert(key.to_owned())), Err(Malformed), "{text}");
    }
}

#[test]
fn a_string_ends_at_the_first_byte_that_is_not_plain() {
    let plain: Vec<u8> = (0u8..=255).filter(|byte| *byte >= 0x20 && !matches!(byte, b'"' | b'\\')).collect();
    assert_eq!(string_end(&plain), plain.len());
    for place in 0..40 {
        for end in (0..0x20).chain([b'"', b'\\']) {
            let mut bytes = plain[place..place + 60].to_vec();
            bytes[place] = end;
            bytes[place + 5] = b'"';
            assert_eq!(string_end(&bytes), place, "byte {end} at {place}");
        }
    }
}
