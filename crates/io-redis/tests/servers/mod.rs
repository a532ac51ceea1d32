//! Redis servers of a test's own, asked and harmed as the test likes.

#![allow(dead_code, reason = "each test file needs some of it")]

use std::{fs, rc::Rc, time::Duration};

use domain::{Header, LATEST, NEVER, Timestamp, pack};
use io_redis::{Host, RedisOnline, Settings};
use ports::{Share, VectorKey, VectorWrite};
use redis::Value;
use testkit::servers::Own;

pub(crate) const KEY: VectorKey<'static> = VectorKey { entity: "store", key: "42", group: "orders", generation: 1 };
pub(crate) const SHARE: Share = Share { generation: 1, partition: 0 };

/// How long is waited for a server to do something: a failover takes some seconds where nothing else runs.
const PATIENCE: Duration = Duration::from_secs(60);
const ASKED_EVERY: Duration = Duration::from_millis(10);

/// One process of what was started together.
pub(crate) struct Server {
    own: Rc<Own>,
    name: &'static str,
    process: String,
    pub(crate) port: u16,
}

impl Server {
    /// One that stands alone and keeps nothing.
    pub(crate) fn start() -> Self {
        Self::of(&Rc::new(Own::start(&["redis"])), "redis", "redis")
    }

    fn of(own: &Rc<Own>, name: &'static str, process: &str) -> Self {
        let ports = fs::read_to_string(own.folder(process).join("ports")).expect("the ports of a process");
        let port = ports.split_whitespace().next().and_then(|port| port.parse().ok()).expect("a port");
        Self { own: own.clone(), name, process: process.to_owned(), port }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.host())
    }

    pub(crate) fn host(&self) -> Host {
        Host { name: "127.0.0.1".into(), port: self.port }
    }

    pub(crate) fn kill(&self) {
        self.own.kill(&self.process);
    }

    /// At the same port, and with nothing but what it had saved.
    pub(crate) fn revive(&self) {
        self.own.revive(self.name);
    }

    pub(crate) fn freeze(&self) {
        self.own.freeze(&self.process);
    }

    pub(crate) fn thaw(&self) {
        self.own.thaw(&self.process);
    }

    /// Asks by a connection of its own, without a login.
    pub(crate) fn ask(&self, words: &[&str]) -> Value {
        self.try_ask(words).unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    pub(crate) fn try_ask(&self, words: &[&str]) -> redis::RedisResult<Value> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(1))?;
        connection.set_read_timeout(Some(Duration::from_secs(2)))?;
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query(&mut connection)
    }

    pub(crate) fn text(&self, words: &[&str]) -> String {
        self.try_ask(words).ok().and_then(|value| redis::from_redis_value(value).ok()).unwrap_or_default()
    }
}

/// Waits for something to become true.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !is_so().await {
            tokio::time::sleep(ASKED_EVERY).await;
        }
    });
    assert!(waited.await.is_ok(), "{what}: not within {PATIENCE:?}");
}

/// Three masters with a third of the slots each.
pub(crate) fn cluster() -> Vec<Server> {
    let own = Rc::new(Own::start(&["redis-cluster"]));
    (1..=3).map(|node| Server::of(&own, "redis-cluster", &format!("redis-cluster/node-{node}"))).collect()
}

pub(crate) fn cluster_url(nodes: &[Server]) -> String {
    format!("redis+cluster://{}", nodes.iter().map(|node| node.host().to_string()).collect::<Vec<_>>().join(","))
}

/// A master, its replica, and three sentinels.
pub(crate) struct Watched {
    pub(crate) first: Server,
    pub(crate) second: Server,
    pub(crate) sentinels: Vec<Server>,
    /// What the sentinels call the master.
    pub(crate) name: String,
}

impl Watched {
    pub(crate) fn start() -> Self {
        let own = Rc::new(Own::start(&["redis-sentinel"]));
        let process = |name: &str| Server::of(&own, "redis-sentinel", &format!("redis-sentinel/{name}"));
        let name = fs::read_to_string(own.folder("redis-sentinel").join("master-name")).expect("the name of the master");
        Self {
            first: process("first"),
            second: process("second"),
            sentinels: (1..=3).map(|number| process(&format!("sentinel-{number}"))).collect(),
            name: name.trim_end().to_owned(),
        }
    }

    pub(crate) fn url(&self) -> String {
        let hosts: Vec<String> = self.sentinels.iter().map(|sentinel| sentinel.host().to_string()).collect();
        format!("redis+sentinel://{}/{}", hosts.join(","), self.name)
    }
}

pub(crate) fn settings(url: &str) -> Settings {
    Settings::parse("eta", url).expect("an address")
}

pub(crate) fn store(url: &str) -> RedisOnline {
    RedisOnline::new(&settings(url)).expect("sound settings")
}

pub(crate) fn vector(position: u64, as_of: i64, values: usize) -> Vec<u8> {
    let (as_of, valid_until) = (Timestamp(as_of), NEVER);
    let header = Header { schema: 1, generation: 1, position, as_of, valid_until, source_seen_at: None, source_silent: false };
    let mut packed = Vec::new();
    pack(&mut packed, &header, &vec![Some(position); values]);
    packed
}

pub(crate) fn write<'a>(at: VectorKey<'a>, packed: &'a [u8]) -> VectorWrite<'a> {
    VectorWrite { at, packed, expires_at: LATEST }
}
