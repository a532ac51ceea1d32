//! What every place for artifacts promises.

use std::collections::BTreeMap;

use bytes::Bytes;
use ports::{Artifacts, ErrorKind};

use super::harness::{CRASH_SHARES, Harness, bad, good};
use crate::generate::dice::Dice;

/// Runs every case and a few random runs.
pub async fn suite<H: Harness<Port: Artifacts>>(harness: &mut H) {
    an_artifact_that_was_never_put_is_none(harness).await;
    what_was_put_survives_a_crash(harness).await;
    a_put_takes_the_place_of_the_one_before(harness).await;
    any_bytes_will_do(harness).await;
    names_are_listed_in_order_below_a_prefix(harness).await;
    a_name_may_begin_another(harness).await;
    what_was_removed_is_gone(harness).await;
    odd_names_are_invalid(harness).await;
    for seed in 0..6 {
        random(harness, seed, 60).await;
    }
}

/// Reading, listing and removing find nothing at first.
pub async fn an_artifact_that_was_never_put_is_none<H: Harness<Port: Artifacts>>(harness: &mut H) {
    let port = harness.fresh().await;
    assert_eq!(good(port.get("snapshots/1").await), None);
    assert_eq!(good(port.list("").await), Vec::<String>::new());
    good(port.remove("snapshots/1").await);
}

/// A put is durable when it returns.
pub async fn what_was_put_survives_a_crash<H: Harness<Port: Artifacts>>(harness: &mut H) {
    let port = harness.fresh().await;
    good(port.put("snapshots/3/part-0.bin", Bytes::from_static(b"state")).await);
    assert_eq!(good(port.get("snapshots/3/part-0.bin").await).as_deref(), Some(&b"state"[..]));
    let port = harness.crash(port).await;
    assert_eq!(good(port.get("snapshots/3/part-0.bin").await).as_deref(), Some(&b"state"[..]));
}

/// The last put of a name is the one that is read, whether it is longer or shorter.
pub async fn a_put_takes_the_place_of_the_one_before<H: Harness<Port: Artifacts>>(harness: &mut H) {
    let mut port = harness.fresh().await;
    for text in ["first", "second and longer", "3"] {
        good(port.put("report", Bytes::from_static(text.as_bytes())).await);
        assert_eq!(good(port.get("report").await).as_deref(), Some(text.as_bytes()));
        port = harness.crash(port).await;
        assert_eq!(good(port.get("report").await).as_deref(), Some(text.as_bytes()));
        assert_eq!(good(port.list("").await), ["report"]);
    }
}

/// None, all values of a byte, and some megabytes.
pub async fn any_bytes_will_do<H: Harness<Port: Artifacts>>(harness: &mut H) {
    let port = harness.fresh().await;
    for bytes in [Vec::new(), (0..=255).collect(), vec![7; 3 << 20]] {
        good(port.put("bytes", bytes.clone().into()).await);
        assert!(good(port.get("bytes").await) == Some(bytes.into()), "other bytes came back");
    }
}

/// The order is that of the bytes of the names; a prefix may end anywhere, within a word too.
pub async fn names_are_listed_in_order_below_a_prefix<H: Harness<Port: Artifacts>>(harness: &mut H) {
    let port = harness.fresh().await;
    for name in ["b", "a/2", "a/10", "a-b", "a.b", "a/2.x/deep/er", "ab/c"] {
        good(port.put(name, Bytes::from_static(b"x")).await);
    }
    let port = harness.crash(port).await;
    assert_eq!(good(port.list("").await), ["a-b", "a.b", "a/10", "a/2", "a/2.x/deep/er", "ab/c", "b"]);
    assert_eq!(good(port.list("a/").await), ["a/10", "a/2", "a/2.x/deep/er"]);
    assert_eq!(good(port.list("a/2").await), ["a/2", "a/2.x/deep/er"]);
    assert_eq!(good(port.list("ab").await), ["ab/c"]);
    assert_eq!(good(port.list("c").await), Vec::<String>::new());
}

/// `a` and `a/b` are two artifacts and know nothing of each other.
pub async fn a_name_may_begin_another<H: Harness<Port: Artifacts>>(harness: &mut H) {
    let port = harness.fresh().await;
    for name in ["model/1", "model", "model/1/card"] {
        good(port.put(name, Bytes::from(name.to_owned())).await);
    }
    good(port.remove("model/1").await);
    let port = harness.crash(port).await;
    assert_eq!(good(port.list("").await), ["model", "model/1/card"]);
    assert_eq!(good(port.get("model").await).as_deref(), Some(&b"model"[..]));
    assert_eq!(good(port.get("model/1").await), None);
}

/// A removal is durable when it returns, and may be said twice.
pub async fn what_was_removed_is_gone<H: Harness<Port: Artifacts>>(harness: &mut H) {
    let port = harness.fresh().await;
    good(port.put("old", Bytes::from_static(b"x")).await);
    good(port.remove("old").await);
    good(port.remove("old").await);
    let port = harness.crash(port).await;
    assert_eq!(good(port.get("old").await), None);
    assert_eq!(good(port.list("").await), Vec::<String>::new());
}

/// Names that lead elsewhere, or that not every store can keep.
pub async fn odd_names_are_invalid<H: Harness<Port: Artifacts>>(harness: &mut H) {
    let port = harness.fresh().await;
    let odd = ["", "/", "/etc/passwd", "a/", "a//b", "..", "a/../b", ".", "a/./b", "Upper", "a b", "a\0", "a\\b", "grüße", "a@1"];
    for name in odd {
        bad(port.put(name, Bytes::new()).await, ErrorKind::Invalid, name);
        bad(port.get(name).await, ErrorKind::Invalid, name);
        bad(port.remove(name).await, ErrorKind::Invalid, name);
    }
    assert_eq!(good(port.list("").await), Vec::<String>::new());
    // No name begins like this, so that there is nothing to list.
    assert_eq!(good(port.list("../").await), Vec::<String>::new());
}

/// Random operations beside a map.
pub async fn random<H: Harness<Port: Artifacts>>(harness: &mut H, seed: u64, operations: usize) {
    let names = ["a", "a/b", "a/b/c", "b/1", "b/2", "snapshots/7.bin"];
    let mut dice = Dice::new(seed);
    let crash_share = *dice.pick(&CRASH_SHARES);
    let mut model: BTreeMap<&str, Bytes> = BTreeMap::new();
    let mut port = harness.fresh().await;
    for operation in 0..operations {
        let name = *dice.pick(&names);
        match dice.place(4) {
            0 | 1 => {
                let bytes = Bytes::from(vec![u8::try_from(operation % 251).unwrap_or(0); dice.place(300)]);
                good(port.put(name, bytes.clone()).await);
                model.insert(name, bytes);
            }
            2 => {
                good(port.remove(name).await);
                model.remove(name);
            }
            _ => assert_eq!(good(port.get(name).await), model.get(name).cloned(), "seed {seed}, operation {operation}"),
        }
        if dice.chance(crash_share) {
            port = harness.crash(port).await;
        }
        let listed = good(port.list("").await);
        assert_eq!(listed, model.keys().copied().collect::<Vec<_>>(), "seed {seed}, operation {operation}");
    }
    for name in names {
        assert_eq!(good(port.get(name).await), model.get(name).cloned(), "seed {seed}, at the end");
    }
}
