//! Clients of a cluster: what all of them are configured with, and what they tell.

use std::{
    fs,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use rdkafka::{
    ClientConfig, ClientContext, client::OAuthToken, config::RDKafkaLogLevel, consumer::ConsumerContext, error::KafkaError,
    types::RDKafkaErrorCode as Code,
};
use tracing::{debug, error, info, warn};

use crate::{Error, Sasl, Settings, deadline::Deadline, error::code};

/// How soon something that failed inside of the client is tried again. Its own default of 100 ms is what most commits would wait
/// for, since a transaction that follows another at once is asked to come again.
const RETRY_AFTER: Duration = Duration::from_millis(5);
/// The longest such wait.
const RETRY_AFTER_MAX: Duration = Duration::from_millis(500);
/// How often the same error is told.
const AGAIN_AFTER: Duration = Duration::from_secs(10);
/// The longest wait before a broker that went away is looked for again.
const RECONNECT_AFTER_MAX: Duration = Duration::from_secs(2);

/// So many events a client may have to tell before it is asked something. One that waits for its turn is not lost.
pub(crate) const EVENTS_MAX: usize = 8;

/// What every client is configured with.
pub(crate) fn config(settings: &Settings) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &settings.brokers)
        .set("client.id", "headway")
        .set("socket.keepalive.enable", "true")
        .set("socket.timeout.ms", millis(settings.answer_max))
        .set("retry.backoff.ms", millis(RETRY_AFTER))
        .set("retry.backoff.max.ms", millis(RETRY_AFTER_MAX))
        .set("reconnect.backoff.max.ms", millis(RECONNECT_AFTER_MAX));
    protect(&mut config, settings);
    config
}

fn protect(config: &mut ClientConfig, settings: &Settings) {
    let security = &settings.security;
    let protocol = match (security.tls, &security.sasl) {
        (false, None) => "plaintext",
        (true, None) => "ssl",
        (false, Some(_)) => "sasl_plaintext",
        (true, Some(_)) => "sasl_ssl",
    };
    config.set("security.protocol", protocol);
    if let Some(authorities) = &security.authorities {
        config.set("ssl.ca.location", authorities.to_string_lossy());
    }
    if let Some((certificate, key)) = &security.certificate {
        config.set("ssl.certificate.location", certificate.to_string_lossy());
        config.set("ssl.key.location", key.to_string_lossy());
    }
    match &security.sasl {
        None => {}
        Some(Sasl::Plain { user, password }) => {
            config.set("sasl.mechanisms", "PLAIN").set("sasl.username", user).set("sasl.password", password.reveal());
        }
        Some(Sasl::Scram { user, password, bits }) => {
            config.set("sasl.mechanisms", format!("SCRAM-SHA-{bits}"));
            config.set("sasl.username", user).set("sasl.password", password.reveal());
        }
        Some(Sasl::Bearer { .. }) => {
            config.set("sasl.mechanisms", "OAUTHBEARER");
        }
    }
}

pub(crate) fn millis(duration: Duration) -> String {
    duration.as_millis().to_string()
}

/// An error that was told, and for how long it is not told again.
type Told = (Option<Code>, Deadline);

/// What a client tells goes where the process's lines go, and tokens come from where they are kept fresh.
#[derive(Clone, Debug)]
pub(crate) struct Telling {
    settings: Arc<Settings>,
    /// Why a broker could not be reached.
    reason: Arc<Mutex<Option<Error>>>,
    /// What was told, and for how long it is not told again.
    told: Arc<Mutex<Vec<Told>>>,
}

impl Telling {
    pub(crate) fn new(settings: Arc<Settings>) -> Self {
        Self { settings, reason: Arc::default(), told: Arc::default() }
    }

    /// Why brokers could not be reached, the last time that one could not.
    pub(crate) fn reason(&self) -> Option<Error> {
        self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether nobody has answered.
    pub(crate) fn is_silence(error: &KafkaError) -> bool {
        matches!(code(error), Some(Code::OperationTimedOut | Code::BrokerTransportFailure | Code::AllBrokersDown))
    }

    /// What failed, with the reason why nobody answered if that is known.
    pub(crate) fn explain(&self, what: impl Into<String>, source: KafkaError) -> Error {
        let what = what.into();
        match self.reason().filter(|_| Self::is_silence(&source)) {
            Some(Error::Kafka { what: reason, source }) => Error::Kafka { what: format!("{what}: {reason}"), source },
            _ => Error::Kafka { what, source },
        }
    }

    fn note(&self, error: &KafkaError, reason: &str) {
        // A certificate that is not believed is told once as what it is, and then as a connection that broke.
        let error = match reason.contains("certificate verify failed") {
            true => &KafkaError::Global(Code::SSL),
            false => error,
        };
        let mut noted = self.reason.lock().unwrap_or_else(PoisonError::into_inner);
        // That all of them are away follows from what was told of each.
        if code(error) != Some(Code::AllBrokersDown) || noted.is_none() {
            // A broker without TLS answers with words of its own protocol, or hangs up before they are read.
            let hung_up = reason.contains("in state SSL_HANDSHAKE") && !reason.contains("PLAINTEXT");
            let advice = if hung_up { ": the listener may be one without TLS (PLAINTEXT)" } else { "" };
            *noted = Some(Error::Kafka { what: format!("{reason}{advice}"), source: error.clone() });
        }
    }

    fn token(&self) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        let Some(Sasl::Bearer { token: file }) = &self.settings.security.sasl else {
            return Err("no file of tokens is configured".into());
        };
        let shown = file.display();
        let token = fs::read_to_string(file).map_err(|error| format!("the token in {shown} cannot be read: {error}"))?;
        let token = token.trim().to_owned();
        let claims = claims(&token).ok_or_else(|| format!("what is in {shown} is no JSON web token with `sub` and `exp`"))?;
        Ok(OAuthToken { token, principal_name: claims.subject, lifetime_ms: claims.expires_ms })
    }
}

impl ClientContext for Telling {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            // Of a connection that fails the client tells twice, the second time as an error.
            _ if facility == "FAIL" => debug!(facility, "{message}"),
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => error!(facility, "{message}"),
            // The client tries again by itself; what it gives up comes as an error of a call.
            RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning => warn!(facility, "{message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => info!(facility, "{message}"),
            RDKafkaLogLevel::Debug => debug!(facility, "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // The end of a partition is no error, and goes to whoever reads it as well.
        if error.rdkafka_error_code() == Some(Code::PartitionEOF) {
            return;
        }
        self.note(&error, reason);
        // A client that cannot reach anybody says so twenty times a second.
        let code = code(&error);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|(_, until)| !until.is_over());
        if told.iter().any(|(before, _)| *before == code) {
            return;
        }
        told.push((code, Deadline::after(AGAIN_AFTER)));
        warn!(%error, "{reason}");
    }

    fn generate_oauth_token(&self, _config: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.token()
    }
}

impl ConsumerContext for Telling {}

/// What the client has to know of a token. Whether it is genuine is for the broker to find out.
struct Claims {
    subject: String,
    expires_ms: i64,
}

fn claims(token: &str) -> Option<Claims> {
    let payload = decode(token.split('.').nth(1)?)?;
    let payload: serde_json::Value = serde_json::from_slice(&payload).ok()?;
    let subject = payload.get("sub")?.as_str()?.to_owned();
    let expires = payload.get("exp")?.as_f64()?;
    Some(Claims { subject, expires_ms: (expires * 1000.0) as i64 })
}

/// Base 64 with the alphabet of web tokens, which have no padding.
fn decode(text: &str) -> Option<Vec<u8>> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (mut bytes, mut kept, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        kept = kept << 6 | u32::try_from(ALPHABET.iter().position(|known| *known == letter)?).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((kept >> bits & 0xff) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_claims_of_a_token_are_found() {
        // {"alg":"none"} . {"sub":"headway","exp":1760000000.5}
        let token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJoZWFkd2F5IiwiZXhwIjoxNzYwMDAwMDAwLjV9.";
        let claims = claims(token).expect("a token");
        assert_eq!((&*claims.subject, claims.expires_ms), ("headway", 1_760_000_000_500));
        for broken in ["", "a.b", "a.!!.c", "eyJhbGciOiJub25lIn0.e30."] {
            assert!(super::claims(broken).is_none(), "{broken}");
        }
    }
}
