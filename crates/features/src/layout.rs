//! How a group's features are kept and finished: which partials a tile holds, and how each column is made of them.
//!
//! Features share what they can: the mean, the count and the deviation of one value under one condition need three partials
//! together, not six.

mod finish;

use domain::{EARLIEST, LATEST, Schema, Span};
use pipeline::{Absence, Aggregator, Expr, Feature, Group, Input, InputKind, Pipeline, Source, SourceKind};
use xxhash_rust::xxh3::xxh3_64;

pub(crate) use self::finish::{Finish, Merged};
use crate::{
    Error,
    columns::NULL,
    partial::Kind,
    sketch::{Scale, Sketch, SketchKind, units_hash},
};

/// Sums of values up to this magnitude fit 64 bits for 2^32 values.
const NARROW_SUM_MAX: i64 = 1 << 31;
/// Sums of squares of values up to this magnitude fit 64 bits for 2^33 values.
const NARROW_SQUARES_MAX: i64 = 1 << 15;
/// Conditions of a row travel as the bits of one word.
const CONDITIONS_MAX: usize = 64;

/// The plan of one group.
#[derive(Debug)]
pub(crate) struct Layout {
    /// The group it was made of.
    pub(crate) group: Group,
    /// Name, kinds and digest, for readers.
    pub(crate) schema: Schema,
    /// Distinct conditions of the features.
    pub(crate) conditions: Vec<Expr>,
    /// Distinct values of the features.
    pub(crate) inputs: Vec<Input>,
    /// Fixed partials of a tile, in the order of their words.
    pub(crate) fixed: Vec<Op<Kind>>,
    /// Sketches of a tile, in order.
    pub(crate) sketched: Vec<Op<SketchKind>>,
    /// Fixed partials without a window, in the order of their words.
    pub(crate) always: Vec<Op<Kind>>,
    /// Words of a tile.
    pub(crate) words: usize,
    /// Words without a window.
    pub(crate) always_words: usize,
    /// Widths of all windows, ascending, without repetition.
    pub(crate) widths: Vec<Span>,
    /// How each column is made, in order.
    pub(crate) columns: Vec<Finish>,
    /// The columns of each width, and those without a window.
    pub(crate) windowed: Vec<Vec<usize>>,
    pub(crate) unwindowed: Vec<usize>,
    /// Whether rows come with weights and may be taken back.
    pub(crate) keeps_rows: bool,
    pub(crate) source_is_table: bool,
    /// Whether a sketch is closed when its tile is.
    pub(crate) has_paths: bool,
    /// Indices of the widths whose values change at every hop by themselves.
    pub(crate) decaying: Vec<usize>,
}

/// One kept partial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Op<K> {
    pub(crate) kind: K,
    /// Index into the conditions.
    pub(crate) condition: Option<usize>,
    /// Index into the inputs; for `travel` also the one after it.
    pub(crate) input: Option<usize>,
    /// Number of its first word, or of the sketch.
    pub(crate) at: usize,
}

impl Layout {
    /// Of a group over a source that is made of `base`, a stream; a file has none.
    pub(crate) fn new(group: &Group, source: &Source, base: Option<&Source>) -> Result<Self, Error> {
        let mut widths: Vec<Span> =
            group.features.iter().flat_map(|feature| &feature.windows).map(|window| window.width).collect();
        widths.sort_unstable();
        widths.dedup();
        let mut layout = Self {
            group: group.clone(),
            schema: schema(group, source, base),
            conditions: Vec::new(),
            inputs: Vec::new(),
            fixed: Vec::new(),
            sketched: Vec::new(),
            always: Vec::new(),
            words: 0,
            always_words: 0,
            widths,
            columns: Vec::new(),
            windowed: Vec::new(),
            unwindowed: Vec::new(),
            keeps_rows: matches!(source.kind, SourceKind::Pair(_) | SourceKind::Absence(_)),
            source_is_table: matches!(source.kind, SourceKind::Table(_) | SourceKind::File { .. }),
            has_paths: group.features.iter().any(|feature| feature.aggregator == Aggregator::Travel),
            decaying: Vec::new(),
        };
        layout.windowed.resize(layout.widths.len(), Vec::new());
        for column in group.columns() {
            let feature = &group.features[column.feature];
            let window = column.window.map(|window| layout.width_index(feature.windows[window].width));
            if let (Aggregator::Ewma { .. }, Some(window)) = (feature.aggregator, window) {
                layout.decaying.push(window);
            }
            let place = layout.columns.len();
            window.map_or(&mut layout.unwindowed, |window| &mut layout.windowed[window]).push(place);
            let finish = layout.plan(feature, window, column.part)?;
            layout.columns.push(finish);
        }
        if layout.conditions.len() > CONDITIONS_MAX {
            return Err(Error::TooManyConditions { group: group.name.clone(), conditions: layout.conditions.len() });
        }
        Ok(layout)
    }

    /// The words of a tile in which nothing happened.
    pub(crate) fn empty_words(&self) -> Vec<u64> {
        self.fixed.iter().flat_map(|op| op.kind.empty()).copied().collect()
    }

    /// The words without a window before anything happened.
    pub(crate) fn empty_always(&self) -> Vec<u64> {
        self.always.iter().flat_map(|op| op.kind.empty()).copied().collect()
    }

    /// The sketches of a tile in which nothing happened.
    pub(crate) fn empty_sketches(&self) -> Vec<Sketch> {
        self.sketched.iter().map(|op| op.kind.empty()).collect()
    }

    /// Units per degree of a path's latitudes and longitudes; ones for other sketches.
    pub(crate) fn scale(&self, op: &Op<SketchKind>) -> Scale {
        let scale = |input: usize| self.inputs.get(input).map_or(1.0, |input| input.kind.scale());
        op.input.map_or((1.0, 1.0), |input| (scale(input), scale(input + 1)))
    }

    /// The tile of an instant.
    pub(crate) fn tile_of(&self, time: i64) -> i64 {
        time.div_euclid(self.group.hop.0)
    }

    /// Whether an event can fall into a tile.
    pub(crate) fn is_tile(&self, tile: i64) -> bool {
        (self.tile_of(EARLIEST.0)..=self.tile_of(LATEST.0)).contains(&tile)
    }

    /// The first tile that the widest window covers at an instant.
    pub(crate) fn first_tile(&self, at: i64) -> i64 {
        self.widths.last().map_or(i64::MAX, |width| self.tile_of(at - width.0))
    }

    /// What a sketch takes of a row: its value or the hash of it, and the second value of a position. None when null.
    #[inline]
    pub(crate) fn sketch_value(&self, op: &Op<SketchKind>, value: impl Fn(usize) -> i64) -> Option<(i64, i64)> {
        let input = op.input?;
        let first = Some(value(input)).filter(|value| *value != NULL)?;
        match op.kind {
            SketchKind::Path => Some(value(input + 1)).filter(|second| *second != NULL).map(|second| (first, second)),
            SketchKind::Distinct if self.inputs[input].kind != InputKind::Text => Some((units_hash(first), 0)),
            _ => Some((first, 0)),
        }
    }

    fn width_index(&self, width: Span) -> usize {
        self.widths.iter().position(|known| *known == width).unwrap_or_else(|| panic!("all widths were collected before"))
    }

    fn plan(&mut self, feature: &Feature, window: Option<usize>, part: usize) -> Result<Finish, Error> {
        let condition = feature.condition.as_ref().map(|condition| place(&mut self.conditions, condition));
        let always = window.is_none();
        if let Aggregator::Travel = feature.aggregator {
            let input = self.travel_inputs(&feature.inputs);
            return Ok(Finish::Travel { sketch: self.sketch(SketchKind::Path, condition, input) });
        }
        let input = feature.inputs.first().map(|input| (place(&mut self.inputs, input), input.clone()));
        let Some((at, Input { kind, units_max, .. })) = input else {
            let count = self.op(always, Kind::Count, condition, None);
            return Ok(match feature.aggregator {
                Aggregator::Rate { per } => Finish::Rate { count, per },
                _ => Finish::Count { count },
            });
        };
        let scale = kind.scale();
        let mut op = |kind| self.op(always, kind, condition, Some(at));
        let wide_or_not = if units_max <= NARROW_SUM_MAX { Kind::Sum } else { Kind::WideSum };
        Ok(match feature.aggregator {
            Aggregator::Sum => Finish::Sum { sum: op(wide_or_not), scale },
            Aggregator::Mean => Finish::Mean { sum: op(wide_or_not), count: op(Kind::Count), scale },
            Aggregator::Std => {
                let squares = if units_max <= NARROW_SQUARES_MAX { Kind::Squares } else { Kind::WideSquares };
                Finish::Std { sum: op(wide_or_not), squares: op(squares), count: op(Kind::Count), scale }
            }
            Aggregator::Ewma { half_life } => Finish::Ewma { sum: op(wide_or_not), count: op(Kind::Count), scale, half_life },
            Aggregator::Min => Finish::Extreme { extreme: op(Kind::Min), kind },
            Aggregator::Max => Finish::Extreme { extreme: op(Kind::Max), kind },
            Aggregator::First => Finish::Edge { edge: op(Kind::First), kind },
            Aggregator::Last => Finish::Edge { edge: op(Kind::Last), kind },
            Aggregator::Quantile { q } => Finish::Quantile { sketch: self.sketch(SketchKind::Bins, condition, at), q, scale },
            Aggregator::Distinct => Finish::Distinct { sketch: self.sketch(SketchKind::Distinct, condition, at) },
            Aggregator::Top { k } => {
                Finish::Top { sketch: self.sketch(SketchKind::Top, condition, at), k: usize::from(k), part, kind }
            }
            Aggregator::Count | Aggregator::Rate { .. } | Aggregator::OpenCount | Aggregator::Travel => {
                return Err(Error::Unresolved { group: self.group.name.clone(), feature: feature.name.clone() });
            }
        })
    }

    /// Latitude and longitude side by side: a pair of its own for each path, since inputs are otherwise shared one by one.
    fn travel_inputs(&mut self, inputs: &[Input]) -> usize {
        let known = self.inputs.windows(2).position(|pair| pair == inputs);
        known.unwrap_or_else(|| {
            self.inputs.extend_from_slice(inputs);
            self.inputs.len() - inputs.len()
        })
    }

    fn op(&mut self, always: bool, kind: Kind, condition: Option<usize>, input: Option<usize>) -> Op<Kind> {
        let (ops, words) = if always { (&mut self.always, &mut self.always_words) } else { (&mut self.fixed, &mut self.words) };
        let known = ops.iter().find(|op| (op.kind, op.condition, op.input) == (kind, condition, input));
        known.copied().unwrap_or_else(|| {
            let op = Op { kind, condition, input, at: *words };
            *words += kind.words();
            ops.push(op);
            op
        })
    }

    fn sketch(&mut self, kind: SketchKind, condition: Option<usize>, input: usize) -> usize {
        let known = self.sketched.iter().position(|op| (op.kind, op.condition, op.input) == (kind, condition, Some(input)));
        known.unwrap_or_else(|| {
            self.sketched.push(Op { kind, condition, input: Some(input), at: self.sketched.len() });
            self.sketched.len() - 1
        })
    }
}

fn place<T: Clone + PartialEq>(known: &mut Vec<T>, wanted: &T) -> usize {
    known.iter().position(|one| one == wanted).unwrap_or_else(|| {
        known.push(wanted.clone());
        known.len() - 1
    })
}

/// What readers need to know of each group, in order; a schema's id changes with the meaning of any value.
pub fn schemas(pipeline: &Pipeline) -> Vec<Schema> {
    let of = |group: &Group| {
        let base = pipeline.base_of(group.source).map(|base| &pipeline.sources[base]);
        schema(group, &pipeline.sources[group.source], base)
    };
    pipeline.groups.iter().map(of).collect()
}

/// The schema's id changes with everything that changes the meaning of a value.
fn schema(group: &Group, source: &Source, base: Option<&Source>) -> Schema {
    let columns: Vec<(String, domain::ValueKind)> =
        group.columns().into_iter().map(|column| (column.name, column.kind)).collect();
    let Group { entity, key, filter, hop, keep, features, .. } = group;
    let of_group = format!("{entity:?} {key:?} {filter:?} {hop:?} {keep:?} {features:?} {columns:?}");
    let definition = format!("{of_group} {} {}", made_of(source), base.map_or(String::new(), made_of));
    Schema { id: xxh3_64(definition.as_bytes()) as u32, columns, tolerance: group.tolerance }
}

/// What decides which rows a source has; not how many come or how long they may be silent.
fn made_of(source: &Source) -> String {
    let kind = match &source.kind {
        SourceKind::Stream(stream) => {
            let identity = (stream.identity_source, stream.identity_id, stream.time);
            format!("stream {} {identity:?} {:?} {:?} {:?}", stream.topic, stream.skew, stream.lateness, stream.dedup)
        }
        SourceKind::Pair(pair) => format!("pair {:?} {:?} {} {:?}", pair.start, pair.end, pair.key, pair.longest),
        SourceKind::Table(table) => format!("table {:?} {:?} {} {:?}", table.filter, table.gone, table.key, table.longest),
        SourceKind::Absence(Absence { filter, key, rule, zone, .. }) => format!("absence {filter:?} {key} {rule:?} {zone:?}"),
        SourceKind::File { key, .. } => format!("file {key}"),
    };
    format!("{kind} {:?}", source.fields)
}

impl Finish {
    /// The kind of value that units of this kind become when carried through unchanged.
    fn carried(kind: &InputKind, units: i64) -> u64 {
        match kind {
            InputKind::Decimal { .. } => (units as f64 / kind.scale()).to_bits(),
            _ => units.cast_unsigned(),
        }
    }
}
