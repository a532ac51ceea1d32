use domain::Span;
use jiff::Timestamp as Instant;
use pipeline::{AbsenceRule, LocalTime, Zone};

use super::Schedule;
use crate::columns::Scalar;

const HOUR: Span = Span(3_600_000);
const WEEK: Span = Span(7 * 86_400_000);

fn ms(text: &str) -> i64 {
    text.parse::<Instant>().expect("an instant of a test").as_millisecond()
}

fn clock(hour: u16, minute: u16) -> LocalTime {
    LocalTime { minute: 60 * hour + minute }
}

fn vienna() -> Zone {
    Zone::Named("Europe/Vienna".into())
}

/// What is due after an event at `after` and up to `until`, as texts in UTC.
fn check(rule: AbsenceRule, zone: &Zone, row: &[Scalar], after: &str, until: &str, expected: &[&str]) {
    let found = Schedule::new(rule, zone).due(ms(after), row, i64::MIN, ms(until));
    let expected: Vec<i64> = expected.iter().map(|text| ms(text)).collect();
    assert_eq!(found.iter().map(|due| due.at).collect::<Vec<i64>>(), expected, "{rule:?} {zone:?} after {after}");
}

fn within(span: i64, active: Option<[LocalTime; 2]>) -> AbsenceRule {
    AbsenceRule::Within { span: Span(span * HOUR.0), active, longest: None }
}

fn by(begin: LocalTime, deadline: LocalTime) -> AbsenceRule {
    AbsenceRule::By { begin, deadline, longest: WEEK }
}

#[test]
fn only_active_hours_pass() {
    let day = Some([clock(6, 0), clock(22, 0)]);
    let until = "2026-12-31T00:00:00Z";
    // Vienna is an hour ahead of UTC in winter.
    check(within(1, day), &vienna(), &[], "2026-11-21T12:00:00Z", until, &["2026-11-21T13:00:00Z"]);
    check(within(1, day), &vienna(), &[], "2026-11-21T20:30:00Z", until, &["2026-11-22T05:30:00Z"]);
    check(within(1, day), &vienna(), &[], "2026-11-21T23:10:00Z", until, &["2026-11-22T06:00:00Z"]);
    // The very end of a day is still of that day.
    check(within(1, day), &vienna(), &[], "2026-11-21T20:00:00Z", until, &["2026-11-21T21:00:00Z"]);
    check(within(33, day), &vienna(), &[], "2026-11-21T12:00:00Z", until, &["2026-11-23T13:00:00Z"]);
    let night = Some([clock(22, 0), clock(6, 0)]);
    check(within(2, night), &vienna(), &[], "2026-11-21T12:00:00Z", until, &["2026-11-21T23:00:00Z"]);
    check(within(2, night), &vienna(), &[], "2026-11-21T04:00:00Z", until, &["2026-11-21T22:00:00Z"]);
}

#[test]
fn nights_in_which_clocks_change() {
    let until = "2028-01-01T00:00:00Z";
    let night = Some([clock(1, 0), clock(4, 0)]);
    // Two hours in spring, four in autumn.
    check(within(3, night), &vienna(), &[], "2027-03-27T12:00:00Z", until, &["2027-03-29T00:00:00Z"]);
    check(within(4, night), &vienna(), &[], "2026-10-24T12:00:00Z", until, &["2026-10-25T03:00:00Z"]);
    let at = by(clock(0, 0), clock(2, 30));
    let (spring, autumn) = ("2027-03-29T12:00:00Z", "2026-10-26T12:00:00Z");
    let expected = ["2027-03-27T01:30:00Z", "2027-03-28T01:00:00Z", "2027-03-29T00:30:00Z"];
    check(at, &vienna(), &[], "2027-03-26T12:00:00Z", spring, &expected);
    let expected = ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"];
    check(at, &vienna(), &[], "2026-10-23T12:00:00Z", autumn, &expected);
    // In Samoa there was no 30 December 2011.
    let samoa = Zone::Named("Pacific/Apia".into());
    let expected = ["2011-12-29T20:00:00Z", "2011-12-30T20:00:00Z"];
    check(by(clock(0, 0), clock(10, 0)), &samoa, &[], "2011-12-29T12:00:00Z", "2011-12-31T12:00:00Z", &expected);
}

#[test]
fn each_event_names_its_zone() {
    let rule = by(clock(0, 0), clock(10, 0));
    for (named, expected) in
        [("+05:30", "2026-11-21T04:30:00Z"), ("Asia/Kolkata", "2026-11-21T04:30:00Z"), ("nowhere", "2026-11-21T10:00:00Z")]
    {
        let row = [Scalar::Units(7), Scalar::Text(named.into())];
        check(rule, &Zone::Field(1), &row, "2026-11-21T00:00:00Z", "2026-11-21T23:00:00Z", &[expected]);
    }
    check(
        rule,
        &Zone::Field(1),
        &[Scalar::Null, Scalar::Null],
        "2026-11-21T00:00:00Z",
        "2026-11-21T23:00:00Z",
        &["2026-11-21T10:00:00Z"],
    );
}

#[test]
fn nothing_is_due_for_longer_than_declared() {
    let until = "2026-12-31T00:00:00Z";
    let rule = AbsenceRule::Within { span: HOUR, active: Some([clock(6, 0), clock(22, 0)]), longest: Some(Span(8 * HOUR.0)) };
    check(rule, &vienna(), &[], "2026-11-21T20:30:00Z", until, &[]);
    check(rule, &vienna(), &[], "2026-11-21T21:40:00Z", until, &[]);
    check(rule, &vienna(), &[], "2026-11-21T22:00:00Z", until, &["2026-11-22T06:00:00Z"]);
    let rule = AbsenceRule::By { begin: clock(0, 0), deadline: clock(10, 0), longest: Span(48 * HOUR.0) };
    check(rule, &vienna(), &[], "2026-11-21T09:00:00Z", until, &["2026-11-22T09:00:00Z", "2026-11-23T09:00:00Z"]);
}

#[test]
fn quiet_is_where_nothing_begins_or_is_due() {
    let schedule = Schedule::new(by(clock(0, 0), clock(10, 0)), &vienna());
    for (after, until, quiet) in [
        ("2026-11-21T09:00:00Z", "2026-11-21T22:59:59Z", true),
        ("2026-11-21T08:59:59Z", "2026-11-21T09:00:00Z", false),
        ("2026-11-21T22:59:59Z", "2026-11-21T23:00:00Z", false),
        ("2026-11-21T23:00:00Z", "2026-11-22T08:59:59Z", true),
    ] {
        assert_eq!(schedule.is_quiet(ms(after), ms(until)), quiet, "{after} to {until}");
    }
}
