//! The contract of the port, on real servers: with functions and without, one and three, behind sentinels, by TLS. Each twice: with a
//! crash of the client, which leaves everything, and with one of the servers, which leaves nothing.

mod servers;

use io_redis::{Login, RedisOnline, Roots, Secret, Settings};
use ports::OnlineStore;
use servers::{Server, Watched, cluster, cluster_url, settings};
use testkit::{
    contract::{self, Harness},
    servers::Own,
};

/// Stores in a pipeline of their own, one after the other.
struct Stores<'a, const EMPTIES: bool> {
    settings: Settings,
    masters: Vec<&'a Server>,
    number: usize,
}

impl<const EMPTIES: bool> Harness for Stores<'_, EMPTIES> {
    type Port = RedisOnline;

    const CRASH_EMPTIES: bool = EMPTIES;

    async fn fresh(&mut self) -> RedisOnline {
        self.number += 1;
        self.settings.pipeline = format!("eta-{}", self.number);
        RedisOnline::new(&self.settings).expect("sound settings")
    }

    async fn crash(&mut self, port: RedisOnline) -> RedisOnline {
        drop(port);
        if EMPTIES {
            for master in &self.masters {
                master.ask(&["FLUSHALL", "SYNC"]);
            }
        }
        RedisOnline::new(&self.settings).expect("sound settings")
    }
}

async fn check(settings: Settings, masters: Vec<&Server>) {
    contract::online::suite(&mut Stores::<false> { settings: settings.clone(), masters: masters.clone(), number: 0 }).await;
    if !masters.is_empty() {
        contract::online::suite(&mut Stores::<true> { settings, masters, number: 1000 }).await;
    }
}

#[tokio::test]
async fn one_server_with_functions() {
    let server = Server::start();
    check(settings(&server.url()), vec![&server]).await;
    assert!(server.text(&["INFO", "commandstats"]).contains("cmdstat_fcall:"), "functions were used");
}

#[tokio::test]
async fn one_server_with_scripts() {
    let server = Server::start();
    check(Settings { scripts_only: true, ..settings(&server.url()) }, vec![&server]).await;
    assert!(!server.text(&["INFO", "commandstats"]).contains("cmdstat_fcall:"), "functions were not used");
}

#[tokio::test]
async fn a_server_that_forbids_functions() {
    let server = Server::start();
    server.ask(&["ACL", "SETUSER", "default", "-fcall", "-function"]);
    check(settings(&server.url()), vec![&server]).await;
}

#[tokio::test]
async fn three_nodes() {
    let nodes = cluster();
    check(settings(&cluster_url(&nodes)), nodes.iter().collect()).await;
    for node in &nodes {
        assert!(node.text(&["INFO", "commandstats"]).contains("cmdstat_hmget:"), "each node was read from");
    }
}

#[tokio::test]
async fn three_nodes_with_scripts() {
    let nodes = cluster();
    check(Settings { scripts_only: true, ..settings(&cluster_url(&nodes)) }, nodes.iter().collect()).await;
}

#[tokio::test]
async fn behind_sentinels() {
    let watched = Watched::start();
    check(settings(&watched.url()), vec![&watched.first]).await;
}

#[tokio::test]
async fn by_tls_as_a_user_with_no_more_rights_than_needed() {
    let own = Own::start(&["redis-secure"]);
    let (address, roots) = (own.address("redis-secure"), own.folder("redis-secure").join("ca.pem"));
    let told =
        |name: &str| std::fs::read_to_string(own.folder("redis-secure").join(name)).expect("a login").trim_end().to_owned();
    let rights = "on >hush ~eta-* -@all +fcall +function|load +evalsha +script|load +hget +hset +hdel +hmget +hgetall +pttl \
                  +expireat +scan +time +info";
    let certificates = redis::TlsCertificates { client_tls: None, root_cert: Some(std::fs::read(&roots).expect("an authority")) };
    let session = redis::RedisConnectionInfo::default().set_username(told("user")).set_password(told("password"));
    let info = redis::IntoConnectionInfo::into_connection_info(address.as_str()).expect("an address").set_redis_settings(session);
    // Before the client asks for a provider of cryptography, a store has to have chosen one.
    let mut settings = settings(&address);
    settings.tls = Some(Roots::File(roots));
    settings.login = Some(Login { user: Some("eta".into()), password: Secret::new("hush") });
    RedisOnline::new(&settings).expect("sound settings");
    let mut operator =
        redis::Client::build_with_tls(info, certificates).and_then(|client| client.get_connection()).expect("a login");
    let user: Vec<&str> = ["SETUSER", "eta"].into_iter().chain(rights.split_whitespace()).collect();
    redis::cmd("ACL").arg(user).exec(&mut operator).expect("a user");
    check(settings.clone(), Vec::new()).await;
    // Nobody whom the system knows has signed this.
    settings.tls = Some(Roots::System);
    let refused = RedisOnline::new(&settings).expect("sound settings").serving().await.expect_err("a stranger's certificate");
    assert_eq!(refused.kind(), ports::ErrorKind::Invalid, "{refused}");
    settings.tls = Some(Roots::File("nothing.pem".into()));
    let missing = RedisOnline::new(&settings).expect_err("no file");
    assert!(missing.to_string().contains("nothing.pem"), "{missing}");
}
