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
    pub(crate) registry: Option<io_registry::Settings>,
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
    #[serde(default)]
    registry: RawRegistry,
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

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRegistry {
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
        let registry = raw.registry.resolve(arguments.registry.clone(), &place, &mut faults);
        let all = Self { kafka, registry, redis, foreign };
        if faults.is_empty() { Ok(all) } else { Err(Failure::configuration(faults.join("\n"))) }
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

impl RawRegistry {
    fn resolve(self, url: Option<String>, place: &Path, faults: &mut Vec<String>) -> Option<io_registry::Settings> {
        let mut settings = io_registry::Settings::new(url.or(self.url)?);
        settings.login = match (self.user, self.password_file) {
            (Some(user), Some(file)) => {
                Some(io_registry::Login { user, password: io_registry::Secret::new(secret(&file, faults)) })
            }
            (None, None) => None,
            _ => {
                faults.push(format!("{}: [registry] user and password_file need each other", place.display()));
                None
            }
        };
        if let Some(file) = self.authorities {
            settings.roots = io_registry::Roots::File(file);
        }
        // To open it asks nobody, and finds what can be seen to be wrong; what time it is does not matter for that.
        if let Err(error) = io_registry::Registry::open(&settings, ports::clock_fn(1.0, || domain::Timestamp(0))) {
            faults.push(format!("{}: [registry] {error}", place.display()));
        }
        Some(settings)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The settings of the registry, or every fault.
    fn registry(file: &str, url: Option<&str>) -> Result<Option<io_registry::Settings>, String> {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("password"), "hidden words\n").expect("a file");
        let path = folder.path().join("servers.toml");
        fs::write(&path, file.replace("FOLDER", &folder.path().display().to_string())).expect("a file");
        let arguments = arguments::Servers { registry: url.map(str::to_owned), servers: Some(path), ..Default::default() };
        Servers::resolve(&arguments).map(|servers| servers.registry).map_err(|failure| failure.message)
    }

    #[test]
    fn a_registry_is_named_in_the_file_or_beside_it() {
        assert_eq!(registry("", None), Ok(None));
        let file = "[registry]\nurl = \"http://a/path\"\nuser = \"me\"\npassword_file = \"FOLDER/password\"\n";
        let found = registry(file, None).expect("sound").expect("named");
        let login = io_registry::Login { user: "me".into(), password: io_registry::Secret::new("hidden words") };
        assert_eq!(found, io_registry::Settings { login: Some(login), ..io_registry::Settings::new("http://a/path") });
        assert!(!format!("{found:?}").contains("hidden words"));
        let beside = registry(file, Some("http://b")).expect("sound").expect("named");
        assert_eq!((&*beside.url, beside.login), ("http://b", found.login));
    }

    #[test]
    fn what_is_wrong_with_a_registry_is_said() {
        let fault = |file: &str| registry(file, None).expect_err("a fault");
        let half = fault("[registry]\nurl = \"http://me:secret@a\"\nuser = \"me\"\n");
        assert!(half.contains("[registry] user and password_file need each other"), "{half}");
        assert!(half.contains("[registry] the URL of the schema registry has to be like") && !half.contains("secret"), "{half}");
        let unknown = fault("[registry]\nurl = \"http://a\"\ntoken = \"x\"\n");
        assert!(unknown.contains("unknown field `token`"), "{unknown}");
    }
}
