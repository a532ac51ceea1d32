//! `headway sample`: a generated history and a spine to ask about it.

use serde_json::json;
use workbench::{SampleRequest, sample};

use crate::{arguments::Sample, console::Console, failure::Failure, table::grouped};

pub(super) fn run(arguments: &Sample, console: &Console) -> Result<(), Failure> {
    let pipeline = pipeline::load(&arguments.pipeline)?;
    let request = SampleRequest {
        folder: arguments.pipeline.clone(),
        events: arguments.events,
        rows: arguments.rows,
        seed: arguments.seed,
        out: arguments.out.clone(),
        spine: arguments.spine.clone(),
    };
    let made = sample(&pipeline, &request, &console.marker())?;
    let out = arguments.out.display().to_string();
    let spine = arguments.spine.as_ref().map(|spine| spine.display().to_string());
    let (from, to) = (made.from.to_string(), made.to.to_string());
    console.result(
        || json!({ "out": out, "events": made.events, "from": from, "to": to, "spine": spine, "rows": made.rows }),
        || {
            let events = format!("{} events from {from} to {to} in {out}", grouped(made.events));
            match &spine {
                Some(spine) => format!("{events}\n{} instants to ask about in {spine}", grouped(made.rows as u64)),
                None => events,
            }
        },
    )?;
    Ok(())
}
