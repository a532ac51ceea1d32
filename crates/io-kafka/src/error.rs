//! What goes wrong with Kafka, and which of the port's kinds that is.

use ports::ErrorKind;
use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    types::RDKafkaErrorCode as Code,
};

/// An error of this adapter.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for can never work.
    #[error("{0}")]
    Request(String),
    /// Somebody else has taken over.
    #[error("{0}")]
    Fenced(String),
    /// Kafka said no, or did not answer.
    #[error("{what}: {source}")]
    Kafka {
        /// What was being done.
        what: String,
        /// What Kafka said.
        source: KafkaError,
    },
    /// Something of ours is gone that lives as long as the process.
    #[error("{0}")]
    Ended(&'static str),
}

impl Error {
    pub(crate) fn kafka(what: impl Into<String>) -> impl FnOnce(KafkaError) -> Self {
        let what = what.into();
        move |source| Self::Kafka { what, source }
    }

    /// What the caller has to do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Request(_) => ErrorKind::Invalid,
            Self::Fenced(_) => ErrorKind::Fenced,
            Self::Kafka { source: KafkaError::ClientCreation(_) | KafkaError::ClientConfig(..), .. } => ErrorKind::Invalid,
            Self::Kafka { source, .. } => code(source).map_or(ErrorKind::Transient, kind),
            Self::Ended(_) => ErrorKind::Transient,
        }
    }

    /// Whether a broker did not let us in.
    pub(crate) fn is_of_connection(&self) -> bool {
        let Self::Kafka { source, .. } = self else { return false };
        matches!(code(source), Some(Code::Authentication | Code::SaslAuthenticationFailed | Code::SSL))
    }
}

/// What Kafka answered, if it did.
pub(crate) fn code(error: &KafkaError) -> Option<RDKafkaErrorCode> {
    match error {
        // The client does not count this one among those that have a code.
        KafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    }
}

/// A topic that is not there was refused before anything was asked of it: a broker that says so of one that is there has just been
/// started, and will find it.
fn kind(code: RDKafkaErrorCode) -> ErrorKind {
    match code {
        Code::Fenced
        | Code::FencedInstanceId
        | Code::ProducerFenced
        | Code::InvalidProducerEpoch
        | Code::UnknownMemberId
        | Code::IllegalGeneration
        | Code::AssignmentLost => ErrorKind::Fenced,
        Code::Authentication
        | Code::SaslAuthenticationFailed
        | Code::SSL
        | Code::TopicAuthorizationFailed
        | Code::GroupAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed
        | Code::InvalidTopic
        | Code::InvalidConfig
        | Code::InvalidPartitions
        | Code::InvalidReplicationFactor
        | Code::PolicyViolation
        | Code::MessageSizeTooLarge
        | Code::InvalidSessionTimeout
        | Code::InvalidTransactionTimeout
        | Code::OffsetMetadataTooLarge
        | Code::UnsupportedVersion
        | Code::UnsupportedFeature => ErrorKind::Invalid,
        _ => ErrorKind::Transient,
    }
}

/// What to do next.
fn advice(kind: ErrorKind, code: Option<RDKafkaErrorCode>) -> &'static str {
    match (kind, code) {
        (ErrorKind::Fenced, _) => "join again",
        (ErrorKind::Invalid, Some(Code::Authentication | Code::SaslAuthenticationFailed)) => {
            "check mechanism, user and password_file, or token_file"
        }
        (ErrorKind::Invalid, Some(Code::SSL)) => "check the certificates in authorities, certificate and key",
        (
            ErrorKind::Invalid,
            Some(
                Code::TopicAuthorizationFailed
                | Code::GroupAuthorizationFailed
                | Code::ClusterAuthorizationFailed
                | Code::TransactionalIdAuthorizationFailed,
            ),
        ) => "give this client the rights that docs/reference/servers.md lists",
        (ErrorKind::Invalid, Some(Code::MessageSizeTooLarge)) => {
            "`headway topics plan` shows a topic that takes smaller records than it should, and `headway topics apply` mends it"
        }
        (ErrorKind::Invalid, _) => {
            "change the settings, the topic or the rights of this client, as `headway topics plan` compares them"
        }
        _ => "it is tried again; look whether the brokers run and can be reached from here, as `headway doctor` does",
    }
}

impl From<Error> for ports::Error {
    fn from(error: Error) -> Self {
        let kind = error.kind();
        match error {
            Error::Kafka { what, source } => {
                let advice = advice(kind, code(&source));
                Self::with_source(kind, format!("{what}: {source}; {advice}"), source)
            }
            other => Self::new(kind, other.to_string()),
        }
    }
}
