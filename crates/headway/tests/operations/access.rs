//! Whoever is not let in, or may not do enough: how that ends, and that the rights which the documentation lists are those.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
};

use testkit::servers::Own;

use crate::scene::{FLEET, Scene};

/// A user of the secure broker, with lines for the file of servers.
fn user(own: &Own, name: &str, password: &Path, authorities: bool) -> String {
    let folder = own.folder("kafka-secure");
    let authorities = match authorities {
        true => format!("authorities = \"{}\"\n", folder.join("ca.pem").display()),
        false => String::new(),
    };
    let password = password.display();
    format!("tls = true\n{authorities}mechanism = \"plain\"\nuser = \"{name}\"\npassword_file = \"{password}\"\n")
}

fn password(own: &Own) -> PathBuf {
    own.folder("kafka-secure").join("password")
}

#[test]
fn a_wrong_password_and_a_certificate_that_is_not_believed_end_a_start() {
    let own = Own::start(&["kafka-secure"]);
    let secrets = tempfile::tempdir().expect("a folder");
    let wrong = secrets.path().join("wrong");
    std::fs::write(&wrong, "opensesame\n").expect("written");
    let scene = Scene::new(&own.address("kafka-secure"), &user(&own, "headway", &wrong, true));
    for said in [scene.run(FLEET, ""), scene.ask(&format!("topics plan {FLEET}"))] {
        said.check(78, &["Invalid username or password", "check mechanism, user and password_file"]);
        assert!(!said.err.contains("opensesame"), "{}", said.err);
    }
    scene.write(&user(&own, "headway", &password(&own), false));
    for said in [scene.run(FLEET, ""), scene.ask(&format!("topics plan {FLEET}"))] {
        said.check(78, &["certificate verify failed", "check the certificates"]);
    }
    scene.ask("doctor").check(1, &["Check the certificates"]);
}

#[test]
fn brokers_that_cannot_be_reached_end_a_start_with_the_reason() {
    let scene = Scene::new("127.0.0.1:1", "");
    scene.run(FLEET, "").check(1, &["127.0.0.1:1", "refused", "look whether the brokers run"]);
}

const TOPIC: i8 = 2;
const GROUP: i8 = 3;
const TRANSACTIONAL_ID: i8 = 5;
const READ: i8 = 3;
const WRITE: i8 = 4;
const CREATE: i8 = 5;
const DESCRIBE: i8 = 8;
const DESCRIBE_CONFIGS: i8 = 10;
const ALTER_CONFIGS: i8 = 11;

/// Each right for itself, by what an access list calls it in docs/reference/servers.md.
#[test]
fn the_rights_that_are_listed_are_enough_and_what_is_missing_is_told() {
    let own = Own::start(&["kafka-secure"]);
    let scene = Scene::new(&own.address("kafka-secure"), &user(&own, "guest", &password(&own), true));
    let listed = "give this client the rights that docs/reference/servers.md lists";
    let plan = format!("topics plan {FLEET} --partitions 2");
    scene.ask(&plan).check(78, &["TopicAuthorizationFailed", listed]);
    scene.run(FLEET, "--partitions 2").check(78, &["TopicAuthorizationFailed", listed]);
    scene.ask("doctor").check(1, &["Give this client the rights"]);
    let grant = |resource, rights: &[i8]| {
        rights.iter().for_each(|right| allow(&own, resource, &format!("{}headway.", scene.prefix), *right));
    };
    grant(TOPIC, &[DESCRIBE, READ, WRITE]);
    scene.ask(&plan).check(3, &["is missing"]);
    scene.ask(&format!("topics apply {FLEET} --partitions 2")).check(78, &["cannot be made", listed]);
    grant(TOPIC, &[CREATE]);
    scene.ask(&format!("topics apply {FLEET} --partitions 2")).check(0, &["5 made"]);
    scene.ask(&plan).check(78, &["the settings of topic", listed]);
    grant(TOPIC, &[DESCRIBE_CONFIGS, ALTER_CONFIGS]);
    scene.ask(&plan).check(0, &["Nothing to do"]);
    scene.run(FLEET, "--partitions 2").check(78, &["AuthorizationFailed", listed]);
    grant(GROUP, &[READ]);
    scene.run(FLEET, "--partitions 2").check(78, &["TransactionalIdAuthorizationFailed", listed]);
    grant(TRANSACTIONAL_ID, &[DESCRIBE, WRITE]);
    scene.run(FLEET, "--partitions 2").check(0, &["Caught up"]);
    scene.ask("doctor").check(0, &["5 topics are as they should be"]);
}

/// Lets `guest` do something with all resources whose names begin like this: the request CreateAcls of Kafka's protocol, version 1,
/// at the listener where the broker believes everybody.
fn allow(own: &Own, resource: i8, prefix: &str, operation: i8) {
    const PREFIXED: i8 = 4;
    const ALLOW: i8 = 3;
    let mut body = Vec::new();
    let text = |body: &mut Vec<u8>, text: &str| {
        body.extend(i16::try_from(text.len()).expect("short").to_be_bytes());
        body.extend(text.as_bytes());
    };
    // Key of the request, version, correlation, client; one access list.
    body.extend([0, 30, 0, 1, 0, 0, 0, 7]);
    text(&mut body, "test");
    body.extend(1_i32.to_be_bytes());
    body.extend(resource.to_be_bytes());
    text(&mut body, prefix);
    body.extend(PREFIXED.to_be_bytes());
    text(&mut body, "User:guest");
    text(&mut body, "*");
    body.extend(operation.to_be_bytes());
    body.extend(ALLOW.to_be_bytes());
    let ports = std::fs::read_to_string(own.folder("kafka-secure").join("ports")).expect("ports");
    let port: u16 = ports.split_whitespace().nth(2).and_then(|port| port.parse().ok()).expect("a third port");
    let mut broker = TcpStream::connect(("127.0.0.1", port)).expect("the broker");
    broker.write_all(&i32::try_from(body.len()).expect("short").to_be_bytes()).expect("sent");
    broker.write_all(&body).expect("sent");
    let mut length = [0; 4];
    broker.read_exact(&mut length).expect("an answer");
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    broker.read_exact(&mut answer).expect("an answer");
    // Correlation, throttle, number of results, and the error of the first.
    assert_eq!(answer[12..14], [0, 0], "{answer:?}");
}
