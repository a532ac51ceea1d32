//! Measures writes, reads and memory of the online store in Redis for a person, with a `redis-server` that it starts and ends:
//! `cargo run --release -p io-redis --example redis_throughput`.
#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures, and prints what it measured")]

use std::{
    error::Error,
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use domain::{Header, NEVER, Timestamp, pack};
use io_redis::{RedisOnline, Settings};
use ports::{OnlineStore, Share, VectorKey, VectorWrite};

const ENTITIES: usize = 100_000;
const GROUPS: [&str; 2] = ["store_orders", "store_prep"];
/// 118 bytes packed.
const VALUES: usize = 9;
const KEEP_MS: i64 = 35 * 86_400_000;
const HOP_MS: i64 = 60_000;
const ROUNDS: u64 = 4;
const READS: usize = 5000;
const READ_ENTITIES: usize = 100;
const SHARE: Share = Share { generation: 1, partition: 0 };
/// 2090, in milliseconds: nothing expires while it is measured.
const START_MS: i64 = 3_786_912_000_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    for listpack in ["512", "64"] {
        for scripts_only in [false, true] {
            println!("hash-max-listpack-value {listpack}, {}", if scripts_only { "by script" } else { "by function" });
            let server = Server::start(listpack)?;
            let settings = Settings { scripts_only, ..Settings::parse("delivery-eta", &server.url())? };
            let store = RedisOnline::new(&settings)?;
            fill(&server, &store).await?;
            for batch in [64, 1024, 4096] {
                rewrite(&server, &store, batch).await?;
            }
            read(&store).await?;
        }
    }
    Ok(())
}

/// A vector of each group of each entity, in an order that is not that of the server's memory.
fn order() -> Vec<(String, usize)> {
    let count = ENTITIES * GROUPS.len();
    // Coprime to their number, so that each comes once.
    let place = |number: usize| number * 7919 % count;
    (0..count).map(|number| (format!("{}", place(number) / 2), place(number) % 2)).collect()
}

fn vector(position: u64, as_of: i64) -> Vec<u8> {
    let (as_of, valid_until) = (Timestamp(as_of), NEVER);
    let header = Header { schema: 1, generation: 1, position, as_of, valid_until, source_seen_at: None, source_silent: false };
    let mut packed = Vec::new();
    let noise = |value: usize| (position + value as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    pack(&mut packed, &header, &(0..VALUES).map(|value| Some(noise(value))).collect::<Vec<_>>());
    packed
}

fn writes<'a>(order: &'a [(String, usize)], packed: &'a [u8], as_of: i64) -> Vec<VectorWrite<'a>> {
    let one = |(key, group): &'a (String, usize)| VectorWrite {
        at: VectorKey { entity: "store", key, group: GROUPS[*group], generation: 1 },
        packed,
        expires_at: Timestamp(as_of + KEEP_MS),
    };
    order.iter().map(one).collect()
}

async fn fill(server: &Server, store: &RedisOnline) -> Result<(), Box<dyn Error>> {
    store.write(SHARE, &[]).await?;
    let before = server.number("used_memory:")?;
    let (order, packed) = (order(), vector(1, START_MS));
    for batch in writes(&order, &packed, START_MS).chunks(4096) {
        store.write(SHARE, batch).await?;
    }
    let payload = packed.len() * GROUPS.len();
    let bytes = (server.number("used_memory:")? - before) / ENTITIES as f64;
    println!("  an entity              {bytes:.0} bytes, {:.0} beyond its {payload} of vectors", bytes - payload as f64);
    Ok(())
}

async fn rewrite(server: &Server, store: &RedisOnline, batch: usize) -> Result<(), Box<dyn Error>> {
    let order = order();
    let rounds: Vec<(Vec<u8>, i64)> = (0..ROUNDS)
        .map(|round| {
            let as_of = START_MS + HOP_MS * (round as i64 + batch as i64);
            (vector(batch as u64 * 10 + round, as_of), as_of)
        })
        .collect();
    let all: Vec<Vec<VectorWrite<'_>>> = rounds.iter().map(|(packed, as_of)| writes(&order, packed, *as_of)).collect();
    let (start, cpu, of_server) = (Instant::now(), cpu_seconds()?, server.cpu_seconds()?);
    let mut refused = 0;
    for batch in all.iter().flat_map(|writes| writes.chunks(batch)) {
        refused += store.write(SHARE, batch).await?.refused;
    }
    let count = (order.len() * all.len()) as f64;
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    let of_server = server.cpu_seconds()? - of_server;
    println!(
        "  write, batches of {batch:<5}{:>9.0} a second, {:.2} µs of the server and {:.2} µs of the client each, {refused} refused",
        count / wall,
        of_server * 1e6 / count,
        cpu * 1e6 / count
    );
    Ok(())
}

async fn read(store: &RedisOnline) -> Result<(), Box<dyn Error>> {
    let names: Vec<String> = (0..ENTITIES).map(|number| number.to_string()).collect();
    for groups in [1, 2] {
        let mut took = Vec::new();
        for number in 0..READS {
            let entity = |place: usize| &names[(number * READ_ENTITIES + place) * 7919 % ENTITIES];
            let keys: Vec<VectorKey<'_>> = (0..READ_ENTITIES)
                .flat_map(|place| GROUPS[..groups].iter().map(move |group| (place, *group)))
                .map(|(place, group)| VectorKey { entity: "store", key: entity(place), group, generation: 1 })
                .collect();
            let start = Instant::now();
            let found = store.read(&keys).await?;
            took.push(start.elapsed());
            assert!(found.iter().all(Option::is_some), "every entity was written");
        }
        took.sort_unstable();
        let (p50, p99) = (took[READS / 2], took[READS * 99 / 100]);
        println!("  read {READ_ENTITIES} entities, {groups} group(s): p50 {p50:?}, p99 {p99:?}");
    }
    Ok(())
}

/// A server that ends with this.
struct Server {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start(listpack: &str) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let arguments = ["--port", &port.to_string(), "--save", "", "--hash-max-listpack-value", listpack];
        let child = Command::new("redis-server").args(arguments).current_dir(folder.path()).stdout(Stdio::null()).spawn()?;
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() && start.elapsed() < Duration::from_secs(10) {}
        Ok(Self { child, port, _folder: folder })
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn number(&self, name: &str) -> Result<f64, Box<dyn Error>> {
        let info: String = redis::cmd("INFO").query(&mut redis::Client::open(self.url())?.get_connection()?)?;
        let line = info.lines().find_map(|line| line.strip_prefix(name)).ok_or("INFO lacks a line")?;
        Ok(line.trim().parse()?)
    }

    fn cpu_seconds(&self) -> Result<f64, Box<dyn Error>> {
        Ok(self.number("used_cpu_user:")? + self.number("used_cpu_sys:")?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It is gone already if that fails.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What this process has used so far, from the system's own account in hundredths of a second.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let account = std::fs::read_to_string("/proc/self/stat")?;
    let fields = account.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11);
    let ticks = fields.take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / 100.0)
}
