//! The pipelines that are deployed, with their revisions and generations.

use dataplane::deploy;
use ports::Deployment;

use super::{Finding, Patient};

const SUBJECT: &str = "pipeline";

pub(super) fn findings(patient: &Patient<'_>) -> Vec<Finding> {
    if patient.deployments.is_empty() {
        return vec![Finding::ok(SUBJECT, "none is deployed yet: name one, as in `headway run pipelines/delivery-eta`")];
    }
    patient.deployments.iter().map(finding).collect()
}

fn finding(deployment: &Deployment) -> Finding {
    let id = &deployment.pipeline;
    for built in &deployment.generations {
        if let Err(faults) = pipeline::parse(id, &built.spec) {
            let says = format!("the spec of {id}, generation {}, has faults for this version of Headway", built.generation);
            let finding =
                Finding::fault(SUBJECT, says).with("Run the version that deployed it, or mend the spec and deploy it anew.");
            return Finding { lines: faults.to_string().lines().map(str::to_owned).collect(), ..finding };
        }
    }
    let generation = |generation: &deploy::Generation| {
        let builds = if generation.builds { ", being built" } else { "" };
        let groups: Vec<&str> = generation.groups.iter().map(String::as_str).collect();
        format!("generation {}{builds}: {}", generation.number, groups.join(", "))
    };
    let (revision, at, groups) = (deployment.revision, deployment.at, deployment.groups.len());
    let lines = deploy::generations(deployment).iter().map(generation).collect();
    Finding { lines, ..Finding::ok(SUBJECT, format!("{id}: revision {revision} of {at}, {groups} groups")) }
}
