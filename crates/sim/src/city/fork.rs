//! Copies of a city whose future is open again: what somebody could believe who knows all that can be seen now, and none of what
//! has been drawn already but has not come yet.

use domain::Timestamp;

use super::{Chances, City, Task, order_name};
use crate::chance::{Chance, Stream};

impl City {
    /// A muted copy. Queues, places, weather and everybody's lasting traits are the same; every duration that has begun is drawn
    /// again, given that it has not ended, and everything after it comes from another seed.
    pub(crate) fn fork(&self, seed: u64) -> Self {
        let mut copy = self.clone();
        copy.is_muted = true;
        copy.chances = Chances::new(seed);
        let is_heard = |task: &Task| !matches!(task, Task::Ping(_) | Task::Measure(_));
        copy.agenda.redraw(copy.now, &mut Chance::new(seed, Stream::Future), is_heard);
        copy
    }

    /// Lives on until an order ends or this instant has come, and answers how many seconds its delivery took.
    pub(crate) fn deliver(&mut self, number: u64, until: Timestamp) -> Option<f64> {
        while self.orders.contains_key(&number) && self.agenda.next_at().is_some_and(|at| at < until) {
            self.step();
        }
        let name = order_name(&self.settings.label, number);
        self.truths.iter().rev().find(|truth| truth.order_id == name)?.delivery_seconds()
    }
}
