//! What can go wrong with a log, decided by whoever runs the simulation.

use std::time::Duration;

/// Something that is about to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation<'o> {
    /// Topics are created.
    Create,
    /// Records are appended outside any commit.
    Append {
        /// How many.
        records: usize,
    },
    /// A member joins.
    Join {
        /// Which group.
        group: &'o str,
        /// Under which name.
        member: &'o str,
    },
    /// A member asks for an event.
    Next {
        /// Of which group.
        group: &'o str,
        /// Under which name.
        member: &'o str,
    },
    /// A member commits.
    Commit {
        /// Of which group.
        group: &'o str,
        /// Under which name.
        member: &'o str,
        /// Which partition.
        partition: u32,
    },
    /// Somebody looks at records, bounds or positions outside any group.
    Read,
}

/// What goes wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It takes this long.
    Delay(Duration),
    /// It fails as `Transient` and did not happen.
    ErrorBefore,
    /// It fails as `Transient` and did happen; of `next`, nothing is lost by it.
    ErrorAfter,
    /// The member was silent for too long: its partitions have gone to others. Its commit is fenced, its next event is `Lost`, and
    /// with the one after it is a member again. Nothing for other operations than `Next` and `Commit`.
    Lose,
    /// All partitions of the group change hands, as far as there are several members. Only for `Next`.
    Rebalance,
}

/// Says what goes wrong, operation by operation. A closure will do.
pub trait FaultPlan: Send + 'static {
    /// The fault of this operation.
    fn decide(&mut self, operation: &Operation<'_>) -> Fault;
}

impl<F: FnMut(&Operation<'_>) -> Fault + Send + 'static> FaultPlan for F {
    fn decide(&mut self, operation: &Operation<'_>) -> Fault {
        self(operation)
    }
}
