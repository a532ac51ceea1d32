//! What `headway run` answers over HTTP: `/metrics`, `/livez` and `/readyz`, and nothing that changes anything.
//!
//! Two lines of protocol are all that these need, so a request is one head read by `httparse`, and a connection is one request
//! (`docs/adr/0011-telemetry.md`). Everything that a stranger can make larger or longer has a bound in `connection`.

mod answers;
mod connection;

use std::{
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use tokio::net::TcpListener;

use crate::{failure::Failure, host::Host, telemetry::Gatherer};
pub(crate) use answers::Answers;

/// Where Prometheus looks for an exporter of OpenTelemetry's by default. Nobody outside the machine reaches it.
const USUAL: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    At(SocketAddr),
    Off,
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let address = text.parse().map(Self::At);
        address.map_err(|_| "an address with a port such as 127.0.0.1:9464 or 0.0.0.0:9464 is needed, or `off`".to_owned())
    }
}

/// Answers from now on. Without an address of somebody's choice the usual one is taken, any other when that is not free, and none
/// when the machine has none: nobody asked for it, so it ends no start.
pub(crate) async fn listen(host: &Arc<Host>, gatherer: Arc<Gatherer>, wanted: Option<Listen>) -> Result<(), Failure> {
    let listener = match wanted {
        Some(Listen::Off) => return Ok(()),
        Some(Listen::At(address)) => bind(address).await.map_err(|error| refused(address, &error))?,
        None => match usual(host).await {
            Ok(listener) => listener,
            Err(error) => {
                host.announce(format!("Metrics are not answered: cannot listen on this machine ({error})."));
                return Ok(());
            }
        },
    };
    let address = listener.local_addr().map_err(|error| Failure::failed(format!("cannot listen: {error}")))?;
    let _ = host.listens_on.set(address);
    host.announce(format!("Metrics and probes: http://{address}/metrics"));
    tokio::spawn(connection::serve(listener, Arc::new(Answers::new(host.clone(), gatherer))));
    Ok(())
}

async fn usual(host: &Host) -> std::io::Result<TcpListener> {
    match bind(USUAL).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            host.announce(format!("{USUAL} is taken by another process, so metrics are at an address of their own."));
            bind(SocketAddr::new(USUAL.ip(), 0)).await
        }
        other => other,
    }
}

async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

fn refused(address: SocketAddr, error: &std::io::Error) -> Failure {
    let what = match error.kind() {
        ErrorKind::AddrInUse => "another process listens there already".to_owned(),
        ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        _ => error.to_string(),
    };
    Failure::failed(format!("cannot listen on {address}: {what}. Name another one with --listen, or `--listen off`."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_port() {
        assert_eq!("off".parse(), Ok(Listen::Off));
        assert_eq!("127.0.0.1:0".parse(), Ok(Listen::At(SocketAddr::from(([127, 0, 0, 1], 0)))));
        assert!("localhost".parse::<Listen>().is_err_and(|words| words.contains("127.0.0.1:9464")));
    }
}
