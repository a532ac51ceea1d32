use super::*;

/// Takes members of any name once, and expects those of the object before.
#[derive(Default)]
struct Noted {
    expected: Vec<(String, Option<Lead>)>,
    found: Vec<String>,
    names: Vec<String>,
}

impl<'a> Taker<'a> for Noted {
    fn lead(&self) -> Option<&Lead> {
        self.expected.get(self.names.len())?.1.as_ref()
    }

    fn take_expected(&mut self, token: Token<'a>) -> bool {
        let name = self.expected[self.names.len()].0.clone();
        self.take_named(&name, token)
    }

    fn take_named(&mut self, name: &str, token: Token<'a>) -> bool {
        self.found.push(format!("{name}={token:?}"));
        let is_new = !self.names.iter().any(|known| known == name);
        self.names.push(name.to_owned());
        is_new
    }
}

/// What is found when these members are expected.
fn read(text: &str, expected: &[&str]) -> (Result<(), Malformed>, Noted) {
    let leads = expected.iter().enumerate().map(|(place, name)| ((*name).to_owned(), Lead::new(place, name)));
    let mut noted = Noted { expected: leads.collect(), ..Noted::default() };
    let result = members(text, &mut noted);
    (result, noted)
}

/// Reads by both readers and shows what they found; they must agree, whatever is expected.
fn check(text: &str, expected: &str) {
    let (result, Noted { found, .. }) = read(text, &[]);
    for guess in [&["a", "b", "c", "d"][..], &["a", "a"], &["b", "a"], &["a", "a name that is long"], &["a\"", "\\u0061"]] {
        let (guessed, noted) = read(text, guess);
        assert_eq!(guessed, result, "{text} with {guess:?}");
        assert_eq!(noted.found, found, "{text} with {guess:?}");
    }
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
        assert_eq!(read(text, &[]).0, Err(Malformed), "{text}");
        assert_eq!(read(text, &["a", "a"]).0, Err(Malformed), "{text}");
    }
}
