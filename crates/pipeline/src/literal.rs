//! Where each byte of a TOML text stands in the file: escapes make the two differ.

/// For every byte of `decoded`, and its end, the place in `raw`, the text with its quotes as it was written. None when the
/// two do not belong together, which leaves a caller with the place of the whole text.
pub(crate) fn source_offsets(raw: &str, decoded: &str) -> Option<Vec<usize>> {
    let quote = raw.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    let fence = if raw.len() >= 6 && raw.bytes().take(3).all(|byte| byte == quote as u8) { 3 } else { 1 };
    let body_end = raw.len().checked_sub(fence)?;
    let mut at = fence;
    if fence == 3 {
        at += raw[at..].starts_with("\r\n").then_some(2).or(raw[at..].starts_with('\n').then_some(1)).unwrap_or(0);
    }
    let mut offsets = Vec::with_capacity(decoded.len() + 1);
    for character in decoded.chars() {
        if quote == '"' {
            at = skip_line_ending_backslash(raw, at);
        }
        offsets.extend(std::iter::repeat_n(at, character.len_utf8()));
        let rest = raw.get(at..body_end)?;
        at += match rest.strip_prefix('\\').filter(|_| quote == '"') {
            Some(escape) => 1 + escape_length(escape)?,
            None if rest.starts_with(character) => character.len_utf8(),
            None => return None,
        };
    }
    offsets.push(at);
    Some(offsets)
}

fn escape_length(escape: &str) -> Option<usize> {
    match escape.chars().next()? {
        'x' => Some(3),
        'u' => Some(5),
        'U' => Some(9),
        other => Some(other.len_utf8()),
    }
}

fn skip_line_ending_backslash(raw: &str, at: usize) -> usize {
    let Some(after) = raw.get(at..).and_then(|rest| rest.strip_prefix('\\')) else { return at };
    let blank = after.len() - after.trim_start_matches([' ', '\t', '\r', '\n']).len();
    if after[..blank].contains('\n') { at + 1 + blank } else { at }
}

#[cfg(test)]
mod tests {
    use super::source_offsets;

    #[test]
    fn follows_quotes_and_escapes() {
        assert_eq!(source_offsets("'ab'", "ab"), Some(vec![1, 2, 3]));
        assert_eq!(source_offsets(r#""a\"b""#, "a\"b"), Some(vec![1, 2, 4, 5]));
        assert_eq!(source_offsets(r#""\u00e9x""#, "éx"), Some(vec![1, 1, 7, 8]));
        assert_eq!(source_offsets("\"\"\"\na\"\"\"", "a"), Some(vec![4, 5]));
        assert_eq!(source_offsets("\"\"\"a \\\n  b\"\"\"", "a b"), Some(vec![3, 4, 9, 10]));
    }

    #[test]
    fn gives_up_on_texts_that_do_not_belong_together() {
        assert_eq!(source_offsets("'ab'", "ax"), None);
        assert_eq!(source_offsets("3", "3"), None);
        assert_eq!(source_offsets("", ""), None);
    }
}
