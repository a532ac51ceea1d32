//! Orders without end, in batches, and the pipelines over them.

use domain::{Span, Timestamp};
use pipeline::Pipeline;

use crate::stopwatch::START;

/// Time between two orders: two hours hold about two million.
const PAUSE_MICROSECONDS: u64 = 3600;

/// The pipeline that `headway bench` measures and that is compared with a batch job.
const PIPELINE: &str = include_str!("../../../workbench/compare/orders/pipeline.toml");
/// What comes before its features.
const FEATURES: &str = "[group.store_orders.features]\n";
/// Its bound of entities, which is too low for what is measured here.
const ENTITIES: &str = "entities = 10000\n";

/// Four aggregates, which share four partials of one word each, over these windows.
pub(crate) fn four_aggregates(windows: &[&str]) -> Pipeline {
    let windows = format!("windows = {windows:?}");
    let aggregators = ["count = \"*\"", "sum = \"basket\"", "mean = \"basket\"", "max = \"basket\""];
    let named = aggregators.iter().enumerate();
    pipeline(&named.map(|(place, aggregator)| format!("f{place} = {{ {aggregator}, {windows} }}\n")).collect::<String>())
}

/// This one aggregate over a window of an hour.
pub(crate) fn one_aggregate(aggregator: &str) -> Pipeline {
    pipeline(&format!("f = {{ {aggregator}, windows = [\"1h\"] }}"))
}

fn pipeline(features: &str) -> Pipeline {
    let (rest, _) = PIPELINE.split_once(FEATURES).expect("the features stand at the end");
    let (before, after) = rest.split_once(ENTITIES).expect("a bound of entities");
    let spec = format!("{before}entities = 100000\n{after}{FEATURES}{features}");
    pipeline::parse("bench", &spec).expect("a spec without faults")
}

/// The orders of so many stores, each as likely as the others, in order of time.
pub(crate) struct Orders {
    stores: u64,
    made: u64,
    chance: u64,
}

impl Orders {
    pub(crate) fn of(stores: u64) -> Self {
        Self { stores, made: 0, chance: 1 }
    }

    /// The next so many payloads, and the instant at which they are all appended.
    pub(crate) fn batch(&mut self, size: usize) -> (Vec<String>, Timestamp) {
        let payloads = (0..size).map(|_| self.order()).collect();
        (payloads, self.time())
    }

    fn time(&self) -> Timestamp {
        START.plus(Span((self.made * PAUSE_MICROSECONDS / 1000).cast_signed()))
    }

    fn order(&mut self) -> String {
        let (time, id, order) = (self.time().to_string(), self.made, self.made / 4);
        let (store, cents) = (self.below(self.stores), 500 + self.below(9000));
        self.made += 1;
        format!(
            "{{\"id\":\"e{id:011}\",\"source\":\"order-service\",\"type\":\"order.placed\",\"occurred_at\":\"{time}\",\
             \"order_id\":\"o{order:010}\",\"store_id\":\"s{store:06}\",\"basket\":{}.{:02}}}",
            cents / 100,
            cents % 100
        )
    }

    /// A number below `end` by a linear congruence: the same in every run, and even enough for measuring.
    fn below(&mut self, end: u64) -> u64 {
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.chance >> 33) % end
    }
}
