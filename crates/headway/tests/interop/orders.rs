//! The orders of these tests, and what their features have to be: counted here in the plainest way.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use domain::Timestamp;
use serde_json::{Value, json};

/// An order as a producer has it.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) store: String,
    pub(crate) at: Timestamp,
    pub(crate) ready: bool,
    pub(crate) cents: i64,
}

const STORES: i64 = 12;

/// Orders of the last quarter of an hour, the numbers of which say everything about them.
pub(crate) fn orders(numbers: std::ops::Range<i64>, now: Timestamp) -> Vec<Order> {
    let order = |number: i64| Order {
        id: format!("e{number}"),
        store: format!("s{}", number * 7919 % STORES),
        at: Timestamp(now.0 - number % 900 * 1000 - 1000),
        ready: number % 5 == 0,
        cents: number * 3571 % 100_000,
    };
    numbers.map(order).collect()
}

impl Order {
    pub(crate) fn json(&self) -> Value {
        json!({
            "id": self.id, "source": "shop", "occurred_at": self.at.to_string(), "store_id": self.store,
            "kind": if self.ready { "ready" } else { "placed" }, "basket": self.cents as f64 / 100.0,
        })
    }
}

/// A file with an event on each line.
pub(crate) fn file(folder: &Path, name: &str, orders: &[Order]) -> PathBuf {
    write(folder, name, orders.iter().map(|order| order.json().to_string()))
}

/// The same with the key before each, as kcat wants it.
pub(crate) fn keyed_file(folder: &Path, name: &str, orders: &[Order]) -> PathBuf {
    write(folder, name, orders.iter().map(|order| format!("{}\t{}", order.store, order.json())))
}

fn write(folder: &Path, name: &str, lines: impl Iterator<Item = String>) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, lines.map(|line| line + "\n").collect::<String>()).expect("a file");
    file
}

/// The features of each store: orders, ready ones, sum, mean and largest basket, and the latest time.
pub(crate) fn features(orders: &[Order]) -> BTreeMap<String, Vec<f64>> {
    let mut of_store: BTreeMap<String, Vec<&Order>> = BTreeMap::new();
    for order in orders {
        of_store.entry(order.store.clone()).or_default().push(order);
    }
    let features = |orders: Vec<&Order>| {
        let sum: i64 = orders.iter().map(|order| order.cents).sum();
        let count = orders.len() as f64;
        let ready = orders.iter().filter(|order| order.ready).count() as f64;
        let largest = orders.iter().map(|order| order.cents).max().unwrap_or_default() as f64 / 100.0;
        let latest = orders.iter().map(|order| order.at.0).max().unwrap_or_default() as f64;
        vec![count, ready, sum as f64 / 100.0, sum as f64 / count / 100.0, largest, latest]
    };
    of_store.into_iter().map(|(store, orders)| (store, features(orders))).collect()
}
