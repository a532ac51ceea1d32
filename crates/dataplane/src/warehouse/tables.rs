//! The tables, and what a row of each says of a record: members of its JSON, column by column. The same in every pipeline, whatever its
//! cases are called. Columns are only ever added, behind the others.

use domain::Timestamp;
use ports::{Cell, CellKind, Record, TableSpec};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use CellKind::{Boolean, Float, Instant, Integer, Text};

/// What every warehouse takes.
const NAME_BYTES_MAX: usize = 63;
/// The key of the record, which is that of the case.
const KEY: &str = "";

/// A column, its kind, and where a record has its value.
type Column = (&'static str, CellKind, &'static str);

const PREDICTIONS: &[Column] = &[
    ("at", Instant, "/at"),
    ("id", Text, "/id"),
    ("key", Text, KEY),
    ("area", Text, "/area"),
    ("trigger", Text, "/trigger"),
    ("stage", Text, "/stage"),
    ("arrives_at", Instant, "/arrives_at"),
    ("promise_at", Instant, "/promise_at"),
    ("p10", Float, "/p10"),
    ("p50", Float, "/p50"),
    ("p80", Float, "/p80"),
    ("p90", Float, "/p90"),
    ("said_p10", Float, "/said/0"),
    ("said_p50", Float, "/said/1"),
    ("said_p80", Float, "/said/2"),
    ("said_p90", Float, "/said/3"),
    ("model", Text, "/model"),
    ("version", Text, "/version"),
    ("digest", Text, "/digest"),
    ("degraded", Text, "/degraded"),
    ("corrector", Text, "/corrector"),
    ("corrector_seconds", Float, "/corrector_seconds"),
    ("calibration", Text, "/calibration"),
    ("features_as_of", Instant, "/features_as_of"),
    ("oldest_feature_seconds", Float, "/oldest_feature_seconds"),
];

const OUTCOMES: &[Column] = &[
    ("at", Instant, "/at"),
    ("id", Text, "/id"),
    ("key", Text, KEY),
    ("area", Text, "/area"),
    ("trigger", Text, "/trigger"),
    ("stage", Text, "/stage"),
    ("digest", Text, "/digest"),
    ("degraded", Text, "/degraded"),
    ("corrector", Text, "/corrector"),
    ("calibration", Text, "/calibration"),
    ("ended", Text, "/ended"),
    ("ended_at", Instant, "/ended_at"),
    ("label", Text, "/label"),
    ("seconds", Float, "/seconds"),
    ("seconds_at_least", Float, "/seconds_at_least"),
    ("promise_late_seconds", Float, "/promise_late_seconds"),
    ("p10_error", Float, "/p10_error"),
    ("p10_covered", Boolean, "/p10_covered"),
    ("p50_error", Float, "/p50_error"),
    ("p50_covered", Boolean, "/p50_covered"),
    ("p80_error", Float, "/p80_error"),
    ("p80_covered", Boolean, "/p80_covered"),
    ("p90_error", Float, "/p90_error"),
    ("p90_covered", Boolean, "/p90_covered"),
];

const CONTRADICTIONS: &[Column] =
    &[("ended_at", Instant, "/ended_at"), ("key", Text, KEY), ("ended", Text, "/ended"), ("told", Text, "/told")];

const COHORTS: &[Column] = &[
    ("begins_at", Instant, "/begins_at"),
    ("ends_at", Instant, "/ends_at"),
    ("partition", Integer, "/partition"),
    ("predictions", Integer, "/predictions"),
    ("taken", Integer, "/taken"),
    ("censored", Integer, "/censored"),
    ("unusable", Integer, "/unusable"),
    ("open", Integer, "/open"),
];

/// One table of a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// What was predicted.
    Predictions,
    /// What became of each prediction.
    Outcomes,
    /// Cases of which another end was told after their outcomes were written.
    Contradictions,
    /// Hours of predictions that are closed.
    Cohorts,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 4] = [Self::Predictions, Self::Outcomes, Self::Contradictions, Self::Cohorts];

    /// Its name behind that of the pipeline.
    pub fn name(self) -> &'static str {
        match self {
            Self::Predictions => "predictions",
            Self::Outcomes => "outcomes",
            Self::Contradictions => "contradictions",
            Self::Cohorts => "cohorts",
        }
    }

    fn columns(self) -> &'static [Column] {
        match self {
            Self::Predictions => PREDICTIONS,
            Self::Outcomes => OUTCOMES,
            Self::Contradictions => CONTRADICTIONS,
            Self::Cohorts => COHORTS,
        }
    }
}

/// The tables of one pipeline.
#[derive(Clone, Debug)]
pub struct Tables {
    prefix: String,
}

impl Tables {
    /// By the pipeline's id. One that is too long for a table is cut, and told from others by its digest.
    pub fn new(pipeline: &str) -> Self {
        let longest = Table::ALL.map(|table| table.name().len()).into_iter().max().unwrap_or_default();
        let room = NAME_BYTES_MAX - longest - 1;
        let words = pipeline.replace('-', "_");
        if words.len() <= room {
            return Self { prefix: words };
        }
        let digest = format!("{:016x}", xxh3_64(pipeline.as_bytes()));
        let kept: String = words.chars().take(room - digest.len() - 1).collect();
        Self { prefix: format!("{kept}_{digest}") }
    }

    /// The full name of a table.
    pub fn name(&self, table: Table) -> String {
        format!("{}_{}", self.prefix, table.name())
    }

    /// All tables as they should be.
    pub fn specs(&self) -> Vec<TableSpec> {
        let spec = |table: Table| {
            let columns = table.columns().iter().map(|(name, kind, _)| ((*name).to_owned(), *kind)).collect();
            TableSpec { name: self.name(table), columns }
        };
        Table::ALL.map(spec).into()
    }
}

/// The row of a prediction; none when the record is no prediction.
pub(super) fn prediction(record: &Record) -> Option<(Table, Vec<Cell>)> {
    let value = serde_json::from_slice(&record.value).ok()?;
    row(Table::Predictions, &record.key, &value)
}

/// The row of what became of predictions, by its kind; none when the record is none of these.
pub(super) fn outcome(record: &Record) -> Option<(Table, Vec<Cell>)> {
    let value: Value = serde_json::from_slice(&record.value).ok()?;
    let table = match value["kind"].as_str()? {
        "outcome" => Table::Outcomes,
        "contradiction" => Table::Contradictions,
        "cohort" => Table::Cohorts,
        _ => return None,
    };
    row(table, &record.key, &value)
}

fn row(table: Table, key: &[u8], value: &Value) -> Option<(Table, Vec<Cell>)> {
    let of = |(_, kind, place): &Column| match *place {
        KEY => Some(Cell::Text(std::str::from_utf8(key).ok()?.to_owned())),
        place => cell(*kind, value.pointer(place).unwrap_or(&Value::Null)),
    };
    let cells: Vec<Cell> = table.columns().iter().map(of).collect::<Option<_>>()?;
    matches!(cells.first(), Some(Cell::Instant(_))).then_some((table, cells))
}

/// A member that is not there has no value; one of another kind is none of ours.
fn cell(kind: CellKind, value: &Value) -> Option<Cell> {
    if value.is_null() {
        return Some(Cell::Null);
    }
    match kind {
        Integer => value.as_i64().map(Cell::Integer),
        Float => value.as_f64().map(Cell::Float),
        Text => value.as_str().map(|text| Cell::Text(text.to_owned())),
        Boolean => value.as_bool().map(Cell::Boolean),
        Instant => value.as_str().and_then(Timestamp::parse).map(Cell::Instant),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: &str, value: &Value) -> Record {
        let value = value.to_string().into();
        Record { offset: 0, append_at: Timestamp(0), key: key.to_owned().into(), value, headers: Vec::new(), decoded: None }
    }

    fn of(row: &Option<(Table, Vec<Cell>)>, column: &str) -> Cell {
        let (table, cells) = row.as_ref().expect("a row");
        let place = table.columns().iter().position(|(name, ..)| *name == column).expect("a column");
        cells[place].clone()
    }

    #[test]
    fn a_row_says_what_its_record_says_by_kind() {
        let at = "2026-11-22T12:00:00.000Z";
        let said =
            serde_json::json!({ "id": "a", "order": "o1", "at": at, "p50": 900, "said": [1.5, 2.5, 3.5, 4.5], "digest": null });
        let row = prediction(&record("o1", &said));
        assert_eq!(of(&row, "at"), Cell::Instant(Timestamp(1_795_348_800_000)));
        assert_eq!((of(&row, "key"), of(&row, "p50")), (Cell::Text("o1".into()), Cell::Float(900.0)));
        assert_eq!((of(&row, "said_p90"), of(&row, "digest"), of(&row, "area")), (Cell::Float(4.5), Cell::Null, Cell::Null));
        let table = |kind: &str, instant: &str| {
            let record = record("o1", &serde_json::json!({ "kind": kind, instant: at }));
            outcome(&record).map(|(table, _)| table)
        };
        assert_eq!(table("outcome", "at"), Some(Table::Outcomes));
        assert_eq!(table("contradiction", "ended_at"), Some(Table::Contradictions));
        assert_eq!(table("cohort", "begins_at"), Some(Table::Cohorts));
        assert_eq!(table("something", "at"), None);
    }

    #[test]
    fn the_reference_names_every_column_of_every_table_in_its_order() {
        let reference = include_str!("../../../../docs/reference/warehouse.md");
        let words: String = reference.split_whitespace().collect::<Vec<_>>().join(" ");
        for table in Table::ALL {
            let names: Vec<String> = table.columns().iter().map(|(name, ..)| format!("`{name}`")).collect();
            let names = names.join(" ");
            assert!(words.contains(&format!("## `{}`", table.name())) && words.contains(&names), "{names}");
        }
    }

    #[test]
    fn what_is_not_ours_has_no_row() {
        for value in [serde_json::json!({ "id": "a" }), serde_json::json!({ "at": 5 }), serde_json::json!([]), Value::Null] {
            assert_eq!(prediction(&record("o1", &value)), None, "{value}");
        }
        let of_another_kind = serde_json::json!({ "at": "2026-11-22T12:00:00.000Z", "p50": "much" });
        assert_eq!(prediction(&record("o1", &of_another_kind)), None);
    }

    #[test]
    fn names_fit_every_warehouse_and_differ() {
        let long = "a".repeat(64);
        let names = |pipeline: &str| Table::ALL.map(|table| Tables::new(pipeline).name(table));
        assert_eq!(names("delivery-eta")[1], "delivery_eta_outcomes");
        let all = [names("delivery-eta"), names(&long), names(&format!("{}b", &long[1..]))].concat();
        assert!(all.iter().all(|name| name.len() <= NAME_BYTES_MAX), "{all:?}");
        let different: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
