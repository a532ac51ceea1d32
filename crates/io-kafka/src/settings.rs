//! What an operator may choose about Kafka. Data only; a secret never shows itself.

use std::{collections::BTreeMap, fmt, fs::File, path::PathBuf, time::Duration};

use crate::{Error, names::Names};

/// Where Kafka is and how it is used.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Brokers to begin with, `host:port` and a comma between two.
    pub brokers: String,
    /// What the names of all topics, groups and transactions begin with, so that several installations can share a cluster.
    pub prefix: String,
    /// Topics that belong to somebody else: by the name inside, the name that they have in the cluster. Without the prefix, and never
    /// made or changed.
    pub foreign: BTreeMap<String, String>,
    /// How the connection is protected.
    pub security: Security,
    /// Of topics that are created; none for what the cluster does by itself.
    pub replication: Option<i32>,
    /// How long a member may be silent before its partitions go to others: as long as a restart may take.
    pub session_max: Duration,
    /// How long a transaction may be open. One of a worker that died holds up the readers of its outputs no longer than this.
    pub transaction_max: Duration,
    /// How long an answer is waited for before it counts as an error.
    pub answer_max: Duration,
    /// Records that are fetched ahead of their turn by one member, all its partitions together.
    pub ahead_bytes_max: usize,
}

impl Settings {
    /// The shortest that brokers allow unless they are told otherwise; heartbeats are sent three times as often.
    const SESSION_MAX: Duration = Duration::from_secs(6);
    /// A commit takes some 10 ms, and a second when the cluster is in trouble.
    const TRANSACTION_MAX: Duration = Duration::from_secs(10);
    /// An election takes seconds; what takes longer is tried again from outside.
    const ANSWER_MAX: Duration = Duration::from_secs(10);
    /// What the next few steps take under the highest load, and a small part of what a worker may take.
    const AHEAD_BYTES_MAX: usize = 8 << 20;

    /// The defaults, for brokers that take everybody.
    pub fn new(brokers: impl Into<String>) -> Self {
        Self {
            brokers: brokers.into(),
            prefix: String::new(),
            foreign: BTreeMap::new(),
            security: Security::default(),
            replication: None,
            session_max: Self::SESSION_MAX,
            transaction_max: Self::TRANSACTION_MAX,
            answer_max: Self::ANSWER_MAX,
            ahead_bytes_max: Self::AHEAD_BYTES_MAX,
        }
    }

    /// What a topic is called by everybody else.
    pub fn name_in_cluster(&self, topic: &str) -> String {
        Names::new(self).outside(topic).into_owned()
    }
}

/// Whose a topic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Made and changed by Headway.
    Headway,
    /// Only looked at.
    Others,
}

/// How a connection is protected, and who connects.
#[derive(Clone, Debug, Default)]
pub struct Security {
    /// Whether the connection is encrypted and the broker proves who it is.
    pub tls: bool,
    /// Certificates of the authorities that are believed, in place of the system's.
    pub authorities: Option<PathBuf>,
    /// A certificate and its key, both PEM, for brokers that ask clients for one.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// Who connects, and how that is proved.
    pub sasl: Option<Sasl>,
}

impl Security {
    /// The client says of a file that it cannot read neither which nor why.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let (certificate, key) = self.certificate.as_ref().map(|(certificate, key)| (certificate, key)).unzip();
        for file in [self.authorities.as_ref(), certificate, key].into_iter().flatten() {
            let shown = file.display();
            File::open(file).map_err(|error| Error::Request(format!("{shown} cannot be read ({error}): name another file.")))?;
        }
        Ok(())
    }
}

/// How a client proves who it is.
#[derive(Clone, Debug)]
pub enum Sasl {
    /// The password goes over the wire: with TLS only.
    Plain {
        /// Name.
        user: String,
        /// Password.
        password: Secret,
    },
    /// The password stays here.
    Scram {
        /// Name.
        user: String,
        /// Password.
        password: Secret,
        /// 256 or 512.
        bits: u16,
    },
    /// A token that somebody else keeps fresh in a file, as clusters do for their workloads.
    Bearer {
        /// The file with a JSON web token.
        token: PathBuf,
    },
}

/// A text that nobody may see.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[hidden]")
    }
}
