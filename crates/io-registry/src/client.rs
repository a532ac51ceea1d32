//! The registry's HTTP: paths, login, time-outs, and what its answers mean. Blocks; whoever asks has a thread for it.
//! Never follows a redirect, since the login is meant for this address.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use ureq::{
    Agent,
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};

use crate::{
    Error, Roots, Settings,
    frame::SchemaId,
    schema::{Definition, Format, Reference},
};

const MEDIA_TYPE: &str = "application/vnd.schemaregistry.v1+json";
/// Schemas of a thousand types have some hundred kilobytes.
const ANSWER_BYTES_MAX: u64 = 4 << 20;
/// What is shown of an answer that cannot be used.
const WORDS_MAX: usize = 200;
/// Subjects stand in paths; a slash in one would be another path.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(crate) struct Client {
    agent: Agent,
    url: String,
    authorization: Option<String>,
}

/// What a registry tells of a schema, and what it is told.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    schema: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_type: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    references: Vec<WireReference>,
}

#[derive(Debug, Deserialize, Serialize)]
struct WireReference {
    name: String,
    subject: String,
    version: u32,
}

#[derive(Deserialize)]
struct WireId {
    id: u32,
}

/// What a registry says when it cannot do something.
#[derive(Deserialize)]
struct Complaint {
    error_code: i64,
    #[serde(default)]
    message: String,
}

/// An answer, or the words with which the registry says that it has no such thing.
pub(crate) type Found<T> = Result<T, String>;

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Client({})", self.url)
    }
}

impl Client {
    /// Asks nobody as yet.
    pub(crate) fn new(settings: &Settings) -> Result<Self, Error> {
        let url = settings.url.trim_end_matches('/').to_owned();
        let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
        let host = host.split('/').next().unwrap_or_default();
        if host.is_empty() || host.contains('@') || url.contains(['?', '#']) {
            // The URL is not shown: somebody may have written a password into it.
            return Err(Error::Unusable(
                "the URL of the schema registry has to be like http://host:8081 or https://host/path, and user and password have \
                 settings of their own"
                    .into(),
            ));
        }
        let mut config = Agent::config_builder()
            .timeout_connect(Some(settings.connect_within))
            .timeout_global(Some(settings.respond_within))
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None);
        if url.starts_with("https://") {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let tls = TlsConfig::builder().unversioned_rustls_crypto_provider(provider).root_certs(roots(&settings.roots)?);
            config = config.tls_config(tls.build());
        }
        let authorization = settings
            .login
            .as_ref()
            .map(|login| format!("Basic {}", STANDARD.encode(format!("{}:{}", login.user, login.password.reveal()))));
        Ok(Self { agent: config.build().into(), url, authorization })
    }

    /// The schema behind an id.
    pub(crate) fn schema(&self, id: SchemaId) -> Result<Found<Definition>, Error> {
        self.definition(&format!("/schemas/ids/{id}"))
    }

    /// A version of a subject, `latest` being one.
    pub(crate) fn version(&self, subject: &str, version: &str) -> Result<Found<Definition>, Error> {
        self.definition(&format!("/subjects/{}/versions/{version}", utf8_percent_encode(subject, IN_PATH)))
    }

    /// Offers a schema; the id under which it is known, whether it was there before or not.
    pub(crate) fn register(&self, subject: &str, definition: &Definition) -> Result<SchemaId, Error> {
        let wire = Wire {
            schema: definition.text.clone(),
            schema_type: Some(definition.format.name().into()),
            references: definition.references.iter().map(WireReference::of).collect(),
        };
        let body = serde_json::to_vec(&wire).map_err(|error| Error::Broken(format!("a schema has no JSON form: {error}")))?;
        let path = format!("/subjects/{}/versions", utf8_percent_encode(subject, IN_PATH));
        let request = self.agent.post(format!("{}{path}", self.url)).header("content-type", MEDIA_TYPE);
        let (status, answer) = self.answer(self.with_login(request).send(&body[..]))?;
        match status {
            200..=299 => self.parsed::<WireId>(&answer).map(|wire| SchemaId(wire.id)),
            400 | 404 | 409 | 422 => {
                let why = format!("{status}: {}", words(&answer));
                Err(Error::Refused { at: self.url.clone(), subject: subject.into(), why })
            }
            _ => Err(self.failure(status, &answer)),
        }
    }

    fn definition(&self, path: &str) -> Result<Found<Definition>, Error> {
        let request = self.agent.get(format!("{}{path}", self.url)).header("accept", format!("{MEDIA_TYPE}, application/json"));
        let (status, answer) = self.answer(self.with_login(request).call())?;
        match status {
            200..=299 => {
                let wire: Wire = self.parsed(&answer)?;
                let Some(format) = Format::parse(wire.schema_type.as_deref()) else {
                    return Err(self.foreign(format!("a schema of the type {}", wire.schema_type.unwrap_or_default())));
                };
                let references = wire.references.into_iter().map(WireReference::into_reference).collect();
                Ok(Ok(Definition { format, text: wire.schema, references }))
            }
            // No such page is something else than no such schema: then every record would be put aside because of a wrong address.
            404 => match serde_json::from_slice::<Complaint>(&answer) {
                Ok(Complaint { error_code: 40401..=40403, message }) => Ok(Err(message)),
                _ => Err(self.failure(status, &answer)),
            },
            _ => Err(self.failure(status, &answer)),
        }
    }

    fn with_login<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        match &self.authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        }
    }

    fn answer(&self, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<(u16, Vec<u8>), Error> {
        let mut answer = answer.map_err(|error| self.unreached(error))?;
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
        Ok((answer.status().as_u16(), body.map_err(|error| self.unreached(error))?))
    }

    fn parsed<T: for<'de> Deserialize<'de>>(&self, answer: &[u8]) -> Result<T, Error> {
        serde_json::from_slice(answer).map_err(|error| self.foreign(format!("{error}: {}", words(answer))))
    }

    fn unreached(&self, error: ureq::Error) -> Error {
        let (at, why) = (self.url.clone(), error.to_string());
        match error {
            ureq::Error::BadUri(_) => Error::Unusable(format!("the URL of the schema registry cannot be read: {why}")),
            ureq::Error::BodyExceedsLimit(_) => self.foreign(why),
            // A certificate does not become right by trying again.
            _ if why.contains("certificate") => Error::Denied { at, why },
            _ => Error::Unreachable { at, why },
        }
    }

    fn failure(&self, status: u16, answer: &[u8]) -> Error {
        let (at, why) = (self.url.clone(), format!("{status}: {}", words(answer)));
        match status {
            401 | 403 => Error::Denied { at, why },
            408 | 425 | 429 | 500..=599 => Error::Away { at, why },
            _ => self.foreign(why),
        }
    }

    fn foreign(&self, why: String) -> Error {
        Error::Foreign { at: self.url.clone(), why }
    }
}

impl WireReference {
    fn of(reference: &Reference) -> Self {
        Self { name: reference.name.clone(), subject: reference.subject.clone(), version: reference.version }
    }

    fn into_reference(self) -> Reference {
        Reference { name: self.name, subject: self.subject, version: self.version }
    }
}

/// The message of a complaint, or how an answer begins.
fn words(answer: &[u8]) -> String {
    let complaint = serde_json::from_slice::<Complaint>(answer).map(|complaint| complaint.message);
    let text = complaint.unwrap_or_else(|_| String::from_utf8_lossy(answer).into_owned());
    text.chars().take(WORDS_MAX).collect()
}

fn roots(roots: &Roots) -> Result<RootCerts, Error> {
    let certificates: Vec<Certificate<'static>> = match roots {
        Roots::System => {
            let found = rustls_native_certs::load_native_certs();
            found.certs.iter().map(|certificate| Certificate::from_der(certificate).to_owned()).collect()
        }
        Roots::File(path) => {
            let pem = std::fs::read(path);
            let pem = pem.map_err(|source| Error::File { what: "the certificates to trust", path: path.clone(), source })?;
            let items = parse_pem(&pem).filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            });
            items.collect()
        }
    };
    if certificates.is_empty() {
        let place = match roots {
            Roots::System => "this machine trusts nobody: install its certificates (in Debian: ca-certificates)".to_owned(),
            Roots::File(path) => format!("there is no certificate in {}: name a file with some in PEM", path.display()),
        };
        return Err(Error::Unusable(place));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}
