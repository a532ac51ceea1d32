//! What can go wrong with a Redis, in words that say what to do next.

use std::{io, path::PathBuf};

use ports::ErrorKind;
use redis::RedisError;

use crate::Host;

/// An error of this crate. Adapters hand it on as [`ports::Error`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting that can never work.
    #[error("{0}")]
    Unusable(String),
    /// A file that the settings name.
    #[error("could not read {what} from {}: name a file that the user of Headway may read", path.display())]
    File {
        /// What was to be in it.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's word for it.
        source: io::Error,
    },
    /// No connection, or one that broke.
    #[error("{at} cannot be reached ({source}). It is tried again; look whether the server runs and the address is right")]
    Unreachable {
        /// Which server.
        at: String,
        /// The system's word for it.
        source: RedisError,
    },
    /// Too slow.
    #[error(
        "{at} did not {what} within {within_ms} ms. It is tried again; look whether the server is overloaded, paused or cut off"
    )]
    Slow {
        /// Which server.
        at: String,
        /// `connect` or `answer`.
        what: &'static str,
        /// The bound.
        within_ms: u128,
    },
    /// The server answers, but not now.
    #[error("{at} cannot do it now ({why}). It is tried again")]
    Away {
        /// Which server.
        at: String,
        /// The server's words.
        why: String,
    },
    /// It is a replica: another server is the master by now.
    #[error(
        "{at} is a read-only replica ({why}). It is tried again; name the sentinels or the cluster, so that the master is found"
    )]
    Replica {
        /// Which server.
        at: String,
        /// The server's words.
        why: String,
    },
    /// Keys have another owner by now.
    #[error("{at} no longer holds all slots of these keys ({why}). It is tried again with a new map of the cluster")]
    Moved {
        /// Which server.
        at: String,
        /// The server's words.
        why: String,
        /// Who has to be asked about this key, as long as its slot is on its way.
        ask: Option<Host>,
    },
    /// No memory is left, and its policy is to keep what it has.
    #[error("{at} has no memory left ({why}). It is tried again; raise `maxmemory`, or keep fewer vectors for a shorter time")]
    Full {
        /// Which server.
        at: String,
        /// The server's words.
        why: String,
    },
    /// The login is wrong, or the user may not do what is needed.
    #[error(
        "{at} refuses the login or a command ({why}): check user and password, and the rights in docs/reference/packed-vector.md"
    )]
    Denied {
        /// Which server.
        at: String,
        /// The server's words.
        why: String,
    },
    /// A server that cannot be an online store as it is.
    #[error("{at} cannot be used as an online store ({why}): check its version, its database and who else writes to it")]
    Unfit {
        /// Which server.
        at: String,
        /// What is wrong.
        why: String,
    },
    /// The library is not there, for the first time or any more. Seen inside this crate only.
    #[error("{at} does not have the library of Headway ({why}) although it was just loaded. It is tried again")]
    Missing {
        /// Which server.
        at: String,
        /// The server's words.
        why: String,
    },
    /// A promise was broken within the program.
    #[error("{0}")]
    Broken(String),
}

impl Error {
    /// What a caller has to do about it.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unusable(_) | Self::File { .. } | Self::Denied { .. } | Self::Unfit { .. } => ErrorKind::Invalid,
            Self::Broken(_) => ErrorKind::Bug,
            _ => ErrorKind::Transient,
        }
    }

    /// Whether the connection that it came by has to go.
    pub(crate) fn ends_connection(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Slow { .. } | Self::Replica { .. } | Self::Denied { .. })
    }

    /// Whether the map of a cluster may be out of date.
    pub(crate) fn doubts_map(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. } | Self::Slow { .. } | Self::Replica { .. } | Self::Moved { .. } | Self::Away { .. }
        )
    }

    /// Of an answer that is an error.
    pub(crate) fn answered(at: &str, code: &str, details: Option<&str>) -> Self {
        let details = details.unwrap_or_default();
        let (at, why) = (at.to_owned(), format!("{code} {details}"));
        match code {
            "NOAUTH" | "WRONGPASS" | "NOPERM" | "DENIED" => Self::Denied { at, why },
            "OOM" => Self::Full { at, why },
            "READONLY" => Self::Replica { at, why },
            "ASK" => Self::Moved { at, why, ask: details.split(' ').nth(1).and_then(Host::parse) },
            "MOVED" => Self::Moved { at, why, ask: None },
            "NOSCRIPT" => Self::Missing { at, why },
            "LOADING" | "CLUSTERDOWN" | "MASTERDOWN" | "TRYAGAIN" | "BUSY" | "NOREPLICAS" | "MISCONF" | "UNKILLABLE" => {
                Self::Away { at, why }
            }
            // What a function or a script does is done with the rights of whoever calls it.
            _ if details.contains("user executing the script can't") => Self::Denied { at, why },
            _ if details.contains("Function not found") => Self::Missing { at, why },
            _ if details.contains("non local key") || details.contains("cluster is down") => Self::Moved { at, why, ask: None },
            _ if details.contains("max number of clients") => Self::Away { at, why },
            _ => Self::Unfit { at, why },
        }
    }

    /// Of the client: no connection, or a server's refusal while one was made.
    pub(crate) fn of_client(at: &str, what: &'static str, within_ms: u128, source: RedisError) -> Self {
        let text = source.to_string();
        if source.is_timeout() {
            return Self::Slow { at: at.to_owned(), what, within_ms };
        }
        // A certificate does not become right by trying again.
        if text.contains("certificate") {
            return Self::Denied { at: at.to_owned(), why: text };
        }
        if source.kind() == redis::ErrorKind::AuthenticationFailed && !text.contains("max number of clients") {
            return Self::Denied { at: at.to_owned(), why: text };
        }
        match source.code() {
            Some(code) => Self::answered(at, code, source.detail()),
            None if text.contains("DB index") => Self::Unfit { at: at.to_owned(), why: text },
            None => Self::Unreachable { at: at.to_owned(), source },
        }
    }
}

impl From<Error> for ports::Error {
    fn from(error: Error) -> Self {
        let (kind, what) = (error.kind(), error.to_string());
        match error {
            Error::File { source, .. } => Self::with_source(kind, what, source),
            Error::Unreachable { source, .. } => Self::with_source(kind, what, source),
            _ => Self::new(kind, what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kind and beginning of the message for a server's words, beyond the server's name.
    fn check(words: &str, kind: ErrorKind, message: &str) {
        let (code, details) = words.split_once(' ').expect("a code and more");
        let error = Error::answered("Redis at h:1", code, Some(details));
        assert_eq!(error.kind(), kind, "{words}");
        assert!(error.to_string().starts_with(&format!("Redis at h:1 {message}")), "{error}");
    }

    #[test]
    fn a_server_s_words_decide_what_happens_next() {
        use ErrorKind::{Invalid, Transient};
        check("WRONGPASS invalid username-password pair", Invalid, "refuses the login");
        check("NOPERM this user has no permissions to run the 'hget' command", Invalid, "refuses the login");
        check(
            "ERR The user executing the script can't run this command or subcommand",
            Invalid,
            "refuses the login or a command",
        );
        check("DENIED Redis is running in protected mode", Invalid, "refuses the login");
        check("WRONGTYPE Operation against a key", Invalid, "cannot be used");
        check("ERR unknown command 'FCALL'", Invalid, "cannot be used");
        check("ERR max number of clients reached", Transient, "cannot do it now");
        check("LOADING Redis is loading the dataset in memory", Transient, "cannot do it now");
        check("CLUSTERDOWN The cluster is down", Transient, "cannot do it now");
        check("MISCONF Redis is configured to save RDB snapshots", Transient, "cannot do it now");
        check("READONLY You can't write against a read only replica.", Transient, "is a read-only replica");
        check("OOM command not allowed when used memory > 'maxmemory'.", Transient, "has no memory left");
        check("MOVED 3999 127.0.0.1:6381", Transient, "no longer holds");
        check("ERR Script attempted to access a non local key in a cluster node", Transient, "no longer holds");
        check("NOSCRIPT No matching script.", Transient, "does not have the library");
        check("ERR Function not found", Transient, "does not have the library");
    }

    #[test]
    fn a_key_on_its_way_names_who_has_to_be_asked() {
        let error = Error::answered("Redis at h:1", "ASK", Some("3999 ::1:6381"));
        let Error::Moved { ask: Some(host), .. } = error else { panic!("{error}") };
        assert_eq!(host, Host { name: "::1".into(), port: 6381 });
    }
}
