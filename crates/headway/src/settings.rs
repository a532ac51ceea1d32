//! Which servers there are and how they are spoken to: what was written in a file, in the environment and on the command line, and
//! what it means. Nothing here connects to anything; a secret comes from a file of its own and never shows itself.

mod foreign;

use std::{
    fs,
    path::{Path, PathBuf},
};

use pipeline::Pipeline;
use serde::Deserialize;

use crate::{
    arguments,
    failure::Failure,
    host::{PARTITIONS_DEFAULT, PARTITIONS_OF_KAFKA},
};

/// Servers in place of embedded parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Servers {
    pub(crate) kafka: Option<io_kafka::Settings>,
    redis: Option<Redis>,
    /// Topics of others, and where that is written.
    foreign: (foreign::Foreign, PathBuf),
}

/// A Redis, for any pipeline.
#[derive(Clone, Debug)]
struct Redis {
    url: Url,
    authorities: Option<PathBuf>,
    login: Option<io_redis::Login>,
}

/// An address that may have a password in it.
#[derive(Clone)]
struct Url(String);

impl std::fmt::Debug for Url {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[hidden]")
    }
}

/// The file, as it was written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    kafka: RawKafka,
    #[serde(default)]
    redis: RawRedis,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKafka {
    brokers: Option<String>,
    #[serde(default)]
    prefix: String,
    replication: Option<i32>,
    #[serde(default)]
    tls: bool,
    authorities: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    mechanism: Option<Mechanism>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    token_file: Option<PathBuf>,
    session: Option<String>,
    #[serde(default)]
    topics: foreign::Foreign,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRedis {
    url: Option<String>,
    authorities: Option<PathBuf>,
    user: Option<String>,
    password_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mechanism {
    Plain,
    #[serde(rename = "scram-sha-256")]
    Scram256,
    #[serde(rename = "scram-sha-512")]
    Scram512,
    OauthBearer,
}

impl Servers {
    /// What was asked for. All faults together.
    pub(crate) fn resolve(arguments: &arguments::Servers) -> Result<Self, Failure> {
        let (raw, place) = match &arguments.servers {
            Some(file) => (read(file)?, file.clone()),
            None => (Raw::default(), PathBuf::from("the command line")),
        };
        let mut faults = Vec::new();
        let foreign = (raw.kafka.topics.clone(), place.clone());
        let kafka = raw.kafka.resolve(arguments.kafka.clone(), &place, &mut faults);
        let redis = raw.redis.resolve(arguments.redis.clone(), &place, &mut faults);
        if faults.is_empty() { Ok(Self { kafka, redis, foreign }) } else { Err(Failure::configuration(faults.join("\n"))) }
    }
}

impl Servers {
    /// The same for these pipelines: only they tell which topics can be somebody else's.
    pub(crate) fn reading<'a>(mut self, pipelines: impl IntoIterator<Item = &'a Pipeline>) -> Result<Self, Failure> {
        let (written, place) = &self.foreign;
        if let Some(kafka) = &mut self.kafka {
            let fault = |fault: String| format!("{}: [kafka.topics] {fault}", place.display());
            kafka.foreign = foreign::resolve(written, &foreign::declared(pipelines))
                .map_err(|faults| Failure::configuration(faults.into_iter().map(fault).collect::<Vec<_>>().join("\n")))?;
        }
        Ok(self)
    }

    /// Into how many parts topics are divided where nobody says so.
    pub(crate) fn partitions_default(&self) -> u32 {
        if self.kafka.is_some() { PARTITIONS_OF_KAFKA } else { PARTITIONS_DEFAULT }
    }

    /// The Redis of a pipeline, if there is one.
    pub(crate) fn redis(&self, pipeline: &str) -> Result<Option<io_redis::Settings>, ports::Error> {
        let Some(Redis { url, authorities, login }) = &self.redis else { return Ok(None) };
        let mut settings = io_redis::Settings::parse(pipeline, &url.0)?;
        if let (Some(file), Some(_)) = (authorities, &settings.tls) {
            settings.tls = Some(io_redis::Roots::File(file.clone()));
        }
        settings.login = login.clone().or(settings.login);
        Ok(Some(settings))
    }
}

impl RawRedis {
    fn resolve(self, url: Option<String>, place: &Path, faults: &mut Vec<String>) -> Option<Redis> {
        let url = url.or(self.url)?;
        // Any id will do to see whether an address is one.
        if let Err(error) = io_redis::Settings::parse("any", &url) {
            faults.push(format!("{}: [redis] {error}", place.display()));
        }
        let login = match (self.user, self.password_file) {
            (user, Some(file)) => Some(io_redis::Login { user, password: io_redis::Secret::new(secret(&file, faults)) }),
            (Some(_), None) => {
                faults.push(format!("{}: [redis] a user needs password_file", place.display()));
                None
            }
            (None, None) => None,
        };
        Some(Redis { url: Url(url), authorities: self.authorities, login })
    }
}

fn read(file: &Path) -> Result<Raw, Failure> {
    let text = fs::read_to_string(file).map_err(|error| Failure::reading(file, &error))?;
    toml::from_str(&text).map_err(|error| Failure::configuration(format!("{}: {error}", file.display())))
}

/// The text of a file that holds a secret.
fn secret(file: &Path, faults: &mut Vec<String>) -> String {
    match fs::read_to_string(file) {
        Ok(text) => text.trim_end_matches(['\r', '\n']).to_owned(),
        Err(error) => {
            faults.push(format!("{}: the secret in it cannot be read: {error}", file.display()));
            String::new()
        }
    }
}

impl RawKafka {
    fn resolve(self, brokers: Option<String>, place: &Path, faults: &mut Vec<String>) -> Option<io_kafka::Settings> {
        let brokers = brokers.or(self.brokers.clone())?;
        let mut fault = |what: &str| faults.push(format!("{}: [kafka] {what}", place.display()));
        if brokers
            .split(',')
            .any(|broker| broker.rsplit_once(':').is_none_or(|(host, port)| host.is_empty() || port.parse::<u16>().is_err()))
        {
            fault(&format!("brokers are written host:port with a comma between two, not {brokers:?}"));
        }
        let certificate = match (self.certificate, self.key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => {
                fault("a certificate needs a key and a key a certificate");
                None
            }
        };
        let named = (self.mechanism, &self.user, &self.password_file, &self.token_file);
        match named {
            (None, None, None, None) | (Some(Mechanism::OauthBearer), None, None, Some(_)) => {}
            (Some(Mechanism::Plain | Mechanism::Scram256 | Mechanism::Scram512), Some(_), Some(_), None) => {}
            (None, ..) => {
                fault("a user, a password or a token needs a mechanism: plain, scram-sha-256, scram-sha-512 or oauth-bearer")
            }
            (Some(Mechanism::OauthBearer), ..) => fault("oauth-bearer needs token_file, and nothing else"),
            (Some(_), ..) => fault("plain and scram need user and password_file, and no token_file"),
        }
        let session = self.session.as_deref().map(pipeline::span);
        if let Some(Err(error)) = &session {
            fault(&format!("session: {error}"));
        }
        let sasl = match (self.mechanism, self.user, self.password_file, self.token_file) {
            (Some(Mechanism::OauthBearer), _, _, Some(token)) => Some(io_kafka::Sasl::Bearer { token }),
            (Some(mechanism), Some(user), Some(file), _) => {
                let password = io_kafka::Secret::new(secret(&file, faults));
                Some(match mechanism {
                    Mechanism::Scram256 => io_kafka::Sasl::Scram { user, password, bits: 256 },
                    Mechanism::Scram512 => io_kafka::Sasl::Scram { user, password, bits: 512 },
                    Mechanism::Plain | Mechanism::OauthBearer => io_kafka::Sasl::Plain { user, password },
                })
            }
            _ => None,
        };
        let security = io_kafka::Security { tls: self.tls, authorities: self.authorities, certificate, sasl };
        let mut settings = io_kafka::Settings {
            prefix: self.prefix,
            security,
            replication: self.replication,
            ..io_kafka::Settings::new(brokers)
        };
        if let Some(Ok(span)) = session {
            settings.session_max = std::time::Duration::from_millis(span.0.unsigned_abs());
        }
        Some(settings)
    }
}
