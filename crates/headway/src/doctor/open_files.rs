//! How many files this process may have open.

use rustix::process::{Resource, getrlimit};

use super::Finding;

const SUBJECT: &str = "open files";
/// Segments of the log and readers of them, pieces of snapshots, connections: some hundred. The usual limit is 1,024.
const COMFORTABLE: u64 = 1024;
const NEEDED: u64 = 256;

pub(super) fn finding() -> Finding {
    judge(getrlimit(Resource::Nofile).current)
}

fn judge(limit: Option<u64>) -> Finding {
    let todo = "Raise it where Headway is started, with `ulimit -n 4096` or LimitNOFILE= in its unit.";
    match limit {
        Some(limit) if limit < NEEDED => {
            Finding::fault(SUBJECT, format!("{limit} are allowed, and {NEEDED} are needed")).with(todo)
        }
        Some(limit) if limit < COMFORTABLE => {
            Finding::warning(SUBJECT, format!("{limit} are allowed, which may become tight")).with(todo)
        }
        Some(limit) => Finding::ok(SUBJECT, format!("{limit} are allowed")),
        None => Finding::ok(SUBJECT, "as many are allowed as there are"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn a_low_limit_is_told_before_it_is_met() {
        let levels = [Some(100), Some(300), Some(1024), None].map(|limit| judge(limit).level);
        assert_eq!(levels, [Level::Fault, Level::Warning, Level::Ok, Level::Ok]);
    }
}
