//! How a member is expected to begin: producers write the same members in the same order, with the same bytes around them.
//!
//! A lead that fits stands for a separator, a name and a colon that were read before; one that does not fit says nothing.

use super::plain::string_end;

/// Leads up to this length are compared as one number.
const SHORT: usize = size_of::<u128>();

/// The separator before a member's name, the name in quotes, and the colon.
#[derive(Debug)]
pub(crate) struct Lead {
    text: Box<[u8]>,
    /// The text as a number and which of its bits count, when it is short.
    short: Option<(u128, u128)>,
}

impl Lead {
    /// The lead of the member at a place; none when the name cannot stand in quotes as it is.
    pub(crate) fn new(place: usize, name: &str) -> Option<Self> {
        if string_end(name.as_bytes()) < name.len() {
            return None;
        }
        let text = format!("{}\"{name}\":", if place == 0 { '{' } else { ',' }).into_bytes().into_boxed_slice();
        let short = (text.len() <= SHORT).then(|| {
            let mut bytes = [0; SHORT];
            bytes[..text.len()].copy_from_slice(&text);
            (u128::from_le_bytes(bytes), u128::MAX >> (8 * (SHORT - text.len())))
        });
        Some(Self { text, short })
    }

    /// Its length, when the bytes begin with it.
    #[inline]
    pub(super) fn length_in(&self, bytes: &[u8]) -> Option<usize> {
        let begins = match (self.short, bytes.first_chunk::<SHORT>()) {
            (Some((text, mask)), Some(first)) => u128::from_le_bytes(*first) & mask == text,
            _ => bytes.starts_with(&self.text),
        };
        begins.then_some(self.text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(place: usize, name: &str, bytes: &str, expected: Option<usize>) {
        let lead = Lead::new(place, name).expect("a plain name");
        assert_eq!(lead.length_in(bytes.as_bytes()), expected, "{name} at {place} of {bytes}");
    }

    #[test]
    fn a_lead_fits_its_own_bytes_only() {
        check(0, "id", r#"{"id":1}"#, Some(6));
        check(0, "id", r#"{"id":"a text of some length"}"#, Some(6));
        check(1, "id", r#"{"id":"a text of some length"}"#, None);
        check(1, "id", r#","id" :"a text of some length"}"#, None);
        check(1, "id", r#","ib":"a text of some length"}"#, None);
        check(1, "twelve_chars", r#","twelve_chars":1"#, Some(16));
        check(1, "thirteen_char", r#","thirteen_char":1"#, Some(17));
        check(1, "thirteen_char", r#","thirteen_cha":1"#, None);
        check(1, "é", ",\"é\":\"a text of some length\"", Some(6));
    }

    #[test]
    fn a_name_that_needs_an_escape_has_no_lead() {
        for name in ["\"", "a\\", "a\nb"] {
            assert!(Lead::new(0, name).is_none(), "{name:?}");
        }
    }
}
