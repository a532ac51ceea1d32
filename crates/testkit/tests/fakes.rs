//! The fakes keep the contracts of their ports, and fail only as they are told to.

use std::{sync::Mutex, time::Duration};

use bytes::Bytes;
use domain::Timestamp;
use ports::{Artifacts, AuditEntry, Catalog, Error, ErrorKind, OnlineStore, Share};
use testkit::{
    contract::{self, Harness},
    fake::{Fault, Hook, MemoryArtifacts, MemoryCatalog, MemoryOnlineStore, MemoryWarehouse},
};

/// Hands out fakes; what a crash leaves is the fake's affair.
struct Fakes<P>(fn() -> P, fn(&P));

impl<P: Clone> Harness for Fakes<P> {
    type Port = P;

    async fn fresh(&mut self) -> P {
        (self.0)()
    }

    async fn crash(&mut self, port: P) -> P {
        (self.1)(&port);
        port
    }
}

#[tokio::test]
async fn artifacts_keep_the_contract() {
    contract::artifacts::suite(&mut Fakes(MemoryArtifacts::default, |_| ())).await;
}

#[tokio::test]
async fn the_catalog_keeps_the_contract() {
    contract::catalog::suite(&mut Fakes(MemoryCatalog::default, |_| ())).await;
}

#[tokio::test]
async fn the_warehouse_keeps_the_contract() {
    contract::warehouse::suite(&mut Fakes(MemoryWarehouse::default, |_| ())).await;
}

#[tokio::test]
async fn the_online_store_keeps_the_contract() {
    contract::online::suite(&mut Fakes(MemoryOnlineStore::default, MemoryOnlineStore::empty)).await;
}

/// A store that outlives its clients.
struct Lasting;

impl Harness for Lasting {
    type Port = MemoryOnlineStore;

    const CRASH_EMPTIES: bool = false;

    async fn fresh(&mut self) -> MemoryOnlineStore {
        MemoryOnlineStore::default()
    }

    async fn crash(&mut self, port: MemoryOnlineStore) -> MemoryOnlineStore {
        port
    }
}

#[tokio::test]
async fn an_online_store_that_outlives_its_clients_keeps_the_contract() {
    contract::online::suite(&mut Lasting).await;
}

/// Empties itself at each operation although its port is durable: the suite must notice.
#[tokio::test]
#[should_panic(expected = "seed")]
async fn a_store_that_is_emptied_unnoticed_is_found_out() {
    let emptied = || MemoryOnlineStore::new(script(&[Fault::None, Fault::None, Fault::None, Fault::Emptied]));
    contract::online::random(&mut Fakes(emptied, |_| ()), 2, 50).await;
}

/// A hook that goes through a list, then lets everything pass.
fn script(faults: &[Fault]) -> Hook {
    let left = Mutex::new(faults.iter().rev().copied().collect::<Vec<_>>());
    Hook::new(move |_| left.lock().expect("no test panics in here").pop().unwrap_or_default())
}

fn transient<T: std::fmt::Debug>(result: Result<T, Error>) {
    assert_eq!(result.expect_err("a fault was ordered").kind(), ErrorKind::Transient);
}

#[tokio::test]
async fn before_means_that_it_did_not_happen_and_after_that_it_did() {
    let artifacts = MemoryArtifacts::new(script(&[Fault::Before, Fault::None, Fault::After]));
    transient(artifacts.put("a", Bytes::from_static(b"1")).await);
    assert_eq!(artifacts.get("a").await.expect("no fault"), None);
    transient(artifacts.put("a", Bytes::from_static(b"2")).await);
    assert_eq!(artifacts.get("a").await.expect("no fault"), Some(Bytes::from_static(b"2")));

    let entry = AuditEntry { at: Timestamp(1), actor: "a".into(), action: "b".into(), detail: String::new() };
    let catalog = MemoryCatalog::new(script(&[Fault::Before, Fault::After]));
    transient(catalog.record(&entry).await);
    transient(catalog.record(&entry).await);
    assert_eq!(catalog.audit(9).await.expect("no fault"), [entry]);
}

#[tokio::test]
async fn emptied_means_that_the_operation_meets_an_empty_store() {
    let store = MemoryOnlineStore::new(script(&[Fault::None, Fault::None, Fault::Emptied]));
    store.mark(Share { generation: 1, partition: 4 }).await.expect("no fault");
    assert!(store.write(Share { generation: 1, partition: 4 }, &[]).await.expect("no fault").marked);
    assert!(!store.write(Share { generation: 1, partition: 4 }, &[]).await.expect("no fault").marked);
}

#[tokio::test(start_paused = true)]
async fn late_is_told_by_tokios_clock() {
    let store = MemoryOnlineStore::new(script(&[Fault::Late(Duration::from_secs(60))]));
    let patience = Duration::from_secs(59);
    assert!(
        tokio::time::timeout(patience, store.mark(Share { generation: 1, partition: 1 })).await.is_err(),
        "it came too early"
    );
    assert!(
        !store.write(Share { generation: 1, partition: 1 }, &[]).await.expect("no fault").marked,
        "what was given up did not happen"
    );
}
