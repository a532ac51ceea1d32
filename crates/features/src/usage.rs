//! Which fields of which source anything looks at: the others are checked when decoded and not kept.

use pipeline::{Case, Expr, FieldKind, Pipeline, SourceKind, Zone};

/// For each source, for each of its fields, whether it is used.
pub(crate) fn used_fields(pipeline: &Pipeline) -> Vec<Vec<bool>> {
    let mut used: Vec<Vec<bool>> = pipeline.sources.iter().map(|source| vec![false; source.fields.len()]).collect();
    for group in &pipeline.groups {
        let marks = &mut used[group.source];
        mark(&group.key, marks);
        group.filter.iter().for_each(|filter| mark(filter, marks));
        for feature in &group.features {
            feature.condition.iter().for_each(|condition| mark(condition, marks));
            feature.inputs.iter().for_each(|input| mark(&input.expr, marks));
        }
    }
    // A derived source hands on what is used of it, and looks at its base itself.
    for (place, source) in pipeline.sources.iter().enumerate().rev() {
        let (from, exprs, key) = match &source.kind {
            SourceKind::Pair(pair) => (pair.from, vec![&pair.start, &pair.end], pair.key),
            SourceKind::Table(table) => (table.from, table.filter.iter().chain(&table.gone).collect(), table.key),
            SourceKind::Absence(absence) => {
                if let Zone::Field(field) = absence.zone {
                    used[absence.from][field] = true;
                }
                (absence.from, absence.filter.iter().collect(), absence.key)
            }
            SourceKind::Stream(_) | SourceKind::File { .. } => continue,
        };
        for (field, _) in source.fields.iter().zip(used[place].clone()).filter(|(_, used)| *used) {
            if let Some(at) = pipeline.sources[from].fields.iter().position(|other| other.name == field.name) {
                used[from][at] = true;
            }
        }
        used[from][key] = true;
        exprs.into_iter().for_each(|expr| mark(expr, &mut used[from]));
    }
    mark_positions(pipeline, &mut used);
    used
}

/// The same for what a case looks at.
pub(crate) fn fields_of_case(pipeline: &Pipeline, case: &Case) -> Vec<Vec<bool>> {
    let mut used: Vec<Vec<bool>> = pipeline.sources.iter().map(|source| vec![false; source.fields.len()]).collect();
    for told in case.stages.iter().chain(&case.ends) {
        used[told.source][told.key] = true;
        told.filter.iter().for_each(|filter| mark(filter, &mut used[told.source]));
    }
    for (source, field) in case.attributes.iter().flat_map(|attribute| &attribute.told_by) {
        used[*source][*field] = true;
    }
    mark_positions(pipeline, &mut used);
    used
}

/// A cell is computed from its position.
fn mark_positions(pipeline: &Pipeline, used: &mut [Vec<bool>]) {
    for (source, marks) in pipeline.sources.iter().zip(used) {
        for (place, field) in source.fields.iter().enumerate() {
            if let FieldKind::Cell { latitude, longitude, .. } = field.kind
                && marks[place]
            {
                marks[latitude] = true;
                marks[longitude] = true;
            }
        }
    }
}

fn mark(expr: &Expr, used: &mut [bool]) {
    match expr {
        Expr::Field(field) => used[*field] = true,
        Expr::Number(_) | Expr::Text(_) | Expr::Boolean(_) | Expr::Null(_) => {}
        Expr::Negate(inner) | Expr::Not(inner) | Expr::IsNull(inner) => mark(inner, used),
        Expr::Arithmetic(_, left, right) | Expr::Compare(_, left, right) | Expr::And(left, right) | Expr::Or(left, right) => {
            mark(left, used);
            mark(right, used);
        }
        Expr::In(inner, list) => {
            mark(inner, used);
            list.iter().for_each(|literal| mark(literal, used));
        }
        Expr::Case(branches, otherwise) => {
            branches.iter().for_each(|(condition, value)| {
                mark(condition, used);
                mark(value, used);
            });
            mark(otherwise, used);
        }
        Expr::Call(_, arguments) => arguments.iter().for_each(|argument| mark(argument, used)),
    }
}
