//! A simulated world that produces events for whoever takes them: a city for deliveries, a fleet for scooters.

use std::{sync::Arc, time::Duration};

use domain::{Span, Timestamp};
use pipeline::LocalTime;
use sim::{City, Faults, Feed, Fleet, FleetScenario, FleetSettings, Gateway, Record, Scenario, Settings};
use tokio::sync::watch;

use crate::{
    failure::Failure,
    host::{Host, control::Event},
};

/// Small beside what a reader would call late, large enough that appends are not one by one.
const EVERY: Duration = Duration::from_millis(50);
/// Events in one append: a megabyte or two.
const EVENTS_MAX: usize = 4096;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// What is simulated.
#[derive(Clone, Copy, Debug)]
pub(crate) enum World {
    City(Scenario),
    Fleet(FleetScenario),
}

/// What a simulated city is like at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Orders that have not ended.
    pub(crate) orders_open: u64,
    /// Orders placed so far.
    pub(crate) orders_placed: u64,
    pub(crate) weather: &'static str,
}

/// A world and its gateway.
pub(crate) enum Producer {
    City(Box<Feed<City>>),
    Fleet(Box<Feed<Fleet>>),
}

impl World {
    /// The world that produces events for a pipeline, by the topics that it reads.
    pub(crate) fn named(name: &str) -> Result<Self, Failure> {
        if let Ok(scenario) = name.parse() {
            return Ok(Self::City(scenario));
        }
        if let Ok(scenario) = name.parse() {
            return Ok(Self::Fleet(scenario));
        }
        let cities: Vec<&str> = Scenario::ALL.iter().map(|scenario| scenario.name()).collect();
        let fleets: Vec<&str> = FleetScenario::ALL.iter().map(|scenario| scenario.name()).collect();
        Err(Failure::failed(format!(
            "there is no scenario {name}; there are {} for a city and {} for scooters.",
            cities.join(", "),
            fleets.join(", ")
        )))
    }

    /// When the clocks of this world show a time of day, from an instant on.
    pub(crate) fn next(self, at: LocalTime, from: Timestamp) -> Timestamp {
        let offset = match self {
            Self::City(_) => Settings::default().utc_offset,
            Self::Fleet(_) => FleetSettings::default().utc_offset,
        };
        let ahead = i64::from(at.minute) * MINUTE_MS - offset.0 - from.0;
        from.plus(Span(ahead.rem_euclid(DAY_MS)))
    }
}

impl Producer {
    pub(crate) fn new(world: World, start: Timestamp, seed: u64, faults: Faults) -> Result<Self, Failure> {
        let gateway = Gateway::new(faults, seed)?;
        // A world that begins at another instant is another one, even in the same log.
        let label = format!("{:x}-", start.0 / 1000);
        Ok(match world {
            World::City(scenario) => Self::City(Box::new(Feed::new(
                City::new(Settings { scenario, start, label, ..Settings::default() }, seed)?,
                gateway,
            ))),
            World::Fleet(scenario) => Self::Fleet(Box::new(Feed::new(
                Fleet::new(FleetSettings { scenario, start, label, ..FleetSettings::default() }, seed)?,
                gateway,
            ))),
        })
    }

    /// All records that arrive before an instant.
    pub(crate) fn advance(&mut self, until: Timestamp) -> Vec<Record> {
        match self {
            Self::City(feed) => feed.advance(until),
            Self::Fleet(feed) => feed.advance(until),
        }
    }

    /// Lines of what really became of the orders that have ended since this was last asked; a fleet's check-ins that did not come.
    pub(crate) fn take_truths(&mut self) -> Vec<Vec<u8>> {
        match self {
            Self::City(feed) => feed.world().take_truths().iter().map(sim::Truth::line).collect(),
            Self::Fleet(feed) => feed.world().take_absences().iter().map(missed).collect(),
        }
    }

    /// What a person sees of a city; a fleet is seen by its features alone.
    fn figures(&mut self) -> Option<Figures> {
        match self {
            Self::City(feed) => {
                let city = feed.world();
                let (orders_open, orders_placed) = (city.orders_open() as u64, city.orders_placed());
                Some(Figures { orders_open, orders_placed, weather: city.weather() })
            }
            Self::Fleet(_) => None,
        }
    }
}

/// Who takes the events of a world, and by whose clock it lives.
pub(crate) trait Taker {
    /// Up to when the world goes on; none when it has gone on for long enough.
    fn now(&mut self) -> impl Future<Output = Result<Option<Timestamp>, Failure>> + Send;

    /// Takes some events, in their order. When it returns they survive a crash.
    fn take(&mut self, records: &[Record]) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Lets the world go on by a taker's clock until that says that it is enough, and tells its figures. Never more than one `take` is
/// under way, which bounds what was sent and not acknowledged.
pub(crate) async fn live(
    taker: &mut impl Taker,
    producer: &mut Producer,
    mut tell: impl FnMut(Option<Figures>),
) -> Result<(), Failure> {
    while let Some(now) = taker.now().await? {
        for records in producer.advance(now).chunks(EVENTS_MAX) {
            taker.take(records).await?;
        }
        tell(producer.figures());
        tokio::time::sleep(EVERY).await;
    }
    Ok(())
}

/// A world beside a host, in the same process, for as long as the task lives.
pub(crate) async fn beside(
    host: Arc<Host>,
    prefix: String,
    mut producer: Producer,
    figures: watch::Sender<Option<Figures>>,
) -> Result<(), Failure> {
    let tell = |told| {
        figures.send_replace(told);
    };
    live(&mut Beside { host, prefix }, &mut producer, tell).await
}

struct Beside {
    host: Arc<Host>,
    prefix: String,
}

impl Taker for Beside {
    async fn now(&mut self) -> Result<Option<Timestamp>, Failure> {
        Ok(Some(self.host.clock().now()))
    }

    async fn take(&mut self, records: &[Record]) -> Result<(), Failure> {
        self.host.append(records.iter().map(|record| event(&self.prefix, record)).collect()).await.map(|_| ())
    }
}

fn missed(absence: &sim::Absence) -> Vec<u8> {
    let line = serde_json::json!({ "device_id": absence.device_id, "missed_check_in": absence.morning.to_string() });
    format!("{line}\n").into_bytes()
}

/// A record as the log takes it.
pub(crate) fn event(prefix: &str, record: &Record) -> Event {
    Event {
        topic: format!("{prefix}{}", record.topic),
        key: record.key.to_string(),
        payload: String::from_utf8_lossy(&record.payload).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_begins_when_its_clocks_next_show_a_time() {
        let (city, hour_ms) = (World::named("calm").expect("a scenario"), 60 * MINUTE_MS);
        let half_past_eleven = LocalTime { minute: 11 * 60 + 30 };
        // An hour ahead of UTC.
        for (from_ms, expected_ms) in [(0, 10.5), (10 * hour_ms, 10.5), (11 * hour_ms, 34.5)] {
            let next = city.next(half_past_eleven, Timestamp(from_ms));
            assert_eq!(next, Timestamp((expected_ms * hour_ms as f64) as i64));
            assert_eq!(city.next(half_past_eleven, next), next, "it may be now");
        }
    }
}
