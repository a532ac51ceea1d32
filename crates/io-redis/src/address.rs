//! Where servers are, read from a URL: `redis://host:6379/0`, `rediss://…` with TLS, `redis+cluster://a,b:7001`,
//! `redis+sentinel://a,b/master-name`.
//!
//! A password in the URL is taken out of it here. Never repeats the URL, or any part of it before an `@`, in a message.

use std::fmt;

use percent_encoding::percent_decode_str;

use crate::{Error, Login, Roots, Secret, Settings};

const SERVER_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26_379;
const FORMS: &str = "redis://[user:password@]host[:port][/database], redis+cluster://a[:port],b and \
                     redis+sentinel://a[:port],b/name-of-the-master are known, and rediss for TLS in each";

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host {
    /// A name or an address.
    pub name: String,
    /// Its port.
    pub port: u16,
}

impl Host {
    /// As servers write the addresses of others: the port is behind the last colon.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (name, port) = text.rsplit_once(':')?;
        Some(Self { name: name.to_owned(), port: port.parse().ok()? })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains(':') {
            write!(formatter, "[{}]:{}", self.name, self.port)
        } else {
            write!(formatter, "{}:{}", self.name, self.port)
        }
    }
}

/// Which servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// One.
    Server(Host),
    /// Some of the nodes of a cluster; they know the others.
    Cluster(Vec<Host>),
    /// Whichever server is the master.
    Sentinel {
        /// Some of the sentinels.
        sentinels: Vec<Host>,
        /// What they call the master.
        master: String,
    },
}

impl Settings {
    /// For the pipeline, from a URL.
    pub fn parse(pipeline: &str, url: &str) -> Result<Self, Error> {
        let unusable = |what: &str| Error::Unusable(format!("the address of Redis {what}: {FORMS}"));
        let (scheme, rest) = url.split_once("://").ok_or_else(|| unusable("has no scheme"))?;
        let (tls, kind) = match scheme.strip_prefix("rediss") {
            Some(kind) => (Some(Roots::System), kind),
            None => (None, scheme.strip_prefix("redis").ok_or_else(|| unusable("has an unknown scheme"))?),
        };
        let (login, rest) = match rest.rsplit_once('@') {
            Some((login, rest)) => (Some(parse_login(login).ok_or_else(|| unusable("has a login that is not UTF-8"))?), rest),
            None => (None, rest),
        };
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let port = if kind == "+sentinel" { SENTINEL_PORT } else { SERVER_PORT };
        let hosts: Option<Vec<Host>> = hosts.split(',').map(|host| parse_host(host, port)).collect();
        let mut hosts = hosts.ok_or_else(|| unusable("names a host that is none"))?;
        let (address, database) = match kind {
            "" if hosts.len() == 1 => (Address::Server(hosts.remove(0)), path),
            "" => return Err(unusable("names several hosts without saying what they are")),
            "+cluster" => (Address::Cluster(hosts), path),
            "+sentinel" => {
                let (master, database) = path.split_once('/').unwrap_or((path, ""));
                if master.is_empty() {
                    return Err(unusable("does not name the master"));
                }
                (Address::Sentinel { sentinels: hosts, master: master.to_owned() }, database)
            }
            _ => return Err(unusable("has an unknown scheme")),
        };
        let database = if database.is_empty() { Ok(0) } else { database.parse() };
        let database = database.map_err(|_| unusable("names a database that is no number"))?;
        Ok(Self { database, login, tls, ..Self::new(pipeline, address) })
    }
}

fn parse_login(login: &str) -> Option<Login> {
    let decode = |text| percent_decode_str(text).decode_utf8().ok().map(String::from);
    let (user, password) = login.split_once(':').unwrap_or(("", login));
    let user = decode(user)?;
    Some(Login { user: (!user.is_empty()).then_some(user), password: Secret::new(decode(password)?) })
}

fn parse_host(host: &str, port: u16) -> Option<Host> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (name, port_after) = rest.split_once(']')?;
            let port = if port_after.is_empty() { port } else { port_after.strip_prefix(':')?.parse().ok()? };
            (name, port)
        }
        None => match host.split_once(':') {
            Some((name, port)) => (name, port.parse().ok()?),
            None => (host, port),
        },
    };
    let sound = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || "?#/".contains(c));
    sound.then(|| Host { name: name.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: &str) {
        let found = match Settings::parse("eta", url) {
            Ok(settings) => {
                let login = settings.login.map(|login| (login.user, login.password.reveal().to_owned()));
                format!("{:?} {} {login:?} {}", settings.address, settings.database, settings.tls.is_some())
            }
            Err(error) => error.to_string().split(": redis://").next().unwrap_or_default().to_owned(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn every_form_is_read() {
        check("redis://h", r#"Server(Host { name: "h", port: 6379 }) 0 None false"#);
        check("rediss://h:1/3", r#"Server(Host { name: "h", port: 1 }) 3 None true"#);
        check("redis://:a%40b@[::1]:7", r#"Server(Host { name: "::1", port: 7 }) 0 Some((None, "a@b")) false"#);
        check("redis://u:p@h", r#"Server(Host { name: "h", port: 6379 }) 0 Some((Some("u"), "p")) false"#);
        check("redis+cluster://a,b:2", r#"Cluster([Host { name: "a", port: 6379 }, Host { name: "b", port: 2 }]) 0 None false"#);
        let sentinel = r#"Sentinel { sentinels: [Host { name: "a", port: 26379 }], master: "m" } 2 None true"#;
        check("rediss+sentinel://a/m/2", sentinel);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        check("h:6379", "the address of Redis has no scheme");
        check("http://h", "the address of Redis has an unknown scheme");
        check("redis+moon://h", "the address of Redis has an unknown scheme");
        check("redis://a,b", "the address of Redis names several hosts without saying what they are");
        check("redis+sentinel://a", "the address of Redis does not name the master");
        check("redis://h/x", "the address of Redis names a database that is no number");
        check("redis://h:x", "the address of Redis names a host that is none");
        check("redis://", "the address of Redis names a host that is none");
        check("redis://h?protocol=3", "the address of Redis names a host that is none");
    }

    #[test]
    fn nothing_shows_a_password() {
        for url in ["redis://u:hush@h:x", "redis+moon://u:hush@h", "redis://u:hush@h/x", "http://u:hush@h"] {
            let error = Settings::parse("eta", url).expect_err("an address with a fault");
            assert!(!error.to_string().contains("hush") && !format!("{error:?}").contains("hush"), "{error:?}");
        }
        let settings = Settings::parse("eta", "redis://u:hush@h").expect("an address");
        assert!(!format!("{settings:?}").contains("hush"), "{settings:?}");
    }
}
