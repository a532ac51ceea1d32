//! Several processes on a real Kafka and a real Redis, while everything around them breaks: killed, frozen past their sessions, the
//! broker restarted, Redis gone and empty, poison in the topic. In the end every vector equals the oracle, every letter is there once,
//! each trigger of a case has made one prediction, each prediction of a case that is over has one outcome,
//! and no reader has ever seen a vector go back.
//!
//! An ordinary test run has a few faults. `HEADWAY_SECONDS=900` goes on for so long, and `HEADWAY_SEED=n` chooses others.

#![expect(clippy::disallowed_methods, reason = "real processes are driven in real time")]

#[path = "../driven/mod.rs"]
mod driven;
mod fleet;
mod reader;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use driven::{SPEC, asked, compare, history_of};
use fleet::Fleet;
use reader::Reader;

/// Each kind once, and a few more.
const FAULTS: u64 = 8;
const REPLICAS: usize = 3;
/// Longer than the sessions of this test.
const FROZEN: Duration = Duration::from_millis(2500);
/// So long Redis is gone.
const GONE: Duration = Duration::from_millis(1500);
/// And so long once, when there is time.
const GONE_FOR_LONG: Duration = Duration::from_secs(60);
/// How often a long run says how far it is.
const TOLD_EVERY: u64 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Kill,
    Freeze,
    Storm,
    Broker,
    Redis,
    Poison,
}

const KINDS: [Fault; 6] = [Fault::Kill, Fault::Freeze, Fault::Storm, Fault::Broker, Fault::Redis, Fault::Poison];

#[test]
fn whatever_breaks_nothing_is_lost_and_nothing_is_twice() {
    let (seconds, seed) = (asked("HEADWAY_SECONDS").map(Duration::from_secs), asked("HEADWAY_SEED").unwrap_or(1));
    let mut fleet = Fleet::start(REPLICAS, seed);
    let reader = Reader::start(&fleet);
    let mut recovered: BTreeMap<Fault, Vec<Duration>> = BTreeMap::new();
    let (started, mut faults) = (Instant::now(), 0);
    while faults < FAULTS || seconds.is_some_and(|seconds| started.elapsed() < seconds) {
        // The first few are one of each kind; most of the others are kills.
        let kind = match KINDS.get(faults as usize) {
            Some(kind) => *kind,
            None if fleet.load.between(0, 4) > 0 => Fault::Kill,
            None => KINDS[fleet.load.between(0, 5) as usize],
        };
        let gone = if seconds.is_some() && !recovered.contains_key(&Fault::Redis) { GONE_FOR_LONG } else { GONE };
        let time = Duration::from_millis(fleet.load.between(100, 600));
        fleet.send_for(time);
        let begun = Instant::now();
        suffer(&mut fleet, kind, gone, &reader);
        fleet.until_settled();
        recovered.entry(kind).or_default().push(begun.elapsed());
        faults += 1;
        if faults % TOLD_EVERY == 0 {
            println!("{faults} faults in {} s, {} of them kills", started.elapsed().as_secs(), recovered[&Fault::Kill].len());
        }
    }
    fleet.send_for(Duration::from_millis(300));
    fleet.until_settled();
    let back = reader.stop();
    assert!(back.is_empty(), "seed {seed}: vectors went back before the eyes of a reader: {back:#?}");
    let read = fleet.read_all();
    let pipeline = pipeline::load(std::path::Path::new(SPEC)).expect("a pipeline");
    let history = fleet.block_on(history_of(&fleet.log, &pipeline));
    let compared = compare(&pipeline, &history, &fleet.load, &read, seed).unwrap_or_else(|wrong| {
        let kept = fleet.keep().display();
        panic!("seed {seed}, left in {kept}: {} vectors differ: {wrong:#?}", wrong.len());
    });
    fleet.letters_are_there_once();
    let audited = fleet.predictions_are_there_once();
    for (kind, mut times) in recovered {
        times.sort();
        println!(
            "{kind:?}: {} times, caught up again after {:?} at the median, {:?} at most",
            times.len(),
            times[times.len() / 2],
            times[times.len() - 1]
        );
    }
    println!(
        "{faults} faults with seed {seed}, {} events, {compared} vectors equal, {} predictions of stages and {} of timers once each, {} outcomes",
        fleet.load.sent, audited.stages, audited.timers, audited.outcomes
    );
}

fn suffer(fleet: &mut Fleet, kind: Fault, gone: Duration, reader: &Reader) {
    let victim = fleet.load.between(0, REPLICAS as u64 - 1) as usize;
    match kind {
        Fault::Kill => {
            fleet.kill(victim);
            let away = Duration::from_millis(fleet.load.between(0, 1500));
            fleet.send_for(away);
            fleet.run(victim);
        }
        Fault::Freeze => {
            fleet.freeze(victim);
            fleet.send_for(FROZEN);
            fleet.thaw(victim);
        }
        Fault::Storm => {
            for victim in 0..REPLICAS {
                fleet.kill(victim);
                fleet.run(victim);
                fleet.send_for(Duration::from_millis(100));
            }
        }
        Fault::Broker => fleet.restart_broker(),
        Fault::Redis => {
            reader.expect_emptiness();
            fleet.servers.kill("redis");
            fleet.send_for(gone);
            fleet.servers.revive("redis");
        }
        Fault::Poison => fleet.poison(),
    }
}
