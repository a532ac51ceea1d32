//! Opens connections: TCP or TLS, login, database, and finding the master by its sentinels. Never keeps one.

use std::{fmt, sync::Arc};

use futures_util::future::select_ok;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, TlsCertificates, Value,
    aio::MultiplexedConnection,
};
use tokio::time::timeout;

use crate::{Error, Host, Login, Roots, Settings, reply};

/// Bytes that are gathered before they are written: one call of the largest size, so that it needs one buffer and one write.
const BUFFER_BYTES: usize = 256 << 10;

/// Which server a connection is opened to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// This one.
    Host(Host),
    /// The one that sentinels call by this name.
    Master { sentinels: Vec<Host>, name: String },
}

impl Endpoint {
    /// For messages.
    pub(crate) fn label(&self) -> String {
        match self {
            Self::Host(host) => format!("Redis at {host}"),
            Self::Master { name, .. } => format!("Redis, master `{name}`"),
        }
    }
}

/// What every connection of a store has in common.
pub(crate) struct Dial {
    settings: Settings,
    certificates: Option<TlsCertificates>,
    config: AsyncConnectionConfig,
}

impl fmt::Debug for Dial {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Dial").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Dial {
    /// Reads the certificates, so that a wrong path is told before anything connects.
    pub(crate) fn new(settings: &Settings) -> Result<Arc<Self>, Error> {
        let certificates = settings.tls.as_ref().map(certificates).transpose()?;
        if certificates.is_some() && rustls::crypto::CryptoProvider::get_default().is_none() {
            // Another thread may be first, with the same provider or the one that the binary chose.
            let _ = rustls::crypto::ring::default_provider().install_default();
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(settings.connect_within))
            .set_response_timeout(Some(settings.respond_within))
            .set_write_backpressure_boundary(BUFFER_BYTES);
        Ok(Arc::new(Self { settings: settings.clone(), certificates, config }))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A connection that is logged in, within the bound of the settings.
    pub(crate) async fn connect(&self, endpoint: &Endpoint) -> Result<MultiplexedConnection, Error> {
        let within = self.settings.connect_within;
        let opened = timeout(within, self.open(endpoint)).await;
        opened.unwrap_or_else(|_| Err(Error::Slow { at: endpoint.label(), what: "connect", within_ms: within.as_millis() }))
    }

    async fn open(&self, endpoint: &Endpoint) -> Result<MultiplexedConnection, Error> {
        let login = self.settings.login.as_ref();
        match endpoint {
            Endpoint::Host(host) => self.open_host(host, login, self.settings.database).await,
            Endpoint::Master { sentinels, name } => {
                let host = self.master(sentinels, name).await?;
                let mut connection = self.open_host(&host, login, self.settings.database).await?;
                self.assert_master(&mut connection, &host).await?;
                Ok(connection)
            }
        }
    }

    async fn open_host(&self, host: &Host, login: Option<&Login>, database: u16) -> Result<MultiplexedConnection, Error> {
        let at = format!("Redis at {host}");
        let fault = |source| Error::of_client(&at, "connect", self.settings.connect_within.as_millis(), source);
        let name = host.name.clone();
        let address = match self.certificates {
            Some(_) => ConnectionAddr::TcpTls { host: name, port: host.port, insecure: false, tls_params: None },
            None => ConnectionAddr::Tcp(name, host.port),
        };
        let mut session = RedisConnectionInfo::default().set_db(i64::from(database)).set_skip_set_lib_name();
        if let Some(login) = login {
            session = session.set_password(login.password.reveal());
            if let Some(user) = &login.user {
                session = session.set_username(user);
            }
        }
        let info = address.into_connection_info().map_err(fault)?.set_redis_settings(session);
        let client = match &self.certificates {
            Some(certificates) => Client::build_with_tls(info, certificates.clone()),
            None => Client::open(info),
        };
        let connection = client.map_err(fault)?.get_multiplexed_async_connection_with_config(&self.config).await;
        connection.map_err(fault)
    }

    /// Asks all sentinels at once, since one that hangs must not cost the time of the others.
    async fn master(&self, sentinels: &[Host], name: &str) -> Result<Host, Error> {
        let asked = sentinels.iter().map(|sentinel| Box::pin(self.ask(sentinel, name)));
        Ok(select_ok(asked).await?.0)
    }

    async fn ask(&self, sentinel: &Host, name: &str) -> Result<Host, Error> {
        let at = format!("the sentinel at {sentinel}");
        let mut connection = self.open_host(sentinel, self.settings.sentinel_login.as_ref(), 0).await?;
        let mut command = redis::cmd("SENTINEL");
        command.arg("GET-MASTER-ADDR-BY-NAME").arg(name);
        let answer = connection.send_packed_command(&command).await;
        let answer = answer.map_err(|source| self.unanswered(&at, source))?;
        let parts = match reply::sound(&at, answer)? {
            Value::Array(parts) => parts,
            _ => return Err(Error::Unfit { at, why: format!("it does not know a master called `{name}`") }),
        };
        let mut parts = parts.into_iter().map(|part| reply::text(&at, part));
        match (parts.next(), parts.next().map(|port| port.map(|port| port.parse()))) {
            (Some(Ok(name)), Some(Ok(Ok(port)))) => Ok(Host { name, port }),
            _ => Err(Error::Unfit { at, why: "its answer names no address".into() }),
        }
    }

    /// Right after a failover a sentinel may still name the old master, which is a replica then.
    async fn assert_master(&self, connection: &mut MultiplexedConnection, host: &Host) -> Result<(), Error> {
        let at = format!("Redis at {host}");
        let answer = connection.send_packed_command(&redis::cmd("ROLE")).await;
        let answer = reply::sound(&at, answer.map_err(|source| self.unanswered(&at, source))?)?;
        let role = reply::list(&at, answer)?.into_iter().next().map(|role| reply::text(&at, role)).transpose()?;
        match role.as_deref() {
            Some("master") => Ok(()),
            other => Err(Error::Replica { at, why: format!("its role is {other:?}") }),
        }
    }

    /// No answer to something that was sent.
    pub(crate) fn unanswered(&self, at: &str, source: redis::RedisError) -> Error {
        Error::of_client(at, "answer", self.settings.respond_within.as_millis(), source)
    }
}

fn certificates(roots: &Roots) -> Result<TlsCertificates, Error> {
    let root_cert = match roots {
        Roots::System => None,
        Roots::File(path) => {
            let read = std::fs::read(path);
            Some(read.map_err(|source| Error::File { what: "the roots for Redis", path: path.clone(), source })?)
        }
    };
    Ok(TlsCertificates { client_tls: None, root_cert })
}
