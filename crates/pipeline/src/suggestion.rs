//! "Did you mean": the known name that is nearest to a mistyped one.

/// Longer names are not compared, since nobody mistypes them by accident.
const LENGTH_MAX: usize = 64;
/// Among more candidates nothing is sought: a spec full of mistakes must not take long to refuse.
const CANDIDATES_MAX: usize = 1_000;

/// Advice that names the candidate which is nearest to `written`, or, where none is near, the few that exist.
pub(crate) fn did_you_mean<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(near) = nearest(written, &candidates) {
        return Some(format!("did you mean `{near}`?"));
    }
    match candidates.len() {
        0 => None,
        1..=12 => Some(format!("known are {}", listed(&candidates))),
        more => Some(format!("known are {} and {} more", listed(&candidates[..10]), more - 10)),
    }
}

/// Names in backquotes, separated by commas.
pub(crate) fn listed<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// The nearest candidate, if one is near enough to be meant.
pub(crate) fn nearest<'a>(written: &str, candidates: &[&'a str]) -> Option<&'a str> {
    if written.len() > LENGTH_MAX || candidates.len() > CANDIDATES_MAX {
        return None;
    }
    let lowered = written.to_lowercase();
    let measured = candidates.iter().filter(|candidate| candidate.len() <= LENGTH_MAX);
    let measured = measured.map(|candidate| (distance(&lowered, &candidate.to_lowercase()), *candidate));
    // A third of the letters may be wrong: `windws` finds `windows`, `a` does not find `id`.
    measured.filter(|(far, _)| *far <= (lowered.chars().count() / 3).max(1)).min().map(|(_, candidate)| candidate)
}

/// Number of insertions, deletions, replacements and swaps of neighbours between two words.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut two_up = vec![0; right.len() + 1];
    let mut up: Vec<usize> = (0..=right.len()).collect();
    for (row, a) in left.iter().enumerate() {
        let mut line = vec![row + 1];
        for (column, b) in right.iter().enumerate() {
            let mut least = (up[column] + usize::from(a != b)).min(up[column + 1] + 1).min(line[column] + 1);
            let swapped = row > 0 && column > 0 && left[row - 1] == *b && right[column - 1] == *a;
            if swapped {
                least = least.min(two_up[column - 1] + 1);
            }
            line.push(least);
        }
        two_up = std::mem::replace(&mut up, line);
    }
    up[right.len()]
}

#[cfg(test)]
mod tests {
    use super::{did_you_mean, distance};

    #[test]
    fn counts_edits() {
        assert_eq!(distance("windws", "windows"), 1);
        assert_eq!(distance("udner", "under"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn names_the_nearest_or_lists_all() {
        assert_eq!(did_you_mean("stor_id", ["order_id", "store_id"]).as_deref(), Some("did you mean `store_id`?"));
        assert_eq!(did_you_mean("zebra", ["order_id", "store_id"]).as_deref(), Some("known are `order_id`, `store_id`"));
        assert_eq!(did_you_mean("zebra", []), None);
    }
}
