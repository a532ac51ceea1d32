//! What every online store promises. Being volatile is part of it: it may come back empty, and says so. What a crash is depends on
//! where the store lives, see [`Harness::CRASH_EMPTIES`].
//!
//! Time is left out where it can be: vectors live until the year 2100 or expired in the year 2000, so that a real server with a
//! clock of its own passes as well. An expired vector may still be there; nobody may rely on its going.

use std::collections::{BTreeMap, BTreeSet};

use domain::{EARLIEST, Header, LATEST, NEVER, Timestamp, pack};
use ports::{ErrorKind, OnlineStore, Serving, Share, VectorKey, VectorWrite, Written};

use super::harness::{CRASH_SHARES, Harness, bad, good};
use crate::generate::dice::Dice;

/// Runs every case and a few random runs.
pub async fn suite<H: Harness<Port: OnlineStore>>(harness: &mut H) {
    a_vector_that_was_never_written_is_none(harness).await;
    vectors_are_read_in_the_order_of_the_keys(harness).await;
    an_older_vector_is_refused(harness).await;
    a_vector_may_change_its_length(harness).await;
    every_part_of_a_key_counts(harness).await;
    one_batch_may_name_a_key_twice(harness).await;
    bytes_that_are_no_vector_are_a_bug(harness).await;
    marks_are_kept_by_share(harness).await;
    readers_are_switched_group_by_group(harness).await;
    a_generation_is_forgotten_alone(harness).await;
    an_expired_vector_is_gone_or_unchanged(harness).await;
    if H::CRASH_EMPTIES {
        a_crash_empties_it_and_it_says_so(harness).await;
    } else {
        a_crash_of_the_client_leaves_everything(harness).await;
    }
    for seed in 0..9 {
        random(harness, seed, 120).await;
    }
}

const KEY: VectorKey<'static> = VectorKey { entity: "store", key: "42", group: "orders", generation: 1 };
const NONE_REFUSED: Written = Written { refused: 0, marked: false };

/// No key, an empty store.
pub async fn a_vector_that_was_never_written_is_none<H: Harness<Port: OnlineStore>>(harness: &mut H) {
    let port = harness.fresh().await;
    assert_eq!(good(port.read(&[KEY, KEY]).await), [None, None]);
    assert_eq!(good(port.read(&[]).await), Vec::<Option<Vec<u8>>>::new());
    assert_eq!(good(port.serving().await), []);
    assert_eq!(good(port.write(share(0), &[]).await), NONE_REFUSED);
}

/// One answer for each key that was asked for, keys that are asked for twice included.
pub async fn vectors_are_read_in_the_order_of_the_keys<H: Harness<Port: OnlineStore>>(harness: &mut H) {
    let port = harness.fresh().await;
    let keys: Vec<String> = (0..300).map(|key| format!("{key}/:{{ü}} ")).collect();
    let packed: Vec<Vec<u8>> = (0..300).map(|position| vector(position, 0, 3)).collect();
    let batch: Vec<_> = keys.iter().zip(&packed).map(|(key, packed)| write(VectorKey { key, ..KEY }, packed)).collect();
    assert_eq!(good(port.write(share(3), &batch).await), NONE_REFUSED);
    let asked: Vec<usize> = (0..300).rev().chain([7, 7]).collect();
    let mut wanted: Vec<VectorKey<'_>> = asked.iter().map(|place| VectorKey { key: &keys[*place], ..KEY }).collect();
    wanted.push(VectorKey { key: "another", ..KEY });
    let mut expected: Vec<_> = asked.iter().map(|place| Some(packed[*place].clone())).collect();
    expected.push(None);
    assert_eq!(good(port.read(&wanted).await), expected);
}

/// The guard: more records, or as many at a later instant; equal ones may pass.
pub async fn an_older_vector_is_refused<H: Harness<Port: OnlineStore>>(harness: &mut H) {
    let port = harness.fresh().await;
    let steps = [(5, 100, true), (5, 99, false), (4, 900, false), (5, 100, true), (5, 101, true), (6, 1, true), (5, 999, false)];
    let mut there = Vec::new();
    for (position, as_of, taken) in steps {
        let packed = vector(position, as_of, 2);
        let written = good(port.write(share(0), &[write(KEY, &packed)]).await);
        assert_eq!(written.refused, usize::from(!taken), "position {position}, as_of {as_of}");
        if taken {
            there = packed;
        }
        assert_eq!(good(port.read(&[KEY]).await), [Some(there.clone())]);
    }
}

/// A changed schema makes vectors longer or shorter.
pub async fn a_vector_may_change_its_length<H: Harness<Port: OnlineStore>>(harness: &mut H) {
    let port = harness.fresh().await;
    for (position, values) in (0..).zip([3, 40, 0, 9]) {
        let packed = vector(position, 0, values);
        assert_eq!(good(port.write(share(0), &[write(KEY, &packed)]).await), NONE_REFUSED);
        assert_eq!(good(port.read(&[KEY]).await), [Some(packed)]);
    }
}

/// Entity, key, group and generation tell vectors apart, and the guard looks at none but its own.
pub async fn every_part_of_a_key_counts<H: Harness<Port: OnlineStore>>(harness: &mut H) {
    let port = harness.fresh().await;
    let keys = [
        KEY,
        VectorKey { entity: "rider", ..KEY },
        VectorKey { key: "4", ..KEY },
        VectorKey { key: "", ..KEY },
        VectorKey { group: "order", ..KEY },
        VectorKey { generation: 2, ..KEY },
        VectorKey { entity: "store:4", key: "2", ..KEY },
    ];
    let packed: Vec<Vec<u8>> = (0..7).map(|place| vector(70 - place, 0, 1)).collect();
    for (key, packed) in keys.iter().zip(&packed) {
        assert_eq!(good(port.write(share(0), &[write(*key, packed)]).await), NONE_REFUSED, "{key:?}");
    }
    assert_eq!(good(port.read(&keys).await), packed.into_iter().map(Some).collect::<Vec<_>>());
}

/// The newest of a batch is what stays, in whatever order they come.
pub async fn one_batch_may_name_a_key_twice<H: Harness<Port: OnlineStore>>(harness: &mut H) {
    let port = harness.fresh().await;
    let (old, new) = (vector(1, 0, 1), vector(2, 0, 1));
    good(port.write(share(0), &[write(KEY, &old), write(KEY, &new)]).await);
    assert_eq!(good(port.read(&[KEY]).await), [Some(new.clone())]);
    let other = VectorKey { key: "43", ..KEY };
    assert_eq!(good(port.write(share(0), &[write(other, &new), write(other, &old)]).await).refused, 1);
    assert_eq!(good(port.read(&[other]).await), [Some(new)]);
}

/// Whoever writes them has gone wrong.
pub async fn bytes_that_are_no_vector_are_a_bug<H: Harness<Port: OnlineStore>>(harness: &mut H) {
    let port = harness.fresh().await;
    let whole = vector(1, 0, 4);
    for bytes in [&b""[..], b"nonsense", &whole[..whole.len() - 1]] {
        bad(port.write(share(0), &[write(KEY, bytes)]).await, ErrorKind::Bug, "bytes that are no vector");
    }
    assert_eq!(good(port.read(&[KEY]).await), [None]);
}

/// A mark is about one partition of one generation, and there until the store is emptied.
pub async fn marks_are_kept_by_share<H: Harness<Port: OnlineStore>>(harness: &mut H) {
    let port = harness.fresh().await;
    good(port.mark(share(2)).await);
    good(port.mark(share(2)).await);
    let packed = vector(1, 0, 1);
    for (partition, marked) in [(1, false), (2, true), (22, false)] {
        assert_eq!(good(port.write(share(partition), &[write(KEY, &packed)]).await), Written { refused: 0, marked });
    }
    assert!(good(port.write(share(2), &[]).await).marked);
    assert!(!good(port.write(Share { generation: 2, ..share(2) }, &[]).await).marked, "another generation has written nothing");
}

/// What is not named keeps its generation.
pub async fn readers_are_switched_group_by_group<H: Harness<Port: OnlineStore>>(harness: &mut H) {
    let port = harness.fresh().await;
    good(port.serve(&[serving("a", 1), serving("b", 1)]).await);
    good(port.serve(&[serving("b", 2), serving("c", 7)]).await);
    good(port.serve(&[]).await);
    let mut found = good(port.serving().await);
    found.sort_by(|left, right| left.group.cmp(&right.group));
    assert_eq!(found, [serving("a", 1), serving("b", 2), serving("c", 7)]);
}

/// Of one group, and of every entity type that has it. Afterwards the guard knows nothing of it.
pub async fn a_generation_is_forgotten_alone<H: Harness<Port: OnlineStore>>(harness: &mut H) {
    let port = harness.fresh().await;
    let packed = vector(9, 0, 1);
    let next = VectorKey { generation: 2, ..KEY };
    let other = VectorKey { group: "riders", ..KEY };
    let keys = [KEY, next, other];
    good(port.write(share(0), &keys.map(|key| write(key, &packed))).await);
    good(port.mark(share(0)).await);
    good(port.forget(&serving("orders", 1)).await);
    good(port.forget(&serving("never heard of", 1)).await);
    assert_eq!(good(port.read(&keys).await), [None, Some(packed.clone()), Some(packed)]);
    let older = vector(3, 0, 1);
    assert_eq!(good(port.write(share(0), &[write(KEY, &older)]).await), Written { refused: 0, marked: true });
    assert_eq!(good(port.read(&[KEY]).await), [Some(older)]);
}

/// Nothing else comes of it than that the vector may go.
pub async fn an_expired_vector_is_gone_or_unchanged<H: Harness<Port: OnlineStore>>(harness: &mut H) {
    let port = harness.fresh().await;
    let (packed, newer) = (vector(1, 0, 1), vector(2, 0, 1));
    let lasting = VectorKey { key: "43", ..KEY };
    let expired = VectorWrite { expires_at: EARLIEST, ..write(KEY, &packed) };
    assert_eq!(good(port.write(share(0), &[expired, write(lasting, &packed)]).await), NONE_REFUSED);
    let found = good(port.read(&[KEY, lasting]).await);
    assert!(found[0].as_ref().is_none_or(|there| *there == packed), "{found:?}");
    assert_eq!(found[1].as_ref(), Some(&packed));
    assert_eq!(good(port.write(share(0), &[write(KEY, &newer)]).await), NONE_REFUSED);
    assert_eq!(good(port.read(&[KEY]).await), [Some(newer)], "a vector that was written with a longer life");
}

/// The marks go with the vectors, so that a writer learns of it with its next batch.
pub async fn a_crash_empties_it_and_it_says_so<H: Harness<Port: OnlineStore>>(harness: &mut H) {
    let port = harness.fresh().await;
    let (packed, older) = (vector(5, 0, 1), vector(4, 0, 1));
    good(port.write(share(0), &[write(KEY, &packed)]).await);
    good(port.mark(share(0)).await);
    good(port.serve(&[serving("orders", 1)]).await);
    let port = harness.crash(port).await;
    assert_eq!(good(port.read(&[KEY]).await), [None]);
    assert_eq!(good(port.serving().await), []);
    assert_eq!(good(port.write(share(0), &[write(KEY, &older)]).await), NONE_REFUSED);
}

/// Whoever comes next goes on where the other one ended.
pub async fn a_crash_of_the_client_leaves_everything<H: Harness<Port: OnlineStore>>(harness: &mut H) {
    let port = harness.fresh().await;
    let (packed, older) = (vector(5, 0, 1), vector(4, 0, 1));
    good(port.write(share(0), &[write(KEY, &packed)]).await);
    good(port.mark(share(0)).await);
    good(port.serve(&[serving("orders", 1)]).await);
    let port = harness.crash(port).await;
    assert_eq!(good(port.read(&[KEY]).await), [Some(packed)]);
    assert_eq!(good(port.serving().await), [serving("orders", 1)]);
    assert_eq!(good(port.write(share(0), &[write(KEY, &older)]).await), Written { refused: 1, marked: true });
}

/// Random operations beside maps.
pub async fn random<H: Harness<Port: OnlineStore>>(harness: &mut H, seed: u64, operations: usize) {
    let mut dice = Dice::new(seed);
    let crash_share = *dice.pick(&CRASH_SHARES);
    let mut model = Model::default();
    let mut port = harness.fresh().await;
    for operation in 0..operations {
        let at = format!("seed {seed}, operation {operation}");
        match dice.place(10) {
            0 => {
                let partition = u32::from(dice.chance(0.5));
                good(port.mark(share(partition)).await);
                model.marked.insert(partition);
            }
            1 => {
                let group = *dice.pick(&["a", "b"]);
                let generation = u32::from(dice.chance(0.5));
                good(port.forget(&serving(group, generation)).await);
                model.vectors.retain(|key, _| (key.1.as_str(), key.2) != (group, generation));
            }
            2 => {
                let group = *dice.pick(&["a", "b"]);
                let switched = serving(group, u32::from(dice.chance(0.5)));
                good(port.serve(std::slice::from_ref(&switched)).await);
                model.serving.insert(switched.group, switched.generation);
            }
            _ => {
                let drawn: Vec<_> = (0..dice.place(6)).map(|_| draw(&mut dice)).collect();
                let partition = u32::from(dice.chance(0.5));
                let batch: Vec<_> = drawn.iter().map(|(key, _, packed)| write(key_of(key), packed)).collect();
                assert_eq!(good(port.write(share(partition), &batch).await), model.write(partition, &drawn), "{at}");
            }
        }
        if dice.chance(crash_share) {
            port = harness.crash(port).await;
            if H::CRASH_EMPTIES {
                model = Model::default();
            }
        }
        model.check(&port, &at).await;
    }
}

/// Key, group and generation.
type Key = (String, String, u32);
/// Position and instant, by which the guard decides.
type Order = (u64, i64);

#[derive(Default)]
struct Model {
    vectors: BTreeMap<Key, (Order, Vec<u8>)>,
    marked: BTreeSet<u32>,
    serving: BTreeMap<String, u32>,
}

impl Model {
    fn write(&mut self, partition: u32, drawn: &[(Key, Order, Vec<u8>)]) -> Written {
        let mut refused = 0;
        for (key, order, packed) in drawn {
            if self.vectors.get(key).is_some_and(|(there, _)| there > order) {
                refused += 1;
            } else {
                self.vectors.insert(key.clone(), (*order, packed.clone()));
            }
        }
        Written { refused, marked: self.marked.contains(&partition) }
    }

    async fn check<P: OnlineStore>(&self, port: &P, at: &str) {
        let every: Vec<Key> = (0..4).flat_map(|key| (0..4).map(move |other| key_number(key, other))).collect();
        let keys: Vec<VectorKey<'_>> = every.iter().map(key_of).collect();
        let expected: Vec<_> = every.iter().map(|key| self.vectors.get(key).map(|(_, packed)| packed.clone())).collect();
        assert_eq!(good(port.read(&keys).await), expected, "{at}");
        let found: BTreeMap<_, _> =
            good(port.serving().await).into_iter().map(|serving| (serving.group, serving.generation)).collect();
        assert_eq!(found, self.serving, "{at}");
    }
}

fn key_number(key: usize, other: usize) -> Key {
    (format!("k{key}"), (if other < 2 { "a" } else { "b" }).to_owned(), u32::from(other % 2 == 1))
}

fn key_of((key, group, generation): &Key) -> VectorKey<'_> {
    VectorKey { entity: "store", key, group, generation: *generation }
}

fn draw(dice: &mut Dice) -> (Key, Order, Vec<u8>) {
    let order = (dice.place(5) as u64, dice.between(0, 2));
    // Equal positions and instants are equal bytes, so the length may depend on nothing else.
    let packed = vector(order.0, order.1, order.0 as usize % 3);
    (key_number(dice.place(4), dice.place(4)), order, packed)
}

fn vector(position: u64, as_of: i64, values: usize) -> Vec<u8> {
    let header = Header {
        schema: 1,
        generation: 1,
        position,
        as_of: Timestamp(as_of),
        valid_until: NEVER,
        source_seen_at: None,
        source_silent: false,
    };
    let mut packed = Vec::new();
    pack(&mut packed, &header, &vec![Some(position); values]);
    packed
}

fn write<'a>(at: VectorKey<'a>, packed: &'a [u8]) -> VectorWrite<'a> {
    VectorWrite { at, packed, expires_at: LATEST }
}

/// A partition of the first generation.
fn share(partition: u32) -> Share {
    Share { generation: 1, partition }
}

fn serving(group: &str, generation: u32) -> Serving {
    Serving { group: group.into(), generation }
}
