//! Records as strangers write them, and large ones.

use std::{
    io::Write,
    process::{Command, Stdio},
    time::Duration,
};

use bytes::Bytes;
use ports::{Bounds, ErrorKind, Log};

use crate::scene::{IN, Reader, created, now, open, outgoing, refused, run, shared, text, topic, values};

/// A name that is no text, a value that is missing, a record without anything: none of them ends a member.
#[test]
fn what_strangers_write_is_taken() {
    run(async {
        let settings = shared();
        let log = created(&settings, 1).await;
        for (options, record) in [(&["-Z", "-K:"][..], "key:"), (&["-Z", "-K:"], ":tombstone"), (&["-Hnothing", "-Hk=v"], "x")] {
            let mut writes = Command::new("kcat");
            writes.args(["-P", "-b", &settings.brokers, "-p0", "-t"]).arg(format!("{}{IN}", settings.prefix)).args(options);
            write(&mut writes, record);
        }
        let mut writes = Command::new("kcat");
        writes.args(["-P", "-b", &settings.brokers, "-p0", "-t"]).arg(format!("{}{IN}", settings.prefix));
        use std::os::unix::ffi::OsStrExt;
        writes.arg(std::ffi::OsStr::from_bytes(b"-H\xff=1")).arg("-Hkind=a");
        write(&mut writes, "strange");
        log.append(vec![outgoing(IN, 0, "last")]).await.expect("appended");
        let mut reader = Reader::owner(&log, "a", 1).await;
        reader.until("all came", |reader| reader.got.last().is_some_and(|last| last == "last")).await;
        assert_eq!(reader.got, ["", "tombstone", "x", "strange", "last"]);
        let read = log.read(IN, 0, 0, 1 << 20).await.expect("read");
        assert_eq!((&*read[0].key, &*read[1].key), (&b"key"[..], &b""[..]));
        let names = |place: usize| read[place].headers.iter().map(|header| (&*header.name, &*header.value)).collect::<Vec<_>>();
        assert_eq!(names(2), [("nothing", &b""[..]), ("k", b"v")]);
        assert_eq!(names(3), [("kind", &b"a"[..])]);
        assert_eq!(text(&read[3]), "strange");
    });
}

fn write(writes: &mut Command, record: &str) {
    let mut process = writes.stdin(Stdio::piped()).spawn().expect("kcat is there");
    process.stdin.take().expect("it reads").write_all(record.as_bytes()).expect("written");
    assert!(process.wait().expect("it ends").success());
}

/// By itself the client looks once a second for the leaders of a topic that it has not met, which would be a second for each topic whenever
/// a worker begins.
#[test]
fn topics_that_were_never_read_are_read_without_delay() {
    run(async {
        let log = open(&shared());
        let names: Vec<String> = (0..6).map(|number| format!("topic-{number}")).collect();
        log.create(&names.iter().map(|name| topic(name, 1)).collect::<Vec<_>>()).await.expect("topics are created");
        log.append(names.iter().map(|name| outgoing(name, 0, &**name)).collect()).await.expect("appended");
        let begun = now();
        for name in &names {
            assert_eq!(log.bounds(name, 0).await.expect("bounds"), Bounds { first: 0, next: 1 });
            assert_eq!(values(&log, name, 0).await, [name.as_str()]);
        }
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    });
}

/// Up to 8 MiB, by producers and by commits alike.
#[test]
fn large_records_pass_and_larger_ones_are_refused() {
    run(async {
        let log = created(&shared(), 1).await;
        let large = vec![b'x'; 7 << 20];
        log.append(vec![outgoing(IN, 0, large.clone())]).await.expect("appended");
        let told = refused(log.append(vec![outgoing(IN, 0, vec![b'x'; 9 << 20])]).await, ErrorKind::Invalid);
        assert!(told.contains("too large"), "{told}");
        let read = log.read(IN, 0, 0, 1).await.expect("read");
        assert_eq!(read[0].value, Bytes::from(large));
        let mut reader = Reader::owner(&log, "a", 1).await;
        reader.until("it came", |reader| !reader.got.is_empty()).await;
        assert_eq!(reader.got[0].len(), 7 << 20);
    });
}
