//! `headway check`: every fault of every pipeline, or what a pipeline without faults is made of.

use std::path::{Path, PathBuf};

use dataplane::scorer::Rules;
use pipeline::{Case, Faults, MemoryPlan, Pipeline, SourceKind};
use serde_json::{Value, json};

use crate::{
    console::Console,
    failure::{ExitNumber, FAILED, Failure, SUCCESS},
    table::{bytes, grouped, table},
};

/// How many of the largest takers of memory are worth a line.
const MEMORY_LINES: usize = 3;

type Checked = (PathBuf, Result<Pipeline, Faults>);

pub(super) fn run(folders: &[PathBuf], console: &Console) -> Result<ExitNumber, Failure> {
    let checked: Vec<Checked> = folders.iter().map(|folder| (folder.clone(), pipeline::load(folder))).collect();
    console.result(
        || json!({ "pipelines": checked.iter().map(|(folder, checked)| object(folder, checked)).collect::<Vec<Value>>() }),
        || checked.iter().map(|(_, checked)| text(checked, console)).collect::<Vec<String>>().join("\n"),
    )?;
    let faulty = checked.iter().any(|(_, checked)| checked.is_err());
    Ok(if faulty { ExitNumber(FAILED) } else { SUCCESS })
}

fn object(folder: &Path, checked: &Result<Pipeline, Faults>) -> Value {
    let folder = folder.display().to_string();
    match checked {
        Err(faults) => json!({ "folder": folder, "ok": false, "faults": faults.all() }),
        Ok(pipeline) => {
            let plan = pipeline::memory(pipeline);
            let columns: usize = pipeline.groups.iter().map(|group| group.columns().len()).sum();
            json!({
                "folder": folder,
                "ok": true,
                "id": pipeline.id,
                "sources": pipeline.sources.len(),
                "groups": pipeline.groups.len(),
                "columns": columns,
                "transforms": pipeline.transforms.len(),
                "tests": pipeline.tests.len(),
                "case": pipeline.case.as_ref().zip(Rules::new(pipeline)).map(|(case, rules)| case_object(case, &rules)),
                "memory_bytes": plan.total(),
                "memory_max_bytes": pipeline.memory_max,
            })
        }
    }
}

fn text(checked: &Result<Pipeline, Faults>, console: &Console) -> String {
    match checked {
        Err(faults) => format!("{}\n", console.faults(&faults.to_string())),
        Ok(pipeline) => summary(pipeline, console),
    }
}

fn summary(pipeline: &Pipeline, console: &Console) -> String {
    let plan = pipeline::memory(pipeline);
    let columns: usize = pipeline.groups.iter().map(|group| group.columns().len()).sum();
    let row = |group: &pipeline::Group| {
        let source = &pipeline.sources[group.source];
        let kind = match source.kind {
            SourceKind::Stream(_) => "stream",
            SourceKind::Pair(_) => "pair",
            SourceKind::Table(_) => "table",
            SourceKind::Absence(_) => "absence",
            SourceKind::File { .. } => "file",
        };
        let memory = plan.items.iter().find(|item| item.name == format!("group.{}", group.name)).map_or(0, |item| item.bytes);
        let widest = group.widest();
        vec![
            group.name.clone(),
            group.entity.clone(),
            format!("{} ({kind})", source.name),
            group.features.len().to_string(),
            group.columns().len().to_string(),
            if widest.0 == 0 { String::new() } else { widest.to_string() },
            bytes(memory),
        ]
    };
    let rows: Vec<Vec<String>> = pipeline.groups.iter().map(row).collect();
    let head = ["group", "entity", "source", "features", "columns", "widest", "memory at most"];
    format!(
        "{} {}: {} sources, {} groups, {columns} columns, {} transforms, {} tests\n\n{}\n{}{}",
        console.good("ok"),
        pipeline.id,
        pipeline.sources.len(),
        pipeline.groups.len(),
        pipeline.transforms.len(),
        pipeline.tests.len(),
        table(&head, &rows),
        pipeline.case.as_ref().map_or(String::new(), case),
        memory(pipeline, &plan) + &Rules::new(pipeline).map_or(String::new(), |rules| memory_of_cases(&rules)),
    )
}

/// What is predicted, in a sentence or two.
fn case(case: &Case) -> String {
    let names = |moves: &[pipeline::Move]| moves.iter().map(|told| told.name.clone()).collect::<Vec<String>>();
    let stages = names(&case.stages);
    let ends = names(&case.ends);
    let ends = if ends.is_empty() { String::new() } else { format!(", unless {}", ends.join(" or ")) };
    let mut triggers: Vec<String> = case.triggers.stages.iter().map(|stage| stages[*stage].clone()).collect();
    triggers.extend(case.triggers.every.map(|every| format!("every {every}")));
    let fallbacks: Vec<&str> = case.fallbacks.iter().map(|fallback| &*fallback.name).collect();
    let model = case.model.as_ref();
    let model =
        model.map_or(String::new(), |model| format!("by model {} of {} inputs, or without one ", model.name, model.inputs.len()));
    format!(
        "Predicts each {}: {}{ends}; lost after {}. It is predicted when {}, {model}by {}.\n",
        case.entity,
        stages.join(", "),
        case.longest,
        triggers.join(", "),
        fallbacks.join(", "),
    )
}

fn case_object(case: &Case, rules: &Rules) -> Value {
    let names = |moves: &[pipeline::Move]| moves.iter().map(|told| told.name.clone()).collect::<Vec<String>>();
    json!({
        "entity": case.entity,
        "stages": names(&case.stages),
        "ends": names(&case.ends),
        "inputs": case.model.as_ref().map(|model| model.inputs.len()),
        "fallbacks": case.fallbacks.iter().map(|fallback| &fallback.name).collect::<Vec<&String>>(),
        "case_bytes": rules.case_bytes(),
        "cases_max_of_partition": Rules::CASES_MAX,
    })
}

fn memory(pipeline: &Pipeline, plan: &MemoryPlan) -> String {
    let share = 100.0 * plan.total() as f64 / pipeline.memory_max.max(1) as f64;
    let total = format!(
        "Memory at most {} of {} ({share:.0} %), {} parts. The largest:\n",
        bytes(plan.total()),
        bytes(pipeline.memory_max),
        grouped(plan.items.len() as u64)
    );
    let largest = plan.arithmetic().lines().take(MEMORY_LINES).map(|line| format!("  {line}\n")).collect::<String>();
    total + &largest
}

/// Beside the bound of the spec, which does not know how many partitions there are.
fn memory_of_cases(rules: &Rules) -> String {
    let (each, most) = (rules.case_bytes(), Rules::CASES_MAX);
    format!(
        "Beside that, {} B for each case that is open or was until just now; at most {} of them in a partition, {}.\n",
        grouped(each),
        grouped(most),
        bytes(each * most)
    )
}
