//! Which server holds which key. One server holds everything; the map of a cluster is learned from its nodes and learned anew when it
//! turned out to be wrong, and now and then, so that a node that came and lost its memory is noticed.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::select_ok;
use redis::{Pipeline, Value};
use tokio::time::Instant;
use xxhash_rust::xxh3::Xxh3;

use crate::{
    Address, Error, Host,
    dial::{Dial, Endpoint},
    library::Library,
    names::Names,
    node::Node,
    reply,
    slot::{self, SLOTS},
};

/// One small question in ten seconds costs nothing, and is sooner than a rebalanced cluster is emptied.
const LEARNED_ANEW_EVERY: Duration = Duration::from_secs(10);
/// Nobody.
const UNOWNED: u16 = u16::MAX;

/// A node, and where its marks are.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) node: Arc<Node>,
    /// The key of its marks, in one of its slots.
    pub(crate) marks: String,
    /// Which slots it has, in few letters: a mark is about those.
    pub(crate) slots: String,
}

/// Which node has which slot, at one moment.
#[derive(Debug)]
pub(crate) struct Map {
    pub(crate) places: Vec<Place>,
    /// By slot; none when one node has everything.
    owners: Option<Vec<u16>>,
    learned_at: Instant,
}

impl Map {
    /// The place of a key.
    pub(crate) fn place(&self, key: &[u8]) -> Result<usize, Error> {
        let Some(owners) = &self.owners else { return Ok(0) };
        let slot = slot::of_key(key);
        match owners[slot] {
            UNOWNED => Err(Error::Away { at: "the cluster".into(), why: format!("no node has slot {slot}") }),
            owner => Ok(usize::from(owner)),
        }
    }

    /// A node by its address.
    pub(crate) fn node(&self, host: &Host) -> Option<&Node> {
        self.places.iter().map(|place| &*place.node).find(|node| node.host() == Some(host))
    }

    pub(crate) fn is_cluster(&self) -> bool {
        self.owners.is_some()
    }

    /// Slots that nobody has.
    pub(crate) fn unowned(&self) -> usize {
        self.owners.iter().flatten().filter(|owner| **owner == UNOWNED).count()
    }
}

/// The map of the moment.
#[derive(Debug)]
pub(crate) struct Maps {
    dial: Arc<Dial>,
    library: Arc<Library>,
    names: Arc<Names>,
    map: RwLock<Option<Arc<Map>>>,
    doubted: AtomicBool,
}

impl Maps {
    pub(crate) fn new(dial: Arc<Dial>, names: Arc<Names>) -> Self {
        Self { dial, library: Arc::new(Library::new()), names, map: RwLock::default(), doubted: AtomicBool::new(false) }
    }

    pub(crate) fn library(&self) -> &Library {
        &self.library
    }

    /// The next one who asks gets a new map.
    pub(crate) fn doubt(&self) {
        self.doubted.store(true, Ordering::Relaxed);
    }

    /// The map, learned when there is none or it is doubted.
    pub(crate) async fn get(&self) -> Result<Arc<Map>, Error> {
        let known = self.map.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = &known {
            let fresh = known.learned_at.elapsed() < LEARNED_ANEW_EVERY && !self.doubted.load(Ordering::Relaxed);
            if !known.is_cluster() || fresh {
                return Ok(known.clone());
            }
        }
        self.doubted.store(false, Ordering::Relaxed);
        let learned = self.learn(known.as_deref()).await.inspect_err(|_| self.doubt())?;
        *self.map.write().unwrap_or_else(PoisonError::into_inner) = Some(learned.clone());
        Ok(learned)
    }

    async fn learn(&self, known: Option<&Map>) -> Result<Arc<Map>, Error> {
        let seeds = match &self.dial.settings().address {
            Address::Server(host) => return Ok(self.of_one(Endpoint::Host(host.clone()))),
            Address::Sentinel { sentinels, master } => {
                return Ok(self.of_one(Endpoint::Master { sentinels: sentinels.clone(), name: master.clone() }));
            }
            Address::Cluster(seeds) => seeds,
        };
        let mut asked: Vec<Arc<Node>> = known.into_iter().flat_map(|map| &map.places).map(|place| place.node.clone()).collect();
        for seed in seeds {
            if !asked.iter().any(|node| node.host() == Some(seed)) {
                asked.push(self.node(Endpoint::Host(seed.clone())));
            }
        }
        // All at once, since one that hangs must not cost the time of the others.
        let (ranges, _) = select_ok(asked.iter().map(|node| Box::pin(ranges(node)))).await?;
        Ok(Arc::new(self.of_ranges(&ranges, &asked)))
    }

    fn node(&self, endpoint: Endpoint) -> Arc<Node> {
        Node::new(self.dial.clone(), self.library.clone(), endpoint)
    }

    fn of_one(&self, endpoint: Endpoint) -> Arc<Map> {
        let place = Place { node: self.node(endpoint), marks: self.names.marks(0), slots: "all".into() };
        Arc::new(Map { places: vec![place], owners: None, learned_at: Instant::now() })
    }

    /// Nodes that are known keep their connections.
    fn of_ranges(&self, ranges: &[(usize, usize, Host)], known: &[Arc<Node>]) -> Map {
        let mut owners = vec![UNOWNED; SLOTS];
        let mut nodes: Vec<Arc<Node>> = Vec::new();
        for (from, to, host) in ranges {
            let there = nodes.iter().position(|node| node.host() == Some(host));
            let owner = there.unwrap_or_else(|| {
                let kept = known.iter().find(|node| node.host() == Some(host));
                nodes.push(kept.cloned().unwrap_or_else(|| self.node(Endpoint::Host(host.clone()))));
                nodes.len() - 1
            });
            // A cluster has at most a thousand nodes or so; slots are checked by `ranges`.
            owners[*from..=*to].fill(u16::try_from(owner).unwrap_or(UNOWNED));
        }
        let places = nodes.into_iter().zip(0..).map(|(node, number)| self.place(node, number, &owners)).collect();
        Map { places, owners: Some(owners), learned_at: Instant::now() }
    }

    fn place(&self, node: Arc<Node>, number: u16, owners: &[u16]) -> Place {
        // Names are as good as chance: among four times as many as there are slots one falls into any that is wanted.
        let mut marks = (0..4 * SLOTS).map(|number| self.names.marks(number));
        let marks = marks.find(|marks| owners[slot::of_key(marks.as_bytes())] == number).unwrap_or_else(|| self.names.marks(0));
        let mut digest = Xxh3::new();
        for slot in (0..u16::try_from(SLOTS).unwrap_or(u16::MAX)).filter(|slot| owners[usize::from(*slot)] == number) {
            digest.update(&slot.to_le_bytes());
        }
        Place { node, marks, slots: format!("{:016x}", digest.digest()) }
    }
}

/// First and last slot of each range, and its master.
async fn ranges(node: &Node) -> Result<Vec<(usize, usize, Host)>, Error> {
    let mut pipeline = Pipeline::new();
    pipeline.cmd("CLUSTER").arg("SLOTS");
    let at = node.at();
    let mut found = Vec::new();
    for answer in node.read(&pipeline).await? {
        for range in reply::list(at, answer)? {
            let mut parts = reply::list(at, range)?.into_iter();
            let mut next = || parts.next().ok_or_else(|| unfit(at));
            let (from, to) = (reply::number(at, &next()?)?, reply::number(at, &next()?)?);
            let mut master = reply::list(at, next()?)?.into_iter();
            let (name, port) = (master.next().unwrap_or(Value::Nil), master.next().unwrap_or(Value::Nil));
            let name = if name == Value::Nil { String::new() } else { reply::text(at, name)? };
            let name = match (name.as_str(), node.host()) {
                // A node that does not know its own address yet: it is the one that was asked.
                ("" | "?", Some(host)) => host.name.clone(),
                _ => name,
            };
            let port = u16::try_from(reply::number(at, &port)?).map_err(|_| unfit(at))?;
            let slot = |slot: i64| usize::try_from(slot).ok().filter(|slot| *slot < SLOTS).ok_or_else(|| unfit(at));
            found.push((slot(from)?, slot(to)?, Host { name, port }));
        }
    }
    if found.is_empty() {
        return Err(Error::Away { at: at.to_owned(), why: "its cluster has no slots yet".into() });
    }
    Ok(found)
}

fn unfit(at: &str) -> Error {
    Error::Unfit { at: at.to_owned(), why: "its map of the cluster makes no sense".into() }
}
