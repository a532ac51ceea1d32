//! Metrics as text, version 0.0.4 of Prometheus's format, with names by the rules that turn OpenTelemetry's into Prometheus's.

use std::fmt::Write;

use super::family::{Declared, Family, Kind, Value};

/// The name with its unit and, for a counter, `_total`.
pub(super) fn name_in_text(declared: &Declared) -> String {
    let unit = match declared.unit {
        "s" => "_seconds",
        "By" => "_bytes",
        // What is counted, in braces, is in the name already.
        _ => "",
    };
    let total = if declared.kind == Kind::Counter { "_total" } else { "" };
    format!("{}{unit}{total}", declared.name.replace('.', "_"))
}

/// All families that have a point.
pub(crate) fn text(families: &[Family]) -> String {
    let mut text = String::new();
    for family in families.iter().filter(|family| !family.points.is_empty()) {
        // Writing to a text cannot fail.
        let _ = write_family(&mut text, family);
    }
    text
}

fn write_family(text: &mut String, family: &Family) -> std::fmt::Result {
    let name = name_in_text(family.declared);
    let kind = match family.declared.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    writeln!(text, "# HELP {name} {}", family.declared.says.replace('\\', "\\\\").replace('\n', "\\n"))?;
    writeln!(text, "# TYPE {name} {kind}")?;
    for point in &family.points {
        let labels: Vec<String> = family.labels(point).map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        match &point.value {
            Value::Integer(value) => writeln!(text, "{name}{} {value}", braced(&labels, None))?,
            Value::Float(value) => writeln!(text, "{name}{} {value}", braced(&labels, None))?,
            Value::Buckets { bounds, counts, sum } => {
                let mut below = 0;
                for (place, count) in counts.iter().enumerate() {
                    below += count;
                    let bound = bounds.get(place).map_or("+Inf".to_owned(), f64::to_string);
                    writeln!(text, "{name}_bucket{} {below}", braced(&labels, Some(&bound)))?;
                }
                writeln!(text, "{name}_sum{} {sum}", braced(&labels, None))?;
                writeln!(text, "{name}_count{} {below}", braced(&labels, None))?;
            }
        }
    }
    Ok(())
}

fn braced(labels: &[String], bound: Option<&str>) -> String {
    let bound = bound.map(|bound| format!("le=\"{bound}\""));
    let all: Vec<&str> = labels.iter().map(String::as_str).chain(bound.as_deref()).collect();
    if all.is_empty() { String::new() } else { format!("{{{}}}", all.join(",")) }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::{
        super::declared::{BUILD, CPU, FRESHNESS, READY, TAKEN},
        *,
    };

    fn check(declared: &'static Declared, labels: &[&str], value: Value, expected: &[&str]) {
        let mut family = Family::of(declared);
        family.push(labels.iter().map(|label| (*label).to_owned()).collect(), value);
        let text = text(&[family]);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("# HELP ") && lines[1].starts_with("# TYPE "), "{text}");
        assert_eq!(lines[2..], *expected);
    }

    #[test]
    fn each_kind_is_written_as_prometheus_reads_it() {
        check(&READY, &[], Value::Integer(1), &["headway_ready 1"]);
        check(&CPU, &[], Value::Float(1.5), &["process_cpu_time_seconds_total 1.5"]);
        check(
            &TAKEN,
            &["a", "1", "0"],
            Value::Integer(7),
            &["headway_records_taken_total{pipeline=\"a\",generation=\"1\",partition=\"0\"} 7"],
        );
        let buckets = Value::Buckets { bounds: vec![0.001, 0.003], counts: vec![1, 0, 2], sum: 9.25 };
        let labels = "pipeline=\"a\",generation=\"1\"";
        let lines = [
            format!("headway_freshness_seconds_bucket{{{labels},le=\"0.001\"}} 1"),
            format!("headway_freshness_seconds_bucket{{{labels},le=\"0.003\"}} 1"),
            format!("headway_freshness_seconds_bucket{{{labels},le=\"+Inf\"}} 3"),
            format!("headway_freshness_seconds_sum{{{labels}}} 9.25"),
            format!("headway_freshness_seconds_count{{{labels}}} 3"),
        ];
        check(&FRESHNESS, &["a", "1"], buckets, &lines.each_ref().map(String::as_str));
    }

    #[test]
    fn labels_are_escaped_and_empty_ones_left_out() {
        check(&BUILD, &["a\"b\\c\nd"], Value::Integer(1), &["headway_build_info{version=\"a\\\"b\\\\c\\nd\"} 1"]);
        check(&TAKEN, &["a", "1", ""], Value::Integer(7), &["headway_records_taken_total{pipeline=\"a\",generation=\"1\"} 7"]);
    }

    #[test]
    fn a_family_without_points_is_not_told() {
        assert_eq!(text(&[Family::of(&TAKEN)]), "");
    }
}
