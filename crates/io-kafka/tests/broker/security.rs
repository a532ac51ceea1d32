//! Who is let in, and what whoever is not is told.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use io_kafka::{KafkaLog, Sasl, Secret, Security, Settings};
use ports::{Error, ErrorKind, Log, Member};
use tempfile::TempDir;
use testkit::servers::Own;

use crate::scene::{IN, OUT, Reader, commit, created, now, open, outgoing, refused, run, settings, topic, values};

const ANSWER_MAX: Duration = Duration::from_secs(6);

fn secure(own: &Own, sasl: Option<Sasl>) -> Settings {
    let folder = own.folder("kafka-secure");
    let security = Security { tls: true, authorities: Some(folder.join("ca.pem")), certificate: None, sasl };
    Settings { security, answer_max: ANSWER_MAX, ..settings(&own.address("kafka-secure")) }
}

fn secret(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).expect("it is beside the address").trim().to_owned()
}

fn plain(own: &Own, password: Option<&str>) -> Sasl {
    let folder = own.folder("kafka-secure");
    let password = password.map_or_else(|| secret(&folder, "password"), str::to_owned);
    Sasl::Plain { user: secret(&folder, "user"), password: Secret::new(password) }
}

/// A token that nobody has signed, for ten minutes, kept as long as its folder.
fn token(own: &Own) -> (TempDir, PathBuf) {
    let now = crate::scene::wall().0 / 1000;
    let user = secret(&own.folder("kafka-secure"), "user");
    let part = |text: &str| -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let bits = text.bytes().flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1)).collect::<Vec<_>>();
        let letter =
            |bits: &[u8]| bits.iter().chain([0; 6].iter()).take(6).fold(0_usize, |all, bit| all << 1 | usize::from(*bit));
        bits.chunks(6).map(|bits| char::from(LETTERS[letter(bits)])).collect()
    };
    let claims = format!(r#"{{"sub":"{user}","iat":{now},"exp":{}}}"#, now + 600);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("token");
    fs::write(&file, format!("{}.{}.", part(r#"{"alg":"none"}"#), part(&claims))).expect("written");
    (folder, file)
}

async fn works(log: &KafkaLog) {
    log.append(vec![outgoing(IN, 0, "a")]).await.expect("appended");
    let mut reader = Reader::owner(log, "a", 1).await;
    reader.until("it came", |reader| reader.got == ["a"]).await;
    reader.member.commit(vec![commit(0, 1, "b")]).await.expect("committed");
    assert_eq!(values(log, OUT, 0).await, ["b"]);
    assert_eq!(log.committed(crate::scene::GROUP, &[IN.into()]).await.expect("read").len(), 1);
    assert_eq!(log.bounds(IN, 0).await.expect("bounds").next, 1);
}

#[test]
fn everybody_who_proves_who_they_are_is_let_in() {
    let own = Own::start(&["kafka-secure"]);
    run(async {
        let Sasl::Plain { user, password } = plain(&own, None) else { return };
        let scram = Sasl::Scram { user: user.clone(), password: password.clone(), bits: 512 };
        for sasl in [Sasl::Plain { user, password }, scram] {
            works(&created(&secure(&own, Some(sasl)), 1).await).await;
        }
        // Topics are made by somebody else where tokens are what counts, and it is said how.
        let (_folder, file) = token(&own);
        let by_token = secure(&own, Some(Sasl::Bearer { token: file }));
        let log = open(&by_token);
        let told = refused(log.create(&[topic(IN, 1)]).await, ErrorKind::Invalid);
        assert!(told.contains("message.timestamp.type=LogAppendTime"), "{told}");
        created(&Settings { prefix: by_token.prefix.clone(), ..secure(&own, Some(plain(&own, None))) }, 1).await;
        log.create(&[topic(IN, 1), topic(OUT, 1)]).await.expect("they are there");
        works(&log).await;
    });
}

/// Within the time that an answer may take, in words, and without the secret.
#[test]
fn whoever_is_not_let_in_is_told_why() {
    let own = Own::start(&["kafka-secure", "kafka"]);
    run(async {
        let wrong = secure(&own, Some(plain(&own, Some("opensesame"))));
        let told = check(&wrong, ErrorKind::Invalid).await;
        assert!(told.contains("uthentication") && !told.contains("opensesame"), "{told}");
        let mut stranger = secure(&own, Some(plain(&own, None)));
        stranger.security.authorities = None;
        let told = check(&stranger, ErrorKind::Invalid).await;
        assert!(told.contains("certificate"), "{told}");
        let mut missing = secure(&own, Some(plain(&own, None)));
        missing.security.authorities = Some("/nowhere/ca.pem".into());
        let told =
            refused(KafkaLog::open(missing, ports::clock_fn(1.0, crate::scene::wall)).map_err(Error::from), ErrorKind::Invalid);
        assert!(told.contains("/nowhere/ca.pem"), "{told}");
        let nowhere = Settings { answer_max: ANSWER_MAX, ..settings("127.0.0.1:1") };
        let told = check(&nowhere, ErrorKind::Transient).await;
        assert!(told.contains("127.0.0.1:1") && told.contains("refused"), "{told}");
        let unknown = Settings { answer_max: ANSWER_MAX, ..settings("no.such.host.invalid:9092") };
        let told = check(&unknown, ErrorKind::Transient).await;
        assert!(told.contains("no.such.host.invalid"), "{told}");
        // Somebody who speaks TLS to a broker that does not.
        let mut tls = settings(&own.address("kafka"));
        (tls.security.tls, tls.answer_max) = (true, ANSWER_MAX);
        let told = check(&tls, ErrorKind::Transient).await;
        assert!(told.contains("PLAINTEXT"), "{told}");
    });
}

async fn check(settings: &Settings, kind: ErrorKind) -> String {
    let log = open(settings);
    let begun = now();
    let told = refused(log.create(&[topic(IN, 1)]).await, kind);
    assert!(begun.elapsed() < ANSWER_MAX + Duration::from_secs(2), "{:?}: {told}", begun.elapsed());
    told
}
