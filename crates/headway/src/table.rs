//! Tables for people, aligned in columns.

use std::collections::BTreeSet;

use workbench::Preview;

/// What fits beside each other on most screens.
const WIDTH_MAX: usize = 130;
/// Longer texts are cut: nobody reads them in a table.
const CELL_WIDTH_MAX: usize = 26;
const GAP: &str = "  ";

/// Rows under a head, numbers to the right and texts to the left.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| rows.iter().map(|row| length(&row[column])).chain([length(head[column])]).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let is_number = |column: usize| {
        let mut texts = rows.iter().map(|row| row[column].as_str()).filter(|text| !text.is_empty()).peekable();
        texts.peek().is_some()
            && texts.all(|text| text.chars().next().is_some_and(|first| first.is_ascii_digit() || first == '-'))
    };
    let numbers: Vec<bool> = (0..head.len()).map(is_number).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let padded = cells.zip(&widths).zip(&numbers).map(|((cell, width), number)| pad(cell, *width, *number));
        format!("{}\n", padded.collect::<Vec<String>>().join(GAP).trim_end())
    };
    let mut text = line(&mut head.iter().copied());
    for row in rows {
        text.push_str(&line(&mut row.iter().map(String::as_str)));
    }
    text
}

/// The first rows of a backfill: the spine's columns, and of the features those that say most and fit.
pub(crate) fn preview(preview: &Preview) -> String {
    if preview.rows.is_empty() {
        return String::new();
    }
    let cells = |column: usize| preview.rows.iter().map(move |row| row[column].as_str());
    let width = |column: usize| {
        cells(column).map(length).chain([length(&preview.columns[column])]).max().unwrap_or(0).min(CELL_WIDTH_MAX)
    };
    let told = |column: usize| {
        let present = cells(column).filter(|cell| !cell.is_empty());
        (present.clone().collect::<BTreeSet<&str>>().len(), present.count())
    };
    // A column says something when most rows have a value and the values differ.
    let rows = preview.rows.len();
    let tells = |column: usize| told(column).0 >= 2.max(rows / 3) && told(column).1 * 5 >= rows * 4;
    let mut by_interest: Vec<usize> = (preview.of_spine..preview.columns.len()).filter(|column| told(*column).0 > 0).collect();
    by_interest.sort_by_key(|column| (!tells(*column), *column));
    // One of those that begin alike is enough for a glance.
    let family = |column: usize| preview.columns[column].split('_').next().unwrap_or_default();
    let mut families: BTreeSet<&str> = BTreeSet::new();
    by_interest.retain(|column| families.insert(family(*column)));
    let spine = 0..preview.of_spine;
    let fits = |columns: &[usize]| columns.iter().map(|column| width(*column) + GAP.len()).sum::<usize>() <= WIDTH_MAX;
    // Every second or third, so that groups further down have their place.
    let every = |step: usize| spine.clone().chain(by_interest.iter().copied().step_by(step)).collect::<Vec<usize>>();
    let mut chosen = (1..=by_interest.len()).map(every).find(|columns| fits(columns)).unwrap_or_else(|| spine.clone().collect());
    chosen.sort_unstable();
    let head: Vec<&str> = chosen.iter().map(|column| preview.columns[*column].as_str()).collect();
    let row = |row: &Vec<String>| chosen.iter().map(|column| cut(&row[*column])).collect();
    let rows: Vec<Vec<String>> = preview.rows.iter().map(row).collect();
    table(&head, &rows)
}

fn pad(cell: &str, width: usize, number: bool) -> String {
    let space = " ".repeat(width.saturating_sub(length(cell)));
    if number { format!("{space}{cell}") } else { format!("{cell}{space}") }
}

fn cut(cell: &str) -> String {
    if length(cell) <= CELL_WIDTH_MAX {
        return cell.to_owned();
    }
    format!("{}…", cell.chars().take(CELL_WIDTH_MAX - 1).collect::<String>())
}

fn length(text: &str) -> usize {
    text.chars().count()
}

/// A whole number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let comma = |(place, digit): (usize, char)| {
        let apart = place > 0 && (digits.len() - place).is_multiple_of(3);
        [apart.then_some(','), Some(digit)].into_iter().flatten()
    };
    digits.chars().enumerate().flat_map(comma).collect()
}

/// Bytes in the largest unit that leaves something before the point.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    match units.into_iter().find(|(power, _)| bytes >> power > 0) {
        Some((power, unit)) => format!("{:.1} {unit}", bytes as f64 / (1u64 << power) as f64),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right() {
        let rows = [vec!["a".to_owned(), "1".to_owned()], vec!["long".to_owned(), "12.5".to_owned()]];
        assert_eq!(table(&["name", "n"], &rows), "name     n\na        1\nlong  12.5\n");
    }

    #[test]
    fn thousands_are_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 2048, 5 << 20].map(bytes), ["0 B", "2.0 KiB", "5.0 MiB"]);
    }
}
