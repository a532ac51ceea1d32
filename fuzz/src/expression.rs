//! Expressions over every type of field: those that the resolver takes are evaluated by engine and oracle alike.

use std::sync::Arc;

use domain::{Span, Timestamp};

use crate::{agreement, choices::Choices, fixture::CLOCK};

/// Deeper trees add nothing but time.
const DEPTH_MAX: usize = 6;
/// Inputs that begin with this byte are texts of expressions, all others are recipes for some.
const TEXT: u8 = b'=';

const NUMBERS: [&str; 12] = ["a", "b", "c", "0", "1", "-2.5", "1e300", "0.1", "281474976710656", "NULL", "a", "b"];
const TEXTS: [&str; 8] = ["t", "m", "'on'", "'off'", "''", "'ß'", "NULL", "t"];
const TRUTHS: [&str; 5] = ["f", "TRUE", "FALSE", "NULL", "f"];
const TIMES: [&str; 3] = ["at", "u", "NULL"];

/// Checks one input.
pub fn check(bytes: &[u8]) {
    let (numeric, expression) = match bytes {
        [TEXT, kind, text @ ..] => match std::str::from_utf8(text) {
            Ok(text) => (kind % 2 == 0, text.to_owned()),
            Err(_) => return,
        },
        recipe => {
            let mut choices = Choices::new(recipe);
            let numeric = choices.one_in(2);
            (numeric, if numeric { number(&mut choices, DEPTH_MAX) } else { truth(&mut choices, DEPTH_MAX) })
        }
    };
    check_expression(&expression, numeric);
}

fn check_expression(expression: &str, numeric: bool) {
    let feature = match numeric {
        true => "max = EXPRESSION, step = '0.001', windows = ['1h']",
        false => "count = EXPRESSION, windows = ['1h']",
    };
    let quoted: String = expression.chars().map(in_quotes).collect();
    let feature = feature.replace("EXPRESSION", &format!("\"{quoted}\""));
    let spec = include_str!("expression.toml").replace("found = {}", &format!("found = {{ {feature} }}"));
    // Nonsense is refused, and most texts are nonsense.
    let pipeline = match pipeline::parse("fuzz", &spec) {
        Ok(pipeline) => pipeline,
        Err(faults) => {
            let elsewhere = faults.all().iter().find(|fault| !fault.path.starts_with("group.each.features.found"));
            return assert_eq!(elsewhere, None, "the fault is not in the expression: {expression}");
        }
    };
    let payloads = payloads();
    let payloads: Vec<&[u8]> = payloads.iter().map(|payload| payload.as_bytes()).collect();
    agreement::check(&Arc::new(pipeline), &payloads, CLOCK, &[CLOCK.plus(Span(60_000))]);
}

/// A character as it stands in a quoted text of TOML.
fn in_quotes(character: char) -> String {
    match character {
        '"' | '\\' => format!("\\{character}"),
        character if character.is_control() => format!("\\u{:04x}", u32::from(character)),
        character => character.to_string(),
    }
}

/// Events of a key each: ordinary, extreme and null values.
fn payloads() -> Vec<String> {
    let rows = [
        ("1", "2", "0.5", "\"on\"", "\"on\"", "true", 0),
        ("-1", "0", "-0.5", "\"off\"", "\"off\"", "false", -999),
        ("0", "-7", "1000000", "\"ß\"", "null", "null", 1),
        ("281474976710656", "-281474976710656", "0.001", "\"\"", "\"On\"", "true", -3_600_000),
        ("null", "null", "null", "null", "null", "null", 0),
        ("null", "3", "2.5", "\"ONoff\"", "\"off\"", "false", 500),
        ("2", "null", "-2.5", "null", "\"on\"", "null", -1),
    ];
    let payload = |(place, (a, b, c, t, m, f, u)): (usize, &(_, _, _, _, _, _, i64))| {
        let at = Timestamp(CLOCK.0 + 10 * place as i64);
        let u = if *a == "null" { "null".to_owned() } else { (at.0 + u).to_string() };
        let head = format!(r#"{{"source":"s","id":"{place}","k":"k{place}","at":{at},"#, at = at.0);
        head + &format!(r#""a":{a},"b":{b},"c":{c},"t":{t},"m":{m},"f":{f},"u":{u}}}"#)
    };
    rows.iter().enumerate().map(payload).collect()
}

fn number(choices: &mut Choices<'_>, depth: usize) -> String {
    if depth == 0 || choices.is_over() {
        return (*choices.pick(&NUMBERS)).to_owned();
    }
    let deeper = depth - 1;
    match choices.below(9) {
        0 => (*choices.pick(&NUMBERS)).to_owned(),
        1 => format!("-{}", number(choices, deeper)),
        2 | 3 => {
            let operator = choices.pick(&["+", "-", "*", "/"]);
            format!("({} {operator} {})", number(choices, deeper), number(choices, deeper))
        }
        4 => format!("({} - {})", choices.pick(&TIMES), choices.pick(&TIMES)),
        5 => format!("{}({})", choices.pick(&["abs", "floor", "ceil", "round", "sqrt"]), number(choices, deeper)),
        6 => {
            let function = choices.pick(&["least", "greatest", "coalesce", "nullif"]);
            format!("{function}({}, {})", number(choices, deeper), number(choices, deeper))
        }
        _ => cases(choices, deeper, number),
    }
}

fn text(choices: &mut Choices<'_>, depth: usize) -> String {
    if depth == 0 || choices.is_over() {
        return (*choices.pick(&TEXTS)).to_owned();
    }
    let deeper = depth - 1;
    match choices.below(5) {
        0 | 1 => (*choices.pick(&TEXTS)).to_owned(),
        2 => format!("{}({})", choices.pick(&["lower", "upper"]), text(choices, deeper)),
        3 => format!("{}({}, {})", choices.pick(&["coalesce", "nullif"]), text(choices, deeper), text(choices, deeper)),
        _ => cases(choices, deeper, text),
    }
}

fn truth(choices: &mut Choices<'_>, depth: usize) -> String {
    if depth == 0 || choices.is_over() {
        return (*choices.pick(&TRUTHS)).to_owned();
    }
    let deeper = depth - 1;
    let comparison = |choices: &mut Choices<'_>| *choices.pick(&["=", "<>", "<", "<=", ">", ">="]);
    match choices.below(11) {
        0 => (*choices.pick(&TRUTHS)).to_owned(),
        1 => format!("NOT ({})", truth(choices, deeper)),
        2 => format!("({} AND {})", truth(choices, deeper), truth(choices, deeper)),
        3 => format!("({} OR {})", truth(choices, deeper), truth(choices, deeper)),
        4 => format!("({} {} {})", number(choices, deeper), comparison(choices), number(choices, deeper)),
        5 => format!("({} {} {})", text(choices, deeper), comparison(choices), text(choices, deeper)),
        6 => format!("({} {} {})", choices.pick(&TIMES), comparison(choices), choices.pick(&TIMES)),
        7 => format!("{} IN (1, {}, -0.5)", number(choices, deeper), choices.pick(&["0", "2", "1e9"])),
        8 => format!("{} IS {}NULL", text(choices, deeper), choices.pick(&["", "NOT "])),
        9 => {
            let function = choices.pick(&["starts_with", "ends_with"]);
            format!("{function}({}, {})", text(choices, deeper), choices.pick(&["'o'", "''", "'on'", "'ß'"]))
        }
        _ => format!("{} BETWEEN {} AND {}", number(choices, deeper), number(choices, 0), number(choices, 0)),
    }
}

fn cases(choices: &mut Choices<'_>, depth: usize, value: fn(&mut Choices<'_>, usize) -> String) -> String {
    let branches = 1 + choices.below(2);
    let branches = (0..branches).map(|_| format!("WHEN {} THEN {}", truth(choices, depth), value(choices, depth)));
    let branches = branches.collect::<Vec<String>>().join(" ");
    let otherwise = if choices.one_in(2) { format!(" ELSE {}", value(choices, depth)) } else { String::new() };
    format!("CASE {branches}{otherwise} END")
}
