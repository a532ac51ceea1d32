//! CSV as RFC 4180 has it: a comma between cells, quotes around cells that hold a comma, a quote or a new line.

/// The records of a text, each with the line on which it begins, from 1. Blank lines are no records.
pub(super) fn records(text: &str) -> impl Iterator<Item = (u64, Vec<String>)> {
    // A byte order mark is what spreadsheets write before the first name.
    Records { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 }
}

/// Appends a cell, quoted where it has to be.
pub(super) fn write_cell(out: &mut String, cell: &str) {
    if cell.contains([',', '"', '\n', '\r']) {
        out.push('"');
        out.push_str(&cell.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(cell);
    }
}

struct Records<'a> {
    rest: &'a str,
    line: u64,
}

impl Iterator for Records<'_> {
    type Item = (u64, Vec<String>);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(rest) = self.rest.strip_prefix('\n').or_else(|| self.rest.strip_prefix("\r\n")) {
            self.rest = rest;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return None;
        }
        let began = self.line;
        let mut cells = vec![String::new()];
        let mut quoted = false;
        let mut characters = self.rest.char_indices().peekable();
        let mut used = self.rest.len();
        while let Some((place, character)) = characters.next() {
            self.line += u64::from(character == '\n');
            let last = cells.len() - 1;
            match character {
                '"' if quoted && characters.next_if(|(_, next)| *next == '"').is_some() => cells[last].push('"'),
                '"' if quoted => quoted = false,
                '"' if cells[last].is_empty() => quoted = true,
                ',' if !quoted => cells.push(String::new()),
                '\n' if !quoted => {
                    used = place + 1;
                    break;
                }
                '\r' if !quoted && matches!(characters.peek(), Some((_, '\n'))) => {}
                _ => cells[last].push(character),
            }
        }
        self.rest = &self.rest[used..];
        Some((began, cells))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(u64, &[&str])]) {
        let found: Vec<(u64, Vec<String>)> = records(text).collect();
        let expected: Vec<(u64, Vec<String>)> =
            expected.iter().map(|(line, cells)| (*line, cells.iter().map(|cell| (*cell).to_owned()).collect())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn cells_are_told_apart() {
        check("a,b\r\n1,\n\n,2", &[(1, &["a", "b"]), (2, &["1", ""]), (4, &["", "2"])]);
        check("\u{feff}a\n\"x, \"\"y\"\"\nz\"\n3", &[(1, &["a"]), (2, &["x, \"y\"\nz"]), (4, &["3"])]);
        check("", &[]);
    }

    #[test]
    fn what_is_written_is_read_back() {
        for cell in ["plain", "a,b", "say \"so\"", "two\nlines", "cr\r\nlf", ""] {
            let mut line = String::from("x,");
            write_cell(&mut line, cell);
            check(&line, &[(1, &["x", cell])]);
        }
    }
}
