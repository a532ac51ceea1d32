//! What an operator may choose about a Redis. Data only.

use std::{path::PathBuf, time::Duration};

use crate::{Address, Secret};

/// Who logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// None is the user `default`.
    pub user: Option<String>,
    /// Its password.
    pub password: Secret,
}

/// By whom a server's certificate has to be signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// By somebody whom this machine trusts.
    #[default]
    System,
    /// By one of the certificates in this file, in PEM.
    File(PathBuf),
}

/// Which servers hold the vectors of which pipeline, and how they are spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The pipeline's id: what every key begins with. Letters, digits, `.`, `_` and `-`.
    pub pipeline: String,
    /// Where.
    pub address: Address,
    /// Number of the database; a cluster has only 0.
    pub database: u16,
    /// For the servers that hold vectors.
    pub login: Option<Login>,
    /// For sentinels, which have users of their own.
    pub sentinel_login: Option<Login>,
    /// Speaks TLS to servers and sentinels, and trusts these; none speaks in clear.
    pub tls: Option<Roots>,
    /// A connection that is not there by then is given up: name, TCP, TLS and login together.
    pub connect_within: Duration,
    /// An answer that is not there by then is given up, and its connection with it.
    pub respond_within: Duration,
    /// Does without functions, although the server has them.
    pub scripts_only: bool,
}

impl Settings {
    /// Within a zone a connection takes a few milliseconds; two seconds let one lost packet be sent again.
    const CONNECT_WITHIN: Duration = Duration::from_secs(2);
    /// The largest step takes 12 ms of the server; a second is what a server may pause for a fork and still be called alive.
    const RESPOND_WITHIN: Duration = Duration::from_secs(1);

    /// The defaults, for these servers.
    pub fn new(pipeline: impl Into<String>, address: Address) -> Self {
        Self {
            pipeline: pipeline.into(),
            address,
            database: 0,
            login: None,
            sentinel_login: None,
            tls: None,
            connect_within: Self::CONNECT_WITHIN,
            respond_within: Self::RESPOND_WITHIN,
            scripts_only: false,
        }
    }
}
