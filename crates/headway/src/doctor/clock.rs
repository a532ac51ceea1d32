//! The machine's clock, against the newest record of the log.

use domain::{Span, Timestamp};

use super::{Finding, Patient};

const SUBJECT: &str = "clock";
/// Less is what clocks are corrected by now and then.
const AHEAD_MAX: Span = Span(60_000);
/// Nobody ran Headway before: 2026-01-01. A machine without a battery begins in 1970.
const EARLIEST: Timestamp = Timestamp(1_767_225_600_000);

pub(super) fn finding(patient: &Patient<'_>) -> Finding {
    let topics = patient.log.iter().flat_map(|log| &log.topics);
    let newest = topics.flat_map(|topic| &topic.partitions).filter_map(|partition| partition.newest_at).max();
    judge(patient.now, newest)
}

fn judge(now: Timestamp, newest: Option<Timestamp>) -> Finding {
    if now < EARLIEST {
        let finding = Finding::fault(SUBJECT, format!("it is {now} by the clock of this machine"));
        return finding.with("Set it, by NTP if you can: events would be from the future for it, and be refused.");
    }
    match newest {
        None => Finding::ok(SUBJECT, format!("it is {now}; there is no record to compare that with")),
        Some(newest) if newest.0 > now.0 + AHEAD_MAX.0 => {
            let ahead = Span((newest.0 - now.0) / 1000 * 1000);
            let says = format!("the newest record is {ahead} ahead of the clock, which says {now}");
            let todo = "If the clock was set back, set it right. After a run with --speed it is as it should be: time goes on from \
                        there.";
            Finding::warning(SUBJECT, says).with(todo)
        }
        Some(newest) => {
            // Rounded up: nobody wants to read milliseconds, and nothing is 0 s old.
            let age = Span(((now.0 - newest.0).max(0) / 1000 + 1) * 1000);
            Finding::ok(SUBJECT, format!("it is {now}; the newest record is at most {age} old"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Level, *};

    #[test]
    fn a_clock_is_right_when_the_log_is_not_ahead_of_it() {
        let now = Timestamp(EARLIEST.0 + 86_400_000);
        for (now, newest, level, word) in [
            (Timestamp(0), None, Level::Fault, "1970"),
            (now, None, Level::Ok, "no record"),
            (now, Some(Timestamp(now.0 + 59_000)), Level::Ok, "newest"),
            (now, Some(Timestamp(now.0 + 7_200_000)), Level::Warning, "2h ahead"),
            (now, Some(Timestamp(now.0 - 59_500)), Level::Ok, "1m old"),
        ] {
            let finding = judge(now, newest);
            assert!(finding.level == level && finding.says.contains(word), "{finding:?}");
        }
    }
}
