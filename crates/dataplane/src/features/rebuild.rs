//! A state that is made again from the log because its snapshots cannot be used: what an operator has to hear of it.

use std::fmt;

use domain::Timestamp;

use super::Plan;
use crate::past::{self, Beginning, Incomplete};

/// One state of a partition that is made again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuild {
    /// Of which pipeline.
    pub pipeline: String,
    /// Of which of its generations.
    pub generation: u32,
    /// Whose state.
    pub partition: u32,
    /// Which piece of a snapshot, and what is wrong with it.
    pub fault: String,
    /// Records of the log that are taken again.
    pub records: u64,
    /// What the log cannot give back, since retention has taken it.
    pub incomplete: Vec<Incomplete>,
}

impl Rebuild {
    /// The groups that cannot be whole when the topics of a plan, the partials last, were cut at these instants.
    pub(super) fn incomplete(plan: &Plan, begins: &[Option<Timestamp>], at: Timestamp) -> Vec<Incomplete> {
        // What other partitions have sent is of any of the topics.
        let partials = begins.last().copied().flatten();
        let begins = |topic: usize| begins[topic].max(partials).map(|at| Beginning { at, cut: true });
        past::incomplete(&plan.pipeline, &plan.topics, begins, at)
    }
}

impl fmt::Display for Rebuild {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pipeline, generation, partition, fault, records, incomplete } = self;
        write!(
            out,
            "{pipeline}: partition {partition} of generation {generation} cannot go on from its snapshots: {fault}. Its state is made \
             again from {records} records of the log, and a new snapshot follows."
        )?;
        for Incomplete { group, begins, until, words } in incomplete {
            write!(
                out,
                " The log begins at {} since retention took what was before, so {group} may lack events until {until} ({words}).",
                begins.at
            )?;
        }
        Ok(())
    }
}
