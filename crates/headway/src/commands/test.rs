//! `headway test`: runs the pipelines' own tests and shows what differs.

use std::{path::PathBuf, sync::Arc};

use serde_json::{Value, json};
use workbench::{Outcome, run_cases};

use crate::{
    console::Console,
    failure::{ExitNumber, FAILED, Failure, SUCCESS},
};

pub(super) fn run(folders: &[PathBuf], console: &Console) -> Result<ExitNumber, Failure> {
    let mut tested = Vec::new();
    for folder in folders {
        let pipeline = Arc::new(pipeline::load(folder)?);
        tested.push((pipeline.id.clone(), run_cases(&pipeline, folder)?));
    }
    let failed = tested.iter().flat_map(|(_, outcomes)| outcomes).filter(|outcome| !outcome.holds()).count();
    let passed = tested.iter().map(|(_, outcomes)| outcomes.len()).sum::<usize>() - failed;
    let object = |(id, outcomes): &(String, Vec<Outcome>)| {
        let tests: Vec<Value> = outcomes.iter().map(outcome_object).collect();
        json!({ "id": id, "tests": tests })
    };
    console.result(
        || json!({ "passed": passed, "failed": failed, "pipelines": tested.iter().map(object).collect::<Vec<Value>>() }),
        || {
            let outcomes = tested.iter().flat_map(|(id, outcomes)| outcomes.iter().map(move |outcome| (id, outcome)));
            let lines: String = outcomes.map(|(id, outcome)| outcome_text(id, outcome, console)).collect();
            format!("{lines}{passed} passed, {failed} failed")
        },
    )?;
    Ok(if failed > 0 { ExitNumber(FAILED) } else { SUCCESS })
}

fn outcome_object(outcome: &Outcome) -> Value {
    let difference = |difference: &workbench::Difference| {
        let (expected, found) = (difference.expected, difference.found);
        json!({ "entity": difference.entity, "column": difference.column, "expected": expected, "found": found })
    };
    json!({
        "name": outcome.name,
        "ok": outcome.holds(),
        "at": outcome.at.to_string(),
        "compared": outcome.compared,
        "differences": outcome.differences.iter().map(difference).collect::<Vec<Value>>(),
    })
}

fn outcome_text(id: &str, outcome: &Outcome, console: &Console) -> String {
    let name = &outcome.name;
    if outcome.holds() {
        return format!("{} {id}: {name} ({} values)\n", console.good("ok"), outcome.compared);
    }
    let mut text = format!("{} {id}: {name}, at {}\n", console.bad("failed"), outcome.at);
    for difference in &outcome.differences {
        text.push_str(&format!("    {difference}\n"));
    }
    if outcome.unseen > 0 {
        text.push_str(&format!("    {} events arrive at or after that instant and were not seen\n", outcome.unseen));
    }
    text
}
