//! A pipeline as it is meant: every name looked up, every type known, every default filled in.
//!
//! Only the resolver builds these types, from a spec without faults. They hold indices instead of names, know nothing
//! of TOML, and are the same for the engine, the backfill, the oracle and the checks.

mod absence;

use domain::{Span, ValueKind};

pub use self::absence::{Absence, AbsenceRule, LocalTime, Zone};
use crate::expression::Expr;

/// One pipeline.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// The folder's name; topics, keys and tables begin with it.
    pub id: String,
    /// What the live state may take, in bytes (`[limits] memory`).
    pub memory_max: u64,
    /// Every derived source comes after the source it is made from.
    pub sources: Vec<Source>,
    /// In the order of the spec.
    pub groups: Vec<Group>,
    /// A transform comes after the transforms that it uses.
    pub transforms: Vec<Transform>,
    /// The folder's own cases.
    pub tests: Vec<Case>,
}

/// Where events or rows come from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Name in the spec.
    pub name: String,
    /// What kind it is.
    pub kind: SourceKind,
    /// Sorted by name. A derived source has the fields of its base (a pair also `seconds`, an absence `since`).
    pub fields: Vec<Field>,
    /// The longest silence that is still healthy; inherited by derived sources.
    pub silent_after: Option<Span>,
}

/// The kinds of source.
#[derive(Clone, Debug)]
pub enum SourceKind {
    /// Events of a topic.
    Stream(Stream),
    /// Durations between two events of one key.
    Pair(Pair),
    /// The last row for each key.
    Table(Table),
    /// What did not come in time.
    Absence(Absence),
    /// One row for each key, from a file of JSON lines in the pipeline's folder.
    File {
        /// Path relative to the pipeline's folder.
        path: String,
        /// Field that identifies a row.
        key: usize,
    },
}

/// What a topic declares.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Topic name without the pipeline's prefix.
    pub topic: String,
    /// Field with the source part of the identity.
    pub identity_source: usize,
    /// Field with the id part of the identity.
    pub identity_id: usize,
    /// Field by which producers partition.
    pub key: usize,
    /// Field with the event time.
    pub time: usize,
    /// How far in the future an event may be stamped.
    pub skew: Span,
    /// How long after its time an event is still taken.
    pub lateness: Span,
    /// Length of a dedup slice, at least `skew + lateness`.
    pub dedup: Span,
    /// Events in a second at the peak; used for memory arithmetic only.
    pub peak_per_second: u64,
}

/// A pair of events that make a duration.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Index of the stream source.
    pub from: usize,
    /// Over the base's fields.
    pub start: Expr,
    /// Over the base's fields.
    pub end: Expr,
    /// Field of the base that both events share.
    pub key: usize,
    /// Longer durations are not emitted.
    pub longest: Span,
    /// Place of `seconds` in the pair's own fields.
    pub seconds: usize,
}

/// The last row for each key.
#[derive(Clone, Debug)]
pub struct Table {
    /// Index of the stream source.
    pub from: usize,
    /// Events for which it does not hold are not part of the table.
    pub filter: Option<Expr>,
    /// Field of the base that identifies a row.
    pub key: usize,
    /// Events that end a row without beginning one.
    pub gone: Option<Expr>,
    /// A row without a successor ends after this.
    pub longest: Span,
}

/// One typed field of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Name in the payload.
    pub name: String,
    /// Its type.
    pub kind: FieldKind,
    /// Whether an event without it is refused. Identity, time and key are always required.
    pub required: bool,
}

/// The types of fields.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldKind {
    /// Any text.
    Text,
    /// Whole numbers within bounds; units are the numbers themselves.
    Integer {
        /// Smallest allowed.
        min: i64,
        /// Largest allowed.
        max: i64,
    },
    /// Multiples of `10^-digits`.
    Decimal {
        /// Digits after the point.
        digits: u8,
        /// Smallest allowed, in units.
        min: i64,
        /// Largest allowed, in units.
        max: i64,
        /// Whether a number between two steps is rounded instead of refused.
        round: bool,
    },
    /// `true` or `false`; units 1 and 0.
    Boolean,
    /// An instant; units are milliseconds.
    Time,
    /// One of a list of texts; units are places in the list.
    Category(Vec<String>),
    /// The H3 cell of a position. Not read from the payload.
    Cell {
        /// Decimal field with the latitude in degrees.
        latitude: usize,
        /// Decimal field with the longitude in degrees.
        longitude: usize,
        /// 0 to 15.
        resolution: u8,
    },
}

/// A set of features that share entity, key, source and hop, and one packed vector.
#[derive(Clone, Debug)]
pub struct Group {
    /// Name in the spec.
    pub name: String,
    /// Entity type: the `store` of `store:42`.
    pub entity: String,
    /// Text or number over the source's fields.
    pub key: Expr,
    /// Index of the source.
    pub source: usize,
    /// Condition that all events of the group meet.
    pub filter: Option<Expr>,
    /// Length of a tile.
    pub hop: Span,
    /// How long after `valid_until` a vector may be rewritten.
    pub tolerance: Span,
    /// What a reader does with an outdated vector.
    pub when_outdated: WhenOutdated,
    /// How long values without a window, and online keys, outlive the last event.
    pub keep: Span,
    /// The most entities that are held at once.
    pub entities_max: u64,
    /// In the order of the spec.
    pub features: Vec<Feature>,
}

/// What a reader does with a vector that is outdated by more than the tolerance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenOutdated {
    /// Use it, flagged.
    Serve,
    /// Use the defaults of the model signature.
    Default,
    /// Use the last value that was right.
    LastGood,
    /// Answer with an error.
    Refuse,
}

/// One aggregation over one or more windows.
#[derive(Clone, Debug)]
pub struct Feature {
    /// Name in the spec.
    pub name: String,
    /// How values are aggregated.
    pub aggregator: Aggregator,
    /// Condition an event must meet, from `where` and, for counts, the counted condition.
    pub condition: Option<Expr>,
    /// The values: none for counts, two for `travel`, else one.
    pub inputs: Vec<Input>,
    /// Ascending; empty when the feature has no window.
    pub windows: Vec<Window>,
}

/// One window of a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// As written, `15m`; the end of the column's name.
    pub label: String,
    /// Its width, a multiple of the group's hop.
    pub width: Span,
}

/// A value that an aggregator takes from each event.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Over the source's fields.
    pub expr: Expr,
    /// What its units mean.
    pub kind: InputKind,
    /// Largest magnitude in units, at most 2^48.
    pub units_max: i64,
}

/// What the units of an input mean.
#[derive(Clone, Debug, PartialEq)]
pub enum InputKind {
    /// Multiples of `10^-digits`.
    Decimal {
        /// Digits after the point.
        digits: u8,
    },
    /// Whole numbers.
    Integer,
    /// 1 and 0.
    Boolean,
    /// Milliseconds.
    Time,
    /// Places in this list.
    Category(Vec<String>),
    /// Text, for `distinct` only.
    Text,
}

/// The aggregators.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Aggregator {
    /// Number of events.
    Count,
    /// Number of events per span.
    Rate {
        /// The span.
        per: Span,
    },
    /// Sum of values.
    Sum,
    /// Mean of values.
    Mean,
    /// Population standard deviation.
    Std,
    /// Smallest value.
    Min,
    /// Largest value.
    Max,
    /// Earliest value.
    First,
    /// Latest value.
    Last,
    /// Mean with weights that halve with age.
    Ewma {
        /// Age at which a weight is one half.
        half_life: Span,
    },
    /// Quantile from logarithmic bins.
    Quantile {
        /// In (0, 1).
        q: f64,
    },
    /// Number of different values.
    Distinct,
    /// The most frequent values.
    Top {
        /// How many.
        k: u8,
    },
    /// Rows of a table that are open.
    OpenCount,
    /// Length of the way along positions.
    Travel,
}

/// One value of a group's vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// `prep_mean_15m`; unique in the pipeline.
    pub name: String,
    /// How its eight bytes are read.
    pub kind: ValueKind,
    /// Index into the group's features.
    pub feature: usize,
    /// Index into the feature's windows; none when it has no windows.
    pub window: Option<usize>,
    /// 0, except for `top`: 2·i is the i-th value, 2·i + 1 its count, 2·k the overflow.
    pub part: usize,
}

/// A value computed from the joined row of features.
#[derive(Clone, Debug)]
pub struct Transform {
    /// Name in the spec; unique among columns and transforms.
    pub name: String,
    /// `Expr::Field(i)` is the i-th of [`Pipeline::row_columns`].
    pub expr: Expr,
    /// Its type.
    pub kind: ValueKind,
}

/// One case of a pipeline's own tests.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// JSON lines, path relative to the pipeline's folder: each line an event with the additional keys `_source` (may be
    /// left out when the pipeline has one stream) and `_at` (append time; else the event's own time).
    pub events: String,
    /// The instant of the vectors; else one millisecond after the last append time.
    pub at: Option<domain::Timestamp>,
    /// Entity (`store:42`), column or transform, expected value (none: null).
    pub expect: Vec<(String, String, Option<f64>)>,
    /// Reason and number of refused records; when given, all reasons must be.
    pub refused: Option<Vec<(String, u64)>>,
    /// What is told of absences; when given, all of it must be.
    pub absences: Option<Vec<ToldAbsence>>,
}

/// An absence that a case expects to be told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ToldAbsence {
    /// Index of the absence.
    pub source: usize,
    /// Of whom something is missing.
    pub key: String,
    /// When it should have come.
    pub due: domain::Timestamp,
    /// Whether a late event shows that it had.
    pub taken_back: bool,
}

impl Pipeline {
    /// The columns of all groups, in order, followed by the transforms: what a transform may refer to.
    pub fn row_columns(&self) -> Vec<(String, ValueKind)> {
        let columns = self.groups.iter().flat_map(|group| group.columns()).map(|column| (column.name, column.kind));
        columns.chain(self.transforms.iter().map(|transform| (transform.name.clone(), transform.kind.clone()))).collect()
    }

    /// The same pipeline with some of its groups only, and without what is made of all of them.
    pub fn with_groups(&self, wanted: impl Fn(&str) -> bool) -> Self {
        let groups = self.groups.iter().filter(|group| wanted(&group.name)).cloned().collect();
        Self { groups, transforms: Vec::new(), tests: Vec::new(), ..self.clone() }
    }

    /// The stream that feeds a source: itself for a stream, none for a file.
    pub fn base_of(&self, source: usize) -> Option<usize> {
        match &self.sources[source].kind {
            SourceKind::Stream(_) => Some(source),
            SourceKind::Pair(pair) => Some(pair.from),
            SourceKind::Table(table) => Some(table.from),
            SourceKind::Absence(absence) => Some(absence.from),
            SourceKind::File { .. } => None,
        }
    }
}

impl Group {
    /// The values of the group's vector, in their packed order.
    pub fn columns(&self) -> Vec<Column> {
        let mut columns = Vec::new();
        for (index, feature) in self.features.iter().enumerate() {
            if feature.windows.is_empty() {
                feature.add_columns(&mut columns, index, None, &feature.name);
            }
            for (window, declared) in feature.windows.iter().enumerate() {
                feature.add_columns(&mut columns, index, Some(window), &format!("{}_{}", feature.name, declared.label));
            }
        }
        columns
    }

    /// The widest window, zero when no feature has one.
    pub fn widest(&self) -> Span {
        self.features.iter().flat_map(|feature| &feature.windows).map(|window| window.width).max().unwrap_or_default()
    }
}

impl Feature {
    fn add_columns(&self, columns: &mut Vec<Column>, feature: usize, window: Option<usize>, name: &str) {
        let mut add = |name: String, kind: ValueKind, part: usize| columns.push(Column { name, kind, feature, window, part });
        match self.aggregator {
            Aggregator::Count | Aggregator::Distinct | Aggregator::OpenCount => add(name.into(), ValueKind::Integer, 0),
            Aggregator::Min | Aggregator::Max | Aggregator::First | Aggregator::Last => {
                add(name.into(), self.inputs[0].kind.carried(), 0);
            }
            Aggregator::Top { k } => {
                for place in 0..usize::from(k) {
                    add(format!("{name}_{}", place + 1), self.inputs[0].kind.carried(), 2 * place);
                    add(format!("{name}_{}_count", place + 1), ValueKind::Integer, 2 * place + 1);
                }
                add(format!("{name}_overflow"), ValueKind::Integer, 2 * usize::from(k));
            }
            Aggregator::Rate { .. }
            | Aggregator::Sum
            | Aggregator::Mean
            | Aggregator::Std
            | Aggregator::Ewma { .. }
            | Aggregator::Quantile { .. }
            | Aggregator::Travel => add(name.into(), ValueKind::Float, 0),
        }
    }
}

impl InputKind {
    /// What a single value of this kind becomes in a vector.
    pub fn carried(&self) -> ValueKind {
        match self {
            Self::Decimal { .. } => ValueKind::Float,
            Self::Integer | Self::Text => ValueKind::Integer,
            Self::Boolean => ValueKind::Boolean,
            Self::Time => ValueKind::Time,
            Self::Category(labels) => ValueKind::Category(labels.clone()),
        }
    }

    /// What units are divided by: `10^digits`, else 1.
    pub fn scale(&self) -> f64 {
        match self {
            Self::Decimal { digits } => 10f64.powi(i32::from(*digits)),
            _ => 1.0,
        }
    }
}
