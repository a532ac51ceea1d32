//! Killed processes, full disks, damaged files, folders that are not free: what the log says, and that it loses nothing that it had
//! acknowledged. Children of this very test binary stand for the processes that die or may write only so much.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use domain::{Span, Timestamp};
use io_log::{EmbeddedLog, Settings, Sync};
use ports::{Bounds, ErrorKind, Log, Outgoing, TopicSpec, clock_fn};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Says to a test that it is the child, and in which folder.
const CHILD: &str = "IO_LOG_CHILD";
const KILLS: usize = 12;
const START_MS: i64 = 1_760_000_000_000;
const HOUR_MS: i64 = 3_600_000;
/// Blocks of 512 bytes that the child on a full disk may write to a file: enough for the index and some frames.
const FILE_BLOCKS: u64 = 4096;

#[test]
fn a_killed_process_loses_nothing_that_it_acknowledged() {
    if let Some(path) = env::var_os(CHILD) {
        return append_until_killed(Path::new(&path));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut acknowledged = 0;
    for life in 0..KILLS {
        let mut child = child("a_killed_process_loses_nothing_that_it_acknowledged", folder.path(), "");
        let numbers =
            lines(&mut child).filter_map(|line| line.strip_prefix("acknowledged ").and_then(|number| number.parse::<u64>().ok()));
        // A different number of appends in each life, so that the kill falls into different work.
        acknowledged = numbers.take(3 + life * 7).last().expect("it says what it did").max(acknowledged);
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
        let written = numbers_in(folder.path());
        assert!(written.len() as u64 > acknowledged, "{acknowledged} was acknowledged and {} are there", written.len());
        assert_eq!(written, (0..written.len() as u64).collect::<Vec<_>>());
    }
}

#[test]
fn a_full_disk_is_told_and_nothing_half_written_is_seen() {
    if let Some(path) = env::var_os(CHILD) {
        return fill_up(Path::new(&path));
    }
    let folder = tempfile::tempdir().expect("a folder");
    // The limit of the system on a file's size makes writes fail in the middle, as a full disk does; without the signal that comes
    // with it, which only a shell can turn off without `unsafe`.
    let limit = format!("trap '' XFSZ; ulimit -S -f {FILE_BLOCKS}; ");
    let mut child = child("a_full_disk_is_told_and_nothing_half_written_is_seen", folder.path(), &limit);
    let said: Vec<String> = lines(&mut child).collect();
    assert!(child.wait().expect("it ends").success(), "{said:?}");
}

#[test]
fn a_torn_end_is_put_aside_and_the_rest_is_there() {
    for cut in [1, 20, 60] {
        let folder = filled();
        let segment = last_segment(folder.path());
        let bytes = fs::read(&segment).expect("a segment");
        fs::write(&segment, &bytes[..bytes.len() - cut]).expect("cut");
        let log = open(folder.path());
        let torn = log.recovered().torn.clone().expect("it was found");
        assert_eq!(torn.segment, segment);
        assert_eq!(fs::metadata(&torn.kept_in).expect("kept").len(), torn.length);
        drop(log);
        assert_eq!(numbers_in(folder.path()), (0..9).collect::<Vec<_>>());
    }
}

#[test]
fn a_flipped_byte_of_a_new_record_stops_the_start_and_is_named() {
    let folder = filled();
    let segment = last_segment(folder.path());
    flip(&segment, "number 4");
    let error = EmbeddedLog::open(settings(folder.path()), clock()).expect_err("it is damaged");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let said = error.to_string();
    assert!(said.contains(&segment.display().to_string()) && said.contains("truncate -s"), "{said}");
}

#[test]
fn a_flipped_byte_of_an_old_record_is_named_and_never_served() {
    let folder = filled();
    // A clean end: the index has all of it.
    drop(open(folder.path()));
    let segment = last_segment(folder.path());
    flip(&segment, "number 4");
    let log = open(folder.path());
    runtime().block_on(async {
        let error = log.read("t", 0, 4, 1).await.expect_err("it is damaged");
        assert_eq!(error.kind(), ErrorKind::Invalid);
        let said = error.to_string();
        assert!(said.contains("topic t, partition 0, offsets 4 to 4") && said.contains("at offset 5"), "{said}");
        assert_eq!(log.read("t", 0, 5, 1).await.expect("the next is whole")[0].offset, 5);
        assert_eq!(log.read("t", 0, 0, 20).await.expect("the ones before are whole")[0].offset, 0);
    });
}

#[test]
fn a_missing_segment_is_named() {
    let folder = filled();
    drop(open_with_small_segments(folder.path()));
    let first = folder.path().join("000000000000.segment");
    fs::remove_file(&first).expect("removed");
    let error = EmbeddedLog::open(settings(folder.path()), clock()).expect_err("it is missing").to_string();
    assert!(error.contains(&first.display().to_string()) && error.contains("missing"), "{error}");
}

#[test]
fn a_held_folder_names_who_holds_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open(folder.path());
    let error = EmbeddedLog::open(settings(folder.path()), clock()).expect_err("it is held");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains(&format!("held by process {}", std::process::id())), "{error}");
    drop(log);
    drop(open(folder.path()));
}

/// Whoever is root may write everywhere, so the folder is one that nobody can make.
#[test]
fn a_folder_that_cannot_be_written_to_is_invalid() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let below = file.path().join("log");
    let error = EmbeddedLog::open(settings(&below), clock()).expect_err("a file is no folder");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains(&below.display().to_string()), "{error}");
}

#[test]
fn a_clock_that_jumps_ahead_for_a_while_takes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let now_ms = Arc::new(AtomicI64::new(START_MS));
    let read = now_ms.clone();
    let log =
        EmbeddedLog::open(settings(folder.path()), clock_fn(1.0, move || Timestamp(read.load(Ordering::SeqCst)))).expect("opens");
    runtime().block_on(async {
        log.create(&[TopicSpec { retention: Some(Span(HOUR_MS / 2)), ..topic() }]).await.expect("created");
        append(&log, 0..3).await.expect("appended");
        append(&log, 3..4).await.expect("appended");
        for jump_ms in [HOUR_MS, -HOUR_MS] {
            now_ms.store(START_MS + jump_ms, Ordering::SeqCst);
            append(&log, 4..5).await.expect("appended");
            for _ in 0..5 {
                log.retain().await.expect("retention works");
            }
            assert_eq!(log.bounds("t", 0).await.expect("bounds").first, 0, "{jump_ms}");
        }
        // A clock that stays there is believed in the end.
        now_ms.store(START_MS + HOUR_MS, Ordering::SeqCst);
        for _ in 0..60 {
            log.retain().await.expect("retention works");
        }
        assert_eq!(log.bounds("t", 0).await.expect("bounds"), Bounds { first: 4, next: 6 });
    });
}

#[test]
fn retention_gives_the_disk_space_back_also_beside_a_topic_that_keeps_everything() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = open_with_small_segments(folder.path());
    let kept = TopicSpec { name: "kept".into(), ..topic() };
    runtime().block_on(async {
        log.create(&[TopicSpec { retention_bytes: Some(50_000), ..topic() }, kept]).await.expect("created");
        for number in 0..200_u64 {
            let long = Outgoing { value: vec![b'x'; 2000].into(), ..outgoing(number) };
            let short = Outgoing { topic: "kept".into(), ..outgoing(number) };
            log.append(vec![long, short]).await.expect("appended");
        }
        // A step empties one segment at most, and there are 200.
        for _ in 0..300 {
            if bytes_of_segments(folder.path()) < 150_000 {
                break;
            }
            log.retain().await.expect("retention works");
        }
        let kept = log.read("kept", 0, 0, 1 << 20).await.expect("read");
        assert_eq!(kept.len(), 200);
    });
    drop(log);
    let left = bytes_of_segments(folder.path());
    assert!(left < 150_000, "{left} bytes of 400,000 are left");
    let log = open_with_small_segments(folder.path());
    runtime().block_on(async {
        let kept = log.read("kept", 0, 0, 1 << 20).await.expect("read");
        assert!(kept.iter().enumerate().all(|(at, record)| record.value == format!("number {at}")), "{kept:?}");
        assert_eq!(kept.len(), 200);
    });
}

#[expect(clippy::print_stdout, reason = "the parent reads what the child says")]
fn append_until_killed(path: &Path) {
    let log = open_with_small_segments(path);
    runtime().block_on(async {
        log.create(&[topic()]).await.expect("created");
        let begin = log.bounds("t", 0).await.expect("bounds").next;
        for number in (begin..).step_by(10) {
            append(&log, number..number + 10).await.expect("appended");
            println!("\nacknowledged {}", number + 9);
        }
    });
}

fn fill_up(path: &Path) {
    let log = open(path);
    runtime().block_on(async {
        log.create(&[topic()]).await.expect("created");
        let long = |number: u64| Outgoing { value: format!("{number} {}", "x".repeat(100_000)).into(), ..outgoing(number) };
        let mut next = 0;
        let error = loop {
            match log.append(vec![long(next)]).await {
                Ok(()) => next += 1,
                Err(error) => break error,
            }
        };
        assert!(next > 3, "only {next} fitted");
        assert_eq!(error.kind(), ErrorKind::Transient);
        assert!(error.to_string().contains("free some space"), "{error}");
        assert_eq!(log.bounds("t", 0).await.expect("bounds").next, next);
        // Small ones still fit, which shows that nothing was left of the large one.
        append(&log, next..next + 1).await.expect("a small one fits");
        let most = getrlimit(Resource::Fsize).maximum;
        setrlimit(Resource::Fsize, Rlimit { current: most, maximum: most }).expect("space is freed");
        log.append(vec![long(next + 1)]).await.expect("it goes on");
    });
    drop(log);
    let log = open(path);
    runtime().block_on(async {
        let bounds = log.bounds("t", 0).await.expect("bounds");
        let read = log.read("t", 0, 0, 1 << 30).await.expect("all are whole");
        assert_eq!((read.len() as u64, bounds.first), (bounds.next, 0));
    });
}

/// Ten records, each appended alone, in a folder whose index does not have them: the copy of one that is still open.
fn filled() -> tempfile::TempDir {
    let (live, copy) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let log = open(live.path());
    runtime().block_on(async {
        log.create(&[topic()]).await.expect("created");
        for number in 0..10 {
            append(&log, number..number + 1).await.expect("appended");
        }
    });
    for entry in fs::read_dir(live.path()).expect("a folder") {
        let entry = entry.expect("an entry");
        fs::copy(entry.path(), copy.path().join(entry.file_name())).expect("a copy");
    }
    copy
}

fn flip(segment: &Path, text: &str) {
    let mut bytes = fs::read(segment).expect("a segment");
    let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).expect("it is there");
    bytes[at] ^= 1;
    fs::write(segment, bytes).expect("written");
}

fn segments(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut segments: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|ending| ending == "segment")).collect();
    segments.sort();
    segments
}

fn bytes_of_segments(path: &Path) -> u64 {
    // A file may go while it is looked at.
    segments(path).iter().map(|path| fs::metadata(path).map_or(0, |file| file.len())).sum()
}

fn last_segment(path: &Path) -> PathBuf {
    segments(path).pop().expect("there is one")
}

fn numbers_in(path: &Path) -> Vec<u64> {
    let log = open_with_small_segments(path);
    runtime().block_on(async {
        let mut numbers: Vec<u64> = Vec::new();
        loop {
            let records = log.read("t", 0, numbers.len() as u64, 1 << 20).await.expect("all are whole");
            if records.is_empty() {
                return numbers;
            }
            let texts = records.iter().map(|record| String::from_utf8(record.value.to_vec()).expect("a text"));
            numbers.extend(texts.map(|text| text.trim_start_matches("number ").parse::<u64>().expect("a number")));
        }
    })
}

/// This test again, as a process of its own that knows it is the child.
fn child(test: &str, path: &Path, before: &str) -> Child {
    let script = format!("{before}exec \"$0\" --exact {test} --nocapture --test-threads 1");
    let own = env::current_exe().expect("this binary");
    let command = Command::new("sh").arg("-c").arg(script).arg(own).env(CHILD, path).stdout(Stdio::piped()).spawn();
    command.expect("a child starts")
}

fn lines(child: &mut Child) -> impl Iterator<Item = String> {
    BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime starts")
}

fn settings(path: &Path) -> Settings {
    Settings { sync: Sync::Every(Duration::from_millis(5)), tail_bytes_max: 0, ..Settings::new(path) }
}

fn clock() -> ports::Clock {
    clock_fn(1.0, || Timestamp(START_MS))
}

fn open(path: &Path) -> EmbeddedLog {
    EmbeddedLog::open(settings(path), clock()).expect("the log opens")
}

fn open_with_small_segments(path: &Path) -> EmbeddedLog {
    EmbeddedLog::open(Settings { segment_bytes: 2000, ..settings(path) }, clock()).expect("the log opens")
}

fn topic() -> TopicSpec {
    TopicSpec { name: "t".into(), partitions: 1, retention: None, retention_bytes: None }
}

fn outgoing(number: u64) -> Outgoing {
    let value = format!("number {number}").into();
    Outgoing { topic: "t".into(), partition: 0, key: Default::default(), value, headers: Vec::new() }
}

async fn append(log: &EmbeddedLog, numbers: std::ops::Range<u64>) -> Result<(), ports::Error> {
    log.append(numbers.map(outgoing).collect()).await
}
