//! `headway doctor`: whether this machine, this folder and its servers are fit, and what to do where they are not.

use serde_json::json;

use crate::{
    arguments::Doctor,
    console::Console,
    doctor::{Finding, Level, examine},
    failure::{ExitNumber, FAILED, Failure, SUCCESS},
    settings::Servers,
};

pub(super) fn run(arguments: &Doctor, console: &Console) -> Result<ExitNumber, Failure> {
    let servers = Servers::resolve(&arguments.servers)?;
    let findings = super::run::runtime(2)?.block_on(examine(&arguments.folder, &servers));
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let (faults, warnings) = (count(Level::Fault), count(Level::Warning));
    console.result(
        || json!({ "fit": faults == 0, "faults": faults, "warnings": warnings, "findings": findings }),
        || {
            let told: String = findings.iter().map(|finding| text(finding, console)).collect();
            format!("{told}\n{}", summary(faults, warnings))
        },
    )?;
    Ok(if faults == 0 { SUCCESS } else { ExitNumber(FAILED) })
}

fn text(finding: &Finding, console: &Console) -> String {
    let word = match finding.level {
        Level::Ok => console.good("ok     "),
        Level::Warning => console.bad("warning"),
        Level::Fault => console.bad("fault  "),
    };
    let mut text = format!("{word}  {:<10}  {}\n", finding.subject, finding.says);
    let more = finding.lines.iter().map(|line| format!("{:21}{line}\n", ""));
    text.extend(more);
    text.extend(finding.todo.iter().map(|todo| format!("{:21}→ {todo}\n", "")));
    text
}

fn summary(faults: usize, warnings: usize) -> String {
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    match (faults, warnings) {
        (0, 0) => "Fit.".to_owned(),
        (0, warnings) => format!("Fit, with {}.", plural(warnings, "warning")),
        (faults, warnings) => format!("Not fit: {}, {}.", plural(faults, "fault"), plural(warnings, "warning")),
    }
}
