//! Every adapter of this crate keeps the contract of its port.

use std::path::PathBuf;

use domain::Timestamp;
use ports::clock_fn;
use tempfile::TempDir;
use testkit::contract::{self, Harness};

use crate::{Folder, FolderWarehouse, MemoryOnline};

/// A new folder each time, and the same one again after a crash.
struct Folders<P> {
    port: fn(&Folder) -> P,
    kept: Vec<TempDir>,
}

impl<P> Folders<P> {
    fn new(port: fn(&Folder) -> P) -> Self {
        Self { port, kept: Vec::new() }
    }

    fn path(&self) -> PathBuf {
        self.kept.last().expect("`fresh` comes first").path().join(".headway")
    }
}

impl<P: Clone> Harness for Folders<P> {
    type Port = P;

    async fn fresh(&mut self) -> P {
        self.kept.push(tempfile::tempdir().expect("a temporary folder"));
        (self.port)(&Folder::open(self.path()).expect("a new folder"))
    }

    async fn crash(&mut self, port: P) -> P {
        drop(port);
        (self.port)(&Folder::open(self.path()).expect("the same folder"))
    }
}

/// The same, and every second crash comes after a fold.
struct Folding(Folders<FolderWarehouse>, bool);

impl Harness for Folding {
    type Port = FolderWarehouse;

    async fn fresh(&mut self) -> FolderWarehouse {
        self.0.fresh().await
    }

    async fn crash(&mut self, port: FolderWarehouse) -> FolderWarehouse {
        self.1 = !self.1;
        if self.1 {
            port.fold().await.expect("a fold");
        }
        self.0.crash(port).await
    }
}

struct Memory;

impl Harness for Memory {
    type Port = MemoryOnline;

    async fn fresh(&mut self) -> MemoryOnline {
        MemoryOnline::new(clock_fn(1.0, || Timestamp(1_772_366_400_000)))
    }

    async fn crash(&mut self, port: MemoryOnline) -> MemoryOnline {
        drop(port);
        self.fresh().await
    }
}

#[tokio::test]
async fn the_catalog() {
    contract::catalog::suite(&mut Folders::new(Folder::catalog)).await;
}

#[tokio::test]
async fn the_artifacts() {
    contract::artifacts::suite(&mut Folders::new(Folder::artifacts)).await;
}

#[tokio::test]
async fn the_warehouse() {
    contract::warehouse::suite(&mut Folders::new(Folder::warehouse)).await;
}

#[tokio::test]
async fn the_warehouse_while_it_folds() {
    contract::warehouse::suite(&mut Folding(Folders::new(Folder::warehouse), false)).await;
}

#[tokio::test]
async fn the_online_store() {
    contract::online::suite(&mut Memory).await;
}
