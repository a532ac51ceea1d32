//! The text that a commit carries beside its positions, as far as it is the same for every role: `1 <words>`, a version and whatever
//! the role needs to go on. Text, so that a person who lists committed offsets can read it. What the words mean is the role's.

/// What stands for nothing where a role has nothing to say.
const NOTHING: &str = "-";

/// A note with these words.
pub(crate) fn write(words: &str) -> String {
    format!("1 {words}")
}

/// The same, or one that says that there is nothing.
pub(crate) fn write_or_nothing(words: Option<String>) -> String {
    write(words.as_deref().unwrap_or(NOTHING))
}

/// The words of a note; none of the one that was there before anything was committed.
pub(crate) fn read(note: &[u8]) -> Result<Option<&str>, &'static str> {
    let text = std::str::from_utf8(note).map_err(|_| "it is not text")?;
    if text.is_empty() {
        return Ok(None);
    }
    text.strip_prefix("1 ").map(Some).ok_or("its version is not 1")
}

/// The same; none as well of one that says that there is nothing.
pub(crate) fn read_or_nothing(note: &[u8]) -> Result<Option<&str>, &'static str> {
    Ok(read(note)?.filter(|words| *words != NOTHING))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_read_as_it_was_written() {
        for words in ["5", "1 a b", "-5", ""] {
            assert_eq!(read(write(words).as_bytes()), Ok(Some(words)));
            assert_eq!(read_or_nothing(write_or_nothing(Some(words.to_owned())).as_bytes()), Ok(Some(words)));
        }
        assert_eq!(read_or_nothing(write_or_nothing(None).as_bytes()), Ok(None));
        assert_eq!((write("5"), write_or_nothing(None)), ("1 5".to_owned(), "1 -".to_owned()), "others have written so");
    }

    #[test]
    fn before_the_first_commit_there_are_no_words() {
        assert_eq!((read(b""), read_or_nothing(b"")), (Ok(None), Ok(None)));
    }

    #[test]
    fn what_nobody_wrote_is_named() {
        let faults: [(&[u8], &str); 5] = [
            (b"2 5", "its version is not 1"),
            (b"1", "its version is not 1"),
            (b"11 5", "its version is not 1"),
            (b" 1 5", "its version is not 1"),
            (b"1 \xff", "it is not text"),
        ];
        for (note, fault) in faults {
            assert_eq!((read(note), read_or_nothing(note)), (Err(fault), Err(fault)), "{note:?}");
        }
    }
}
