//! Random scripts against a model: appends, reads, commits, members that come, go and replace each other, and crashes between.

use std::collections::BTreeMap;

use ports::{Event, Log, Member};

use super::{
    Harness,
    consumer::Consumer,
    model::{Model, PARTITIONS},
    scene::{IN, OUT, commit, consumer, create, outgoing, values},
};
use crate::generate::dice::Dice;

/// Short scripts, each of which is run once for every place a crash can have, and once with a crash everywhere.
const SHORT_STEPS: usize = 6;
/// Long ones: more steps than segments and snapshots of any adapter's tests are apart.
const LONG_STEPS: usize = 150;
const LONG_CRASH: f64 = 0.05;
const NAMES: [&str; 3] = ["a", "b", "c"];
/// Silent looks of every member after which nothing more is expected, once everything has come.
const QUIET_ROUNDS: usize = 3;
/// Silent looks of every member after which nothing is waited for that has not come: seconds, where a broker is busy.
const QUIET_ROUNDS_MAX: usize = 1000;
/// A minute for one member, longer than any session.
const ROUNDS_MAX: usize = 12_000;

/// A crash between every pair of operations.
pub async fn short_scripts_with_a_crash_at_every_place<H: Harness>(make: &impl Fn() -> H) {
    for seed in 0..H::SCRIPTS.short {
        for place in 0..=SHORT_STEPS {
            let everywhere = place == SHORT_STEPS;
            run(make, seed, SHORT_STEPS, |step, _| everywhere || step == place).await;
        }
    }
}

/// Many operations, and crashes wherever they fall.
pub async fn long_scripts_with_crashes_by_chance<H: Harness>(make: &impl Fn() -> H) {
    for seed in 0..H::SCRIPTS.long {
        run(make, 1000 + seed, LONG_STEPS, |_, dice| dice.chance(LONG_CRASH)).await;
    }
}

/// The log at hand, who reads it, and what should be in it.
struct World<H: Harness> {
    harness: H,
    log: H::Log,
    members: BTreeMap<&'static str, Consumer<<H::Log as Log>::Member>>,
    model: Model,
    written: u64,
    told: String,
}

async fn run<H: Harness>(make: &impl Fn() -> H, seed: u64, steps: usize, crashes: impl Fn(usize, &mut Dice) -> bool) {
    let mut dice = Dice::new(seed);
    let mut harness = make();
    let log = harness.open().await;
    create(&log, PARTITIONS).await;
    let mut world = World { harness, log, members: BTreeMap::new(), model: Model::default(), written: 0, told: String::new() };
    for step in 0..steps {
        world.told = format!("at step {step} of seed {seed}");
        world.step(&mut dice).await;
        if crashes(step, &mut dice) {
            world.log = world.harness.crash(world.log).await;
            world.members.clear();
            world.model.check(&world.log, &world.told).await;
        }
    }
    world.settle().await;
    world.model.check(&world.log, &world.told).await;
}

impl<H: Harness> World<H> {
    async fn step(&mut self, dice: &mut Dice) {
        match dice.between(0, 9) {
            0..=3 => self.append(dice).await,
            4 => {
                let name = *dice.pick(&NAMES);
                let fresh = consumer(&self.log, name).await;
                self.members.insert(name, fresh);
            }
            5 => {
                if let Some(member) = self.members.remove(*dice.pick(&NAMES)) {
                    member.member.leave().await.expect("it leaves");
                }
            }
            6 => self.look_at_one(dice).await,
            _ => self.commit(dice).await,
        }
    }

    async fn append(&mut self, dice: &mut Dice) {
        let mut records = Vec::new();
        for _ in 0..dice.between(1, 20) {
            let (topic, partition) = (if dice.chance(0.8) { IN } else { OUT }, dice.place(PARTITIONS as usize) as u32);
            let value = format!("{}-{}", self.written, "x".repeat(dice.between(0, 300) as usize));
            self.written += 1;
            self.model.append(topic, partition, value.clone());
            records.push(outgoing(topic, partition, &value));
        }
        self.log.append(records).await.expect("appended");
    }

    async fn look_at_one(&mut self, dice: &mut Dice) {
        let partition = dice.place(PARTITIONS as usize) as u32;
        let all = self.model.from(partition, 0);
        let from = dice.between(0, all.len() as i64) as u64;
        assert_eq!(values(&self.log, IN, partition, from).await, self.model.from(partition, from), "{}", self.told);
    }

    /// Somebody commits all or some of what it was delivered of a partition.
    async fn commit(&mut self, dice: &mut Dice) {
        self.settle().await;
        let partition = dice.place(PARTITIONS as usize) as u32;
        let Some(owner) = self.members.values_mut().find(|member| member.owned.contains(&partition)) else { return };
        let begin = self.model.next_of(partition);
        let next = dice.between(begin as i64, (begin as usize + self.model.from(partition, begin).len()) as i64) as u64;
        let output = format!("{partition}-{next}-{}", self.written);
        owner.member.commit(vec![commit(partition, next, &output, &output)]).await.expect("committed");
        self.model.append(OUT, partition, output.clone());
        self.model.commit(partition, next, output);
    }

    /// Lets the members hear everything, and compares what they were delivered since they own it.
    async fn settle(&mut self) {
        let mut quiet = 0;
        for _ in 0..ROUNDS_MAX {
            if quiet >= QUIET_ROUNDS && (self.has_everything() || quiet >= QUIET_ROUNDS_MAX) || self.members.is_empty() {
                break;
            }
            let owned: usize = self.members.values().map(|member| member.owned.len()).sum();
            // Who died is missed only after a while.
            quiet = if owned == PARTITIONS as usize { quiet + 1 } else { 0 };
            for member in self.members.values_mut() {
                if member.look().await != Event::Idle || !member.is_greeted() {
                    quiet = 0;
                }
            }
        }
        let owned: usize = self.members.values().map(|member| member.owned.len()).sum();
        assert!(self.members.is_empty() || owned == PARTITIONS as usize, "{owned} are owned {}", self.told);
        for member in self.members.values() {
            for partition in &member.owned {
                assert_eq!(member.values(IN, *partition), self.expected(member, *partition), "{partition} {}", self.told);
            }
        }
    }

    fn has_everything(&self) -> bool {
        let complete = |member: &Consumer<_>| {
            member.owned.iter().all(|partition| member.values(IN, *partition) == self.expected(member, *partition))
        };
        self.members.values().all(complete)
    }

    /// What an owner should have been delivered of a partition.
    fn expected(&self, member: &Consumer<<H::Log as Log>::Member>, partition: u32) -> &[String] {
        let assignment = member.assigned.iter().rfind(|found| found.partition == partition).expect("it was told");
        self.model.from(partition, assignment.next(IN).unwrap_or(0))
    }
}
