//! Addresses: whether metrics are answered where they should be, and whether a collector can be reached.

use std::{
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use super::Finding;
use crate::telemetry::Collector;

/// Nearby machines answer in milliseconds.
const REACH_WITHIN: Duration = Duration::from_secs(2);

/// Of a process that answers at this address, or nowhere.
pub(super) async fn probe(listens_on: Option<&str>) -> Finding {
    const SUBJECT: &str = "metrics";
    let Some(address) = listens_on else {
        return Finding::ok(
            SUBJECT,
            "they are not answered: the process was started with `--listen off`, or the usual address was refused",
        );
    };
    let url = format!("http://{address}/readyz");
    let asked = tokio::task::spawn_blocking(move || ready(&url)).await;
    match asked.unwrap_or_else(|error| Err(error.to_string())) {
        Ok((200, words)) => Finding::ok(SUBJECT, format!("http://{address}/metrics answers, {}", words.trim())),
        Ok((_, words)) => Finding::warning(SUBJECT, format!("http://{address}/metrics answers, not ready: {}", words.trim()))
            .with("Wait until it has caught up; `headway run` shows how far it is."),
        Err(error) => Finding::fault(SUBJECT, format!("http://{address} does not answer: {error}"))
            .with("Look whether something on this machine keeps connections from it; then start the process again."),
    }
}

fn ready(url: &str) -> Result<(u16, String), String> {
    let config = ureq::Agent::config_builder().timeout_global(Some(REACH_WITHIN)).http_status_as_error(false).proxy(None);
    let mut answer = ureq::Agent::from(config.build()).get(url).call().map_err(|error| error.to_string())?;
    let words = answer.body_mut().read_to_string().map_err(|error| error.to_string())?;
    let detail = serde_json::from_str::<serde_json::Value>(&words).ok();
    let detail = detail.and_then(|problem| problem["detail"].as_str().map(str::to_owned));
    Ok((answer.status().as_u16(), detail.unwrap_or(words)))
}

/// The collector that this process sends to.
pub(super) async fn collector() -> Finding {
    const SUBJECT: &str = "collector";
    let addresses = match Collector::from_environment() {
        Ok(None) => return Finding::ok(SUBJECT, "none is named by OTEL_EXPORTER_OTLP_ENDPOINT: nothing is sent"),
        Ok(Some(collector)) => collector.addresses(),
        Err(fault) => {
            return Finding::warning(SUBJECT, fault).with("Change the variable where Headway is started, and start it again.");
        }
    };
    for address in &addresses {
        let at = address.clone();
        let reached = tokio::task::spawn_blocking(move || reach(&at)).await;
        if let Err(error) = reached.unwrap_or_else(|error| Err(error.to_string())) {
            return Finding::warning(SUBJECT, format!("{address} cannot be reached: {error}"))
                .with("Start the collector, or change OTEL_EXPORTER_OTLP_ENDPOINT. Headway works without it.");
        }
    }
    Finding::ok(SUBJECT, format!("{} can be reached", addresses.join(" and ")))
}

fn reach(address: &str) -> Result<(), String> {
    let addresses = address.to_socket_addrs().map_err(|error| error.to_string())?;
    let mut fault = "the name leads nowhere".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, REACH_WITHIN) {
            Ok(_) => return Ok(()),
            Err(error) => fault = error.to_string(),
        }
    }
    Err(fault)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn an_address_is_reached_or_not() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        assert_eq!(reach(&address), Ok(()));
        drop(listener);
        assert!(reach(&address).is_err());
        assert!(reach("127.0.0.1").is_err());
    }
}
