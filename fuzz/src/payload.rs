//! Payloads that are nearly right: the declared members with plausible values, of which some are left out, repeated, exchanged
//! or spelled in an odd way.

use crate::choices::Choices;

/// Declared fields with values that are taken, the first one being the usual.
const DECLARED: [(&str, &[&str]); 16] = [
    ("source", &["\"fuzz\"", "\"other\"", "\"\""]),
    ("id", &["\"1\"", "\"2\"", "\"\"", "\"\\u0031\""]),
    ("device", &["\"d\"", "\"e\"", "\"\"", "\"\\ud83d\\ude00\""]),
    (
        "at",
        &[
            "2524608000000",
            "\"2050-01-01T00:00:00Z\"",
            "2524608000001",
            "\"2049-12-31T23:57:00.5+00:00\"",
            "2524615200000",
            "2000000000000",
            "\"2054-11-30T00:00:00Z\"",
            "\"1970-01-01T00:00:00Z\"",
            "\"2100-01-01T00:00:00Z\"",
        ],
    ),
    ("score", &["7", "-50", "50", "51", "0.0", "7e0"]),
    ("amount", &["12.34", "0", "-0.01", "1e3", "0.005", "100000", "100000.01", "1.20E-0", "12340000000000000000e-18"]),
    ("area", &["null", "\"871f8d7a9ffffff\"", "1"]),
    ("flag", &["true", "false", "null"]),
    ("latitude", &["48.1374304", "-95", "95", "90", "0.0000005"]),
    ("level", &["1000", "-1", "13", "281474976710656", "-281474976710656", "281474976710657", "500"]),
    ("longitude", &["11.5754815", "-180", "180", "185", "1e-7"]),
    ("mode", &["\"idle\"", "\"slow\"", "\"off\"", "\"fast\"", "\"gone\"", "\"sl\\u006fw\""]),
    ("note", &["\"n\"", "\"\"", "null", "\"\\ud800\"", "\"é\""]),
    ("precise", &["0.000000001", "-281474.976710656", "281474.976710657", "1e-9", "1e-10", "0e99999999999"]),
    ("rough", &["0.5", "0.0005", "-0.0015", "4999.9995", "5000.0004", "1e-400"]),
    ("seen_at", &["\"2049-12-31T23:59:59.9999Z\"", "946684800000", "\"2050-02-30T00:00:00Z\"", "\"2050-01-01t00:00:00z\""]),
];

/// Values that no field, or another one, takes.
const ODD: [&str; 18] = [
    "null",
    "true",
    "[]",
    "{}",
    "[[[1,\"]\"],{}]]",
    "\"\"",
    "\"\\\"",
    "-",
    "01",
    "1.",
    ".5",
    "NaN",
    "1e",
    "9e999999999999",
    "-0.0e-0",
    "\"\u{7f}\"",
    "\"\\udc00\"",
    "tru",
];

/// A payload made of these bytes.
pub(crate) fn compose(bytes: &[u8]) -> Vec<u8> {
    let mut choices = Choices::new(bytes);
    let mut members: Vec<Vec<u8>> = Vec::new();
    let first = choices.below(DECLARED.len());
    for place in 0..DECLARED.len() {
        let (name, values) = DECLARED[(first + place) % DECLARED.len()];
        if !choices.one_in(16) {
            let value = value(&mut choices, values);
            members.push(member(&mut choices, name, &value));
        }
    }
    for _ in 0..choices.below(4) {
        let (name, values) = *choices.pick(&DECLARED);
        let undeclared = std::str::from_utf8(choices.raw(8)).unwrap_or("other");
        let name = if choices.one_in(4) { name } else { undeclared };
        let value = value(&mut choices, values);
        let at = choices.below(members.len() + 1);
        members.insert(at, member(&mut choices, name, &value));
    }
    let mut payload = b"{".to_vec();
    payload.extend(members.join(&b','));
    payload.push(b'}');
    if choices.one_in(8) {
        payload.extend(choices.rest());
    }
    payload
}

fn value(choices: &mut Choices<'_>, values: &[&str]) -> Vec<u8> {
    match choices.below(12) {
        0..8 => values[0].into(),
        8 | 9 => choices.pick(values).as_bytes().to_vec(),
        10 => choices.pick(&ODD).as_bytes().to_vec(),
        _ => any_value(choices),
    }
}

fn any_value(choices: &mut Choices<'_>) -> Vec<u8> {
    match choices.below(5) {
        0 => {
            let digits = choices.raw(40).iter().map(|byte| b"0123456789.eE-+0909"[usize::from(*byte) % 19]);
            digits.collect()
        }
        1 => [b"\"", choices.raw(40), b"\""].concat(),
        2 => {
            let depth = choices.below(130);
            [&b"[".repeat(depth)[..], b"1", &b"]".repeat(depth)].concat()
        }
        3 => {
            let units = choices.raw(16).chunks(2).map(|pair| format!("\\u{:02x}{:02X}", pair[0], pair.last().unwrap_or(&0)));
            format!("\"{}\"", units.collect::<String>()).into_bytes()
        }
        _ => choices.raw(40).to_vec(),
    }
}

fn member(choices: &mut Choices<'_>, name: &str, value: &[u8]) -> Vec<u8> {
    let name = match choices.below(16) {
        14 => name.chars().map(|letter| format!("\\u{:04x}", u32::from(letter).min(0xFFFF))).collect(),
        15 => name.to_uppercase(),
        _ => name.to_owned(),
    };
    let space = if choices.one_in(8) { *choices.pick(&[" ", "\t", "\r\n", "\u{a0}", "\u{c}"]) } else { "" };
    [b"\"", name.as_bytes(), b"\"", space.as_bytes(), b":", space.as_bytes(), value, space.as_bytes()].concat()
}
