//! What `headway run` answers over HTTP, at one address: what `api` answers, with the parts of this process behind it.
//!
//! Decides where it listens, and what the pipelines that predict are asked with. Whoever reaches the address may ask, so it is one of this
//! machine alone unless somebody says otherwise (`docs/adr/0022-http.md`).

mod asked;
mod probes;

use std::{
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
    sync::Arc,
};

use tokio::{
    net::TcpListener,
    sync::watch::{Sender, channel},
    task::JoinHandle,
};

use crate::{failure::Failure, host::Host, telemetry::Gatherer};
use asked::Asked;
use probes::Asks;

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

/// Somebody who answers until it is told to stop.
pub(crate) struct Listening {
    stop: Sender<bool>,
    served: Option<JoinHandle<()>>,
}

impl Listening {
    /// Finishes what was begun, and answers nothing more.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        if let Some(served) = self.served {
            // However it ended, nobody is answered any more.
            let _ = served.await;
        }
    }
}

/// Answers from now on. Without an address of somebody's choice the usual one is taken, any other when that is not free, and none
/// when the machine has none: nobody asked for it, so it ends no start.
pub(crate) async fn listen(host: &Arc<Host>, gatherer: Arc<Gatherer>, wanted: Option<Listen>) -> Result<Listening, Failure> {
    let (stop, stopped) = channel(false);
    let listener = match wanted {
        Some(Listen::Off) => return Ok(Listening { stop, served: None }),
        Some(Listen::At(address)) => bind(address).await.map_err(|error| refused(address, &error))?,
        None => match usual(host).await {
            Ok(listener) => listener,
            Err(error) => {
                host.announce(format!("Metrics are not answered: cannot listen on this machine ({error})."));
                return Ok(Listening { stop, served: None });
            }
        },
    };
    let address = listener.local_addr().map_err(|error| Failure::failed(format!("cannot listen: {error}")))?;
    let _ = host.listens_on.set(address);
    host.announce(format!("Metrics and probes: http://{address}/metrics"));
    let Asked { predicted, ids } = Asked::of(host, &stopped);
    if !ids.is_empty() {
        host.announce(format!(
            "Quotes and arrival times of {}: http://{address}/v1/openapi.json says how to ask.",
            ids.join(", ")
        ));
    }
    let api = api::Api::new(predicted, Asks::new(host.clone(), gatherer.clone()));
    // Whoever answers holds who gathers.
    let counting = Arc::downgrade(&api);
    gatherer.count_also(move || counting.upgrade().map(|api| api.counts()).unwrap_or_default());
    Ok(Listening { stop, served: Some(tokio::spawn(api::serve(listener, api.router(), stopped))) })
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
