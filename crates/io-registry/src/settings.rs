//! What an operator may choose about a registry. Data only.

use std::{path::PathBuf, time::Duration};

use crate::Secret;

/// Who logs in, by HTTP's basic authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The name, or the key of a hosted registry.
    pub user: String,
    /// Its password, or the secret of that key.
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

/// Which registry, and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What paths such as `/schemas/ids/1` are put after: `http://host:8081`, or with a path of its own.
    pub url: String,
    /// None asks without a name.
    pub login: Option<Login>,
    /// Whom to trust when the URL begins with `https:`.
    pub roots: Roots,
    /// A connection that is not there by then is given up: name, TCP and TLS together.
    pub connect_within: Duration,
    /// An answer that is not complete by then is given up.
    pub respond_within: Duration,
}

impl Settings {
    /// Within a region a connection takes some ten milliseconds; two seconds let one lost packet be sent again.
    const CONNECT_WITHIN: Duration = Duration::from_secs(2);
    /// A registry answers from its memory. Ten seconds are a long pause of its collector; partitions wait meanwhile.
    const RESPOND_WITHIN: Duration = Duration::from_secs(10);

    /// The defaults, for this registry.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            login: None,
            roots: Roots::System,
            connect_within: Self::CONNECT_WITHIN,
            respond_within: Self::RESPOND_WITHIN,
        }
    }
}
