//! Bad days of a running Headway: a full disk, a folder that cannot be used, files that are damaged. Each is told in words that say
//! what to do next, and loses nothing that was acknowledged.

#![expect(clippy::disallowed_methods, reason = "a real process is driven in real time")]

mod driven;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use driven::{Load, SPEC, answered, audit, kill, read_all, refused, run, settle, start, start_heard, stop};

/// Blocks of 512 bytes that a file may have on a disk that is nearly full: the index and some thousand events.
const FILE_BLOCKS: u64 = 4096;

/// A folder in which a Headway ran for a while and was killed, and what it has acknowledged.
struct Left {
    _folder: tempfile::TempDir,
    home: PathBuf,
    load: Load,
}

impl Left {
    fn new(seed: u64) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().join("home");
        let mut load = Load::new(seed);
        let (child, mut asking, _) = start(&home, Path::new(SPEC));
        load.send_for(&mut asking, Duration::from_millis(300));
        settle(&mut asking);
        kill(child);
        Self { _folder: folder, home, load }
    }

    /// The next start ends at once, with this code and these words.
    fn is_refused(&self, code: i32, words: &[&str]) {
        let (found, said) = refused(&self.home, Path::new(SPEC));
        assert_eq!(found, Some(code), "{said}");
        words.iter().for_each(|word| assert!(said.contains(word), "{word:?} is not in: {said}"));
    }
}

fn damage(file: &Path, at: usize) {
    let mut bytes = fs::read(file).expect("a file");
    bytes[at] ^= 0x5A;
    fs::write(file, bytes).expect("written");
}

/// The files below a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// The same command, begun by a shell after these words.
fn after(words: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{words} exec \"$0\" \"$@\"")).arg(command.get_program()).args(command.get_args());
    shell
}

#[test]
fn a_full_disk_is_told_and_goes_on_when_there_is_room_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let (home, spec) = (folder.path().join("home"), Path::new(SPEC));
    let mut load = Load::new(11);
    // A limit on the size of files fails in the middle of a write, as a full disk does; the signal that comes with it is turned off.
    let mut command = after(&format!("trap '' XFSZ; ulimit -S -f {FILE_BLOCKS};"), &run(&home, spec, Stdio::null()));
    let child = command.stdout(Stdio::null()).spawn().expect("a shell");
    let (mut child, mut asking) = answered(&home, child, Instant::now());
    let why = load.send_until_refused(&mut asking);
    assert!(why.contains("free some space"), "{why}");
    assert!(child.try_wait().expect("a child").is_none(), "readers are still answered");
    let limit = Command::new("prlimit").arg("--pid").arg(child.id().to_string()).arg("--fsize=unlimited").status();
    assert!(limit.expect("prlimit").success());
    load.send_for(&mut asking, Duration::from_millis(200));
    settle(&mut asking);
    kill(child);
    let (child, mut asking, _) = start(&home, spec);
    settle(&mut asking);
    let read = read_all(&mut asking);
    stop(child);
    assert!(audit(&home, spec, &load, &read, 11) > 0);
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    let left = Left::new(12);
    // Whoever is root may write everywhere but on a file system that is read-only; where that cannot be made there is one for
    // processes, in which nobody can make a folder.
    let read_only = r#"mount --bind "$HOME_OF_TEST" "$HOME_OF_TEST" && mount -o remount,bind,ro "$HOME_OF_TEST" &&"#;
    let can = Command::new("unshare").args(["-rm", "true"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    let home = if can { left.home.clone() } else { PathBuf::from("/proc/headway") };
    let inner = after(if can { read_only } else { "" }, &run(&home, Path::new(SPEC), Stdio::null()));
    let mut outer = if can { Command::new("unshare") } else { Command::new("env") };
    outer.args(if can { &["-rm"][..] } else { &[] }).arg(inner.get_program()).args(inner.get_args());
    let ended = outer.env("HOME_OF_TEST", &home).output().expect("a shell");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(matches!(ended.status.code(), Some(1 | 78)), "{said}");
    assert!(said.contains(&home.display().to_string()) && said.contains("may"), "{said}");
    // And nothing has happened to it.
    let (child, mut asking, _) = start(&left.home, Path::new(SPEC));
    settle(&mut asking);
    let read = read_all(&mut asking);
    stop(child);
    assert!(audit(&left.home, Path::new(SPEC), &left.load, &read, 12) > 0);
}

#[test]
fn a_folder_that_another_process_holds_names_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = folder.path().join("home");
    let (child, mut asking, _) = start(&home, Path::new(SPEC));
    let (code, said) = refused(&home, Path::new(SPEC));
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains(&format!("is held by process {}", child.id())) && said.contains("Stop that one"), "{said}");
    settle(&mut asking);
    stop(child);
}

#[test]
fn a_damaged_log_ends_the_process_with_the_place_and_the_way_on() {
    let left = Left::new(13);
    let segment =
        files(&left.home.join("log")).into_iter().find(|file| file.extension().is_some_and(|ending| ending == "segment"));
    let segment = segment.expect("a segment");
    let bytes = fs::read(&segment).expect("a segment");
    let at = bytes.windows(12).position(|window| window == b"occurred_at\"").expect("an event");
    damage(&segment, at);
    left.is_refused(78, &[&segment.display().to_string(), "is damaged at byte", "Restore the file from a copy"]);
}

#[test]
fn a_damaged_index_ends_the_process_with_the_way_on() {
    let left = Left::new(14);
    let index = left.home.join("log/index.redb");
    let length = fs::read(&index).expect("an index").len();
    // All but the first page, so that it still looks like one.
    let mut bytes = fs::read(&index).expect("an index");
    bytes[4096.min(length)..].fill(0xA5);
    fs::write(&index, bytes).expect("written");
    left.is_refused(78, &[&index.display().to_string(), "from a copy"]);
}

#[test]
fn a_damaged_catalog_ends_the_process_with_the_way_on() {
    let left = Left::new(15);
    let file = files(&left.home.join("catalog")).into_iter().find(|file| file.extension().is_some_and(|ending| ending == "json"));
    let file = file.expect("a deployment");
    let length = fs::read(&file).expect("a deployment").len();
    damage(&file, length / 2);
    left.is_refused(78, &[&file.display().to_string(), "is damaged: its checksum does not match"]);
}

#[test]
fn a_damaged_snapshot_is_told_and_made_again_from_the_log() {
    let folder = tempfile::tempdir().expect("a folder");
    let (home, spec) = (folder.path().join("home"), Path::new(SPEC));
    let mut load = Load::new(16);
    let mut often = run(&home, spec, Stdio::null());
    let child = often.args(["--snapshot-every", "100ms"]).spawn().expect("the binary");
    let (child, mut asking) = answered(&home, child, Instant::now());
    let state = home.join("artifacts/state");
    let begun = Instant::now();
    while files(&state).len() < 12 {
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", files(&state));
        load.send(&mut asking);
    }
    settle(&mut asking);
    stop(child);
    // One piece of each partition.
    let mut damaged = 0;
    for partition in fs::read_dir(state.join("scooter-fleet/1")).expect("partitions") {
        let pieces = files(&partition.expect("a partition").path());
        damage(&pieces[0], 100);
        damaged += 1;
    }
    let (child, mut asking, heard) = start_heard(&home, spec);
    let said = heard.until("cannot go on from its snapshots");
    assert!(said.contains("artifacts/state/scooter-fleet/1/") && said.contains("its checksum does not match"), "{said}");
    assert!(said.contains("made again from") && !said.contains("may lack events"), "{said}");
    (1..damaged).for_each(|_| drop(heard.until("cannot go on from its snapshots")));
    settle(&mut asking);
    let read = read_all(&mut asking);
    stop(child);
    assert!(audit(&home, spec, &load, &read, 16) > 0);
}
