//! The contract of the log port. An adapter implements `Harness` and calls `log_contract!`, which makes one test of every case.
//! Never relies on when a rebalance happens: it asks for events until what it waits for comes, so often at most.

pub mod commits;
mod consumer;
pub mod crashes;
pub mod groups;
pub mod membership;
mod model;
pub mod random;
pub mod records;
pub mod retention;
mod scene;
pub mod times;

use std::future::Future;

use domain::{Span, Timestamp};
use ports::Log;

/// How many random scripts of each length.
#[derive(Clone, Copy, Debug)]
pub struct Scripts {
    /// Of a few steps, each run once for every place a crash can have.
    pub short: u64,
    /// Of many steps, with crashes by chance.
    pub long: u64,
}

/// An adapter with a world of its own around it, which can fall down.
pub trait Harness {
    /// The adapter.
    type Log: Log;

    /// Whether members hear of more behind records that are only a moment old. A log that is far away finds out too late.
    const TELLS_OF_YOUNG: bool = true;

    /// How many random scripts are run: fewer where a crash takes seconds.
    const SCRIPTS: Scripts = Scripts { short: 6, long: 4 };

    /// The log, opened for the first time.
    fn open(&mut self) -> impl Future<Output = Self::Log>;

    /// The process that has the log dies at this instant, and another one opens what it left. Members of the old log are not
    /// asked anything any more.
    fn crash(&mut self, log: Self::Log) -> impl Future<Output = Self::Log>;
}

/// An adapter whose clock is in the harness's hand.
pub trait Clocked: Harness {
    /// The log's clock.
    fn now(&self) -> Timestamp;

    /// Sets the clock, forward or back.
    fn set_clock(&mut self, now: Timestamp);

    /// Lets so much time pass by the clock and gives retention the opportunity to work all through it.
    fn pass(&mut self, log: &Self::Log, span: Span) -> impl Future<Output = ()>;
}

/// Makes a test of every case of the contract: `log_contract!(make, runtime)`, where `make()` gives a new `Harness` and `runtime()`
/// what it runs on: for a fake, in paused time.
#[macro_export]
macro_rules! log_contract {
    ($make:path, $runtime:path) => {
        $crate::log_contract!(@module records $make, $runtime:
            records_come_back_as_they_were_written
            each_partition_keeps_its_order
            an_unknown_topic_or_partition_is_invalid
            nothing_of_a_refused_append_is_seen
            reading_gives_at_least_one_and_stops_at_the_bound
            reading_behind_the_end_gives_nothing
            an_end_that_was_seen_before_hides_nothing
            reading_begins_inside_of_what_was_appended_together
            every_append_time_is_found
            topics_are_created_once
            another_number_of_partitions_is_invalid
        );
        $crate::log_contract!(@module membership $make, $runtime:
            the_first_event_tells_what_is_assigned
            partitions_are_shared_evenly
            what_is_revoked_may_be_committed_before_it_goes
            who_leaves_gives_everything_back
            who_joins_under_the_same_name_fences_the_one_before
            joining_for_unknown_or_unequal_topics_is_invalid
            groups_do_not_know_of_each_other
        );
        $crate::log_contract!(@module groups $make, $runtime:
            nothing_is_delivered_before_start
            delivery_begins_where_start_says
            starting_again_drops_what_was_not_taken
            more_is_told_until_there_is_none
            a_paused_partition_is_silent
            a_paused_topic_is_silent
            nothing_new_is_idle
            a_cancelled_wait_loses_nothing
            all_topics_of_a_partition_are_delivered
        );
        $crate::log_contract!(@module commits $make, $runtime:
            positions_note_and_outputs_come_together
            a_topic_without_an_entry_keeps_its_position
            a_note_that_is_too_long_is_invalid
            nothing_of_a_refused_commit_is_seen
            a_partition_of_somebody_else_is_fenced
            what_was_not_committed_comes_again
        );
        $crate::log_contract!(@module crashes $make, $runtime:
            what_was_appended_survives
            what_was_committed_survives
            topics_survive
        );
        $crate::log_contract!(@module random $make, $runtime:
            short_scripts_with_a_crash_at_every_place
            long_scripts_with_crashes_by_chance
        );
    };
    (@module $module:ident $make:path, $runtime:path: $($case:ident)*) => {
        mod $module {
            use super::*;

            $(
                #[test]
                fn $case() {
                    $runtime().block_on($crate::contract::log::$module::$case(&$make));
                }
            )*
        }
    };
}

/// The same for the cases that need a clock in the harness's hand.
#[macro_export]
macro_rules! clocked_log_contract {
    ($make:path, $runtime:path) => {
        $crate::log_contract!(@module times $make, $runtime:
            append_times_are_those_of_the_clock
            append_times_never_go_back
            an_instant_is_found_by_append_time
        );
        $crate::log_contract!(@module retention $make, $runtime:
            old_records_go
            the_oldest_go_when_there_are_too_many_bytes
            who_is_too_far_behind_goes_on_with_the_oldest
            another_retention_is_taken_over
            retention_survives
        );
    };
}
