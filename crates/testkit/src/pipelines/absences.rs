//! Reports of devices of which some do not come: after a while, in the active hours of a day, and by the time of a day.

use domain::Span;
use pipeline::{Absence, AbsenceRule, Aggregator, Field, FieldKind, LocalTime, Pipeline, Source, SourceKind, Zone};

use super::build::{bare, decimal, feature, field, group, is, pipeline, place, required, span, stream, value};

/// Sources `reports` (0), `quiet` (1, more than two minutes), `quiet_by_night` (2, more than four minutes of a night in Vienna),
/// `unchecked` (3, without a check in the zone of the device by half past two) and `unchecked_here` (4, in Vienna from one on).
pub fn absences() -> Pipeline {
    let fields = vec![
        required("device", FieldKind::Text),
        required("type", FieldKind::Text),
        field("zone", FieldKind::Text),
        field("area", FieldKind::Text),
        field("battery", decimal(1, 0, 1000)),
    ];
    let reports = stream("reports", "device", fields);
    let (check, zone) = (is(&reports, "type", "check"), Zone::Field(place(&reports.fields, "zone")));
    let vienna = Zone::Named("Europe/Vienna".into());
    let rules = [
        ("quiet", None, AbsenceRule::Within { span: span("2m"), active: None, longest: None }, vienna.clone()),
        (
            "quiet_by_night",
            Some(is(&reports, "type", "ping")),
            AbsenceRule::Within { span: span("4m"), active: Some([clock(2, 10), clock(2, 50)]), longest: Some(span("90m")) },
            vienna.clone(),
        ),
        ("unchecked", Some(check.clone()), by(clock(0, 0), clock(2, 30), span("2d")), zone),
        ("unchecked_here", Some(check), by(clock(3, 0), clock(2, 45), span("30m")), vienna),
    ];
    let mut sources = vec![reports];
    for (name, filter, rule, zone) in rules {
        let source = absence(name, &sources[0], filter, rule, zone);
        sources.push(source);
    }
    let mut groups = vec![];
    for (place, name) in ["quiet", "quiet_by_night", "unchecked", "unchecked_here"].into_iter().enumerate() {
        let source = &sources[place + 1];
        let features = vec![
            feature(&format!("{name}_count"), Aggregator::Count, Vec::new(), &["10m", "2h"]),
            feature(&format!("{name}_since"), Aggregator::Min, value(source, "since"), &["2h"]),
            feature(&format!("{name}_battery"), Aggregator::Last, value(source, "battery"), &["1h"]),
        ];
        groups.push(group(&format!("{name}_area"), place + 1, bare(source, "area"), "1m", features));
    }
    pipeline("absences", sources, groups)
}

fn clock(hour: u16, minute: u16) -> LocalTime {
    LocalTime { minute: 60 * hour + minute }
}

fn by(begin: LocalTime, deadline: LocalTime, longest: Span) -> AbsenceRule {
    AbsenceRule::By { begin, deadline, longest }
}

/// An absence over the stream at index 0, by `device`.
fn absence(name: &str, base: &Source, filter: Option<pipeline::Expr>, rule: AbsenceRule, zone: Zone) -> Source {
    let since = base.fields.partition_point(|field| field.name.as_str() < "since");
    let mut fields = base.fields.clone();
    fields.insert(since, Field { name: "since".into(), kind: FieldKind::Time, required: true });
    let key = place(&base.fields, "device");
    let topic = Some("absences".into());
    let kind = SourceKind::Absence(Absence { from: 0, key, filter, rule, zone, entities_max: 1000, topic, since });
    Source { name: name.into(), kind, fields, silent_after: base.silent_after }
}
