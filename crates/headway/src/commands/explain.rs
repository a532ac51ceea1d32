//! `headway explain`, `audit` and `plan`: where values come from, what was left out of them, and what an edit would change.

use serde_json::Value;

use super::asking::{Asking, unexpected};
use crate::{
    arguments::{AuditLate, Explain, Plan},
    console::Console,
    failure::Failure,
    host::control::{Answer, Request},
};

pub(super) fn explain(arguments: &Explain, console: &Console) -> Result<(), Failure> {
    let (entity, key) = &arguments.entity;
    let pipeline = arguments.pipeline.clone();
    let request = match arguments.feature.clone() {
        Some(feature) => {
            Request::Explain { pipeline, entity: format!("{entity}:{key}"), feature, at_ms: arguments.at.map(|at| at.0) }
        }
        None => Request::ExplainCase { pipeline, entity: entity.clone(), key: key.clone() },
    };
    tell(&arguments.folder, request, console)
}

pub(super) fn late(arguments: &AuditLate, console: &Console) -> Result<(), Failure> {
    let request = Request::AuditLate { pipeline: arguments.pipeline.clone(), back_ms: arguments.back.0 };
    tell(&arguments.folder, request, console)
}

pub(super) fn plan(arguments: &Plan, console: &Console) -> Result<(), Failure> {
    // Faults are told before anybody is asked, and a process elsewhere needs the whole path.
    pipeline::load(&arguments.pipeline)?;
    let spec = arguments.pipeline.canonicalize().map_err(|error| Failure::reading(&arguments.pipeline, &error))?;
    tell(&arguments.folder, Request::Plan { spec, hours: arguments.hours }, console)
}

fn tell(folder: &std::path::Path, request: Request, console: &Console) -> Result<(), Failure> {
    super::run::runtime(3)?.block_on(async {
        let mut asking = Asking::of(folder).await?;
        let (object, text): (Value, String) = match asking.ask(request).await? {
            Answer::Told { object, text } => (object, text),
            other => return Err(unexpected(&other)),
        };
        console.result(|| object, || text)?;
        asking.close().await
    })
}
