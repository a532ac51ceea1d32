//! Texts as JSON has them, for the few objects that are written by hand.

/// A text in quotes.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            control if (control as u32) < 0x20 => quoted.push_str(&format!("\\u{:04x}", control as u32)),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_key_is_a_json_text() {
        for key in ["plain", "a\"b\\c", "line\nbreak\u{1}", "härte 🛴"] {
            assert_eq!(serde_json::from_str::<String>(&quoted(key)).expect("JSON"), key);
        }
    }
}
