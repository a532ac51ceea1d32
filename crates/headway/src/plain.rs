//! Words of others on a terminal: a file that somebody sent may hold names that move the cursor, or that read from right to left.

/// The same text with everything that a terminal would act on written out; ends of lines stay.
pub(crate) fn plain(text: &str) -> String {
    let written = |letter: char| match letter {
        '\n' => vec![letter],
        _ if letter.is_control() || is_direction(letter) => letter.escape_unicode().collect(),
        _ => vec![letter],
    };
    text.chars().flat_map(written).collect()
}

/// The same on one line, for cells of tables.
pub(crate) fn plain_line(text: &str) -> String {
    plain(text).replace('\n', "\\n")
}

/// Marks that turn the direction of what follows around.
fn is_direction(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_written_out() {
        assert_eq!(plain("a\u{1b}[2Jb\nç\u{9b}\u{202e}\t"), "a\\u{1b}[2Jb\nç\\u{9b}\\u{202e}\\u{9}");
        assert_eq!(plain_line("a\nb"), "a\\nb");
    }
}
