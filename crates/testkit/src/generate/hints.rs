//! What a pipeline's expressions give away about a stream's fields: which are keys and positions, and what they are
//! compared with. Only walks trees; never evaluates one.

use std::collections::{BTreeMap, BTreeSet};

use pipeline::{Aggregator, Expr, Field, FieldKind, Pipeline, SourceKind, Zone};

/// What a field that names a zone may say: some that exist, far apart or close to each other, and one that does not.
const ZONES: [&str; 6] = ["Europe/Vienna", "Europe/London", "+01:30", "+00:45", "Asia/Kolkata", "nowhere"];

/// By index of the stream's field.
#[derive(Debug, Default)]
pub(crate) struct Hints {
    pub(crate) texts: BTreeMap<usize, BTreeSet<String>>,
    /// Numbers that are compared with, as they stand in the expression.
    pub(crate) numbers: BTreeMap<usize, Vec<f64>>,
    pub(crate) keys: BTreeSet<usize>,
    pub(crate) latitudes: BTreeSet<usize>,
    pub(crate) longitudes: BTreeSet<usize>,
}

/// The hints about one stream, from everything that is made of it.
pub(crate) fn hints(pipeline: &Pipeline, stream: usize) -> Hints {
    let mut hints = Hints::default();
    let base = &pipeline.sources[stream].fields;
    if let SourceKind::Stream(declared) = &pipeline.sources[stream].kind {
        hints.keys.insert(declared.key);
    }
    for field in base {
        if let FieldKind::Cell { latitude, longitude, .. } = &field.kind {
            hints.latitudes.insert(*latitude);
            hints.longitudes.insert(*longitude);
        }
    }
    for source in &pipeline.sources {
        match &source.kind {
            SourceKind::Pair(pair) if pair.from == stream => {
                hints.keys.insert(pair.key);
                hints.learn(base, base, &pair.start);
                hints.learn(base, base, &pair.end);
            }
            SourceKind::Table(table) if table.from == stream => {
                hints.keys.insert(table.key);
                for condition in [&table.filter, &table.gone].into_iter().flatten() {
                    hints.learn(base, base, condition);
                }
            }
            SourceKind::Absence(absence) if absence.from == stream => {
                hints.keys.insert(absence.key);
                absence.filter.iter().for_each(|filter| hints.learn(base, base, filter));
                if let Zone::Field(field) = absence.zone {
                    hints.texts.entry(field).or_default().extend(ZONES.map(str::to_owned));
                }
            }
            _ => {}
        }
    }
    for group in pipeline.groups.iter().filter(|group| pipeline.base_of(group.source) == Some(stream)) {
        let own = &pipeline.sources[group.source].fields;
        visit(&group.key, &mut |node| hints.keys.extend(base_field(base, own, node)));
        hints.learn(base, own, &group.key);
        group.filter.iter().for_each(|filter| hints.learn(base, own, filter));
        for feature in &group.features {
            feature.condition.iter().for_each(|condition| hints.learn(base, own, condition));
            feature.inputs.iter().for_each(|input| hints.learn(base, own, &input.expr));
            if feature.aggregator == Aggregator::Travel {
                hints.latitudes.extend(base_field(base, own, &feature.inputs[0].expr));
                hints.longitudes.extend(base_field(base, own, &feature.inputs[1].expr));
            }
        }
    }
    hints
}

impl Hints {
    /// Every literal in a comparison, list or call is a hint about every field in it.
    fn learn(&mut self, base: &[Field], own: &[Field], expr: &Expr) {
        visit(expr, &mut |node| {
            if !matches!(node, Expr::Compare(..) | Expr::In(..) | Expr::Call(..)) {
                return;
            }
            let (mut fields, mut texts, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
            visit(node, &mut |inner| match inner {
                Expr::Field(_) => fields.extend(base_field(base, own, inner)),
                Expr::Text(text) => texts.push(text.clone()),
                Expr::Number(number) => numbers.push(*number),
                _ => {}
            });
            for field in fields {
                self.texts.entry(field).or_default().extend(texts.iter().cloned());
                self.numbers.entry(field).or_default().extend(&numbers);
            }
        });
    }
}

/// The stream's own field that a bare field of it or of a derived source comes from.
fn base_field(base: &[Field], own: &[Field], expr: &Expr) -> Option<usize> {
    let Expr::Field(index) = expr else { return None };
    base.iter().position(|field| field.name == own[*index].name)
}

fn visit(expr: &Expr, seen: &mut dyn FnMut(&Expr)) {
    seen(expr);
    match expr {
        Expr::Field(_) | Expr::Number(_) | Expr::Text(_) | Expr::Boolean(_) | Expr::Null(_) => {}
        Expr::Negate(inner) | Expr::Not(inner) | Expr::IsNull(inner) => visit(inner, seen),
        Expr::Arithmetic(_, left, right) | Expr::Compare(_, left, right) | Expr::And(left, right) | Expr::Or(left, right) => {
            visit(left, seen);
            visit(right, seen);
        }
        Expr::In(inner, list) => {
            visit(inner, seen);
            list.iter().for_each(|item| visit(item, seen));
        }
        Expr::Case(branches, otherwise) => {
            for (condition, value) in branches {
                visit(condition, seen);
                visit(value, seen);
            }
            visit(otherwise, seen);
        }
        Expr::Call(_, arguments) => arguments.iter().for_each(|argument| visit(argument, seen)),
    }
}
