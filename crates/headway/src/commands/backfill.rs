//! `headway backfill`: features at the instants of a spine, into a file.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;
use workbench::{Report, Request, backfill};

use crate::{
    arguments::{Backfill, Mode},
    console::Console,
    failure::Failure,
    table::{grouped, preview},
};

pub(super) fn run(arguments: &Backfill, console: &Console) -> Result<(), Failure> {
    let pipeline = pipeline::load(&arguments.pipeline)?;
    let request = Request {
        pipeline: Arc::new(pipeline),
        folder: arguments.pipeline.clone(),
        events: arguments.events.clone(),
        spine: arguments.spine.clone(),
        mode: match arguments.mode {
            Mode::Available => workbench::Mode::Available,
            Mode::Complete => workbench::Mode::Complete,
        },
        out: arguments.out.clone(),
        show: arguments.show,
    };
    let marker = console.marker();
    let report = backfill(&request, &marker)?;
    let seconds = marker.seconds();
    let out = arguments.out.display().to_string();
    console.result(
        || {
            json!({
                "out": out,
                "rows": report.rows,
                "columns": report.columns,
                "records": report.counts.records,
                "refused": report.counts.refused,
                "dropped": report.counts.dropped,
                "seconds": seconds,
            })
        },
        || text(&report, &out, seconds),
    )?;
    Ok(())
}

fn text(report: &Report, out: &str, seconds: f64) -> String {
    let Report { counts, rows, columns, preview: shown } = report;
    let mut text = preview(shown);
    if shown.rows.len() < *rows && !shown.rows.is_empty() {
        text.push_str(&format!("… {} more rows\n", grouped((rows - shown.rows.len()) as u64)));
    }
    text.push_str(&format!(
        "\n{} rows of {columns} columns in {out}, from {} records in {seconds:.1} s\n",
        grouped(*rows as u64),
        grouped(counts.records)
    ));
    for (what, counts) in [("refused", &counts.refused), ("not kept", &counts.dropped)] {
        if !counts.is_empty() {
            text.push_str(&format!("{what}: {}\n", listed(counts)));
        }
    }
    text
}

fn listed(counts: &BTreeMap<&'static str, u64>) -> String {
    counts.iter().map(|(reason, count)| format!("{} {reason}", grouped(*count))).collect::<Vec<String>>().join(", ")
}
