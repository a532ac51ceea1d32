//! `headway run` is killed without a warning, again and again under load, and in the end every vector equals the oracle.
//!
//! `HEADWAY_KILLS=100` kills more often than the few times of an ordinary test run; `HEADWAY_SEED=n` chooses other moments.

mod driven;

use std::{path::Path, time::Duration};

use driven::{Load, SPEC, asked, audit, kill, read_all, settle, start, stop};

const KILLS: u64 = 6;

#[test]
fn killed_at_any_moment_it_loses_and_repeats_nothing() {
    let (kills, seed) = (asked("HEADWAY_KILLS").unwrap_or(KILLS), asked("HEADWAY_SEED").unwrap_or(1));
    let (folder, spec) = (tempfile::tempdir().expect("a folder"), Path::new(SPEC));
    let mut load = Load::new(seed);
    let mut restarts = Vec::new();
    for _ in 0..kills {
        let (child, mut asking, took) = start(folder.path(), spec);
        restarts.push(took);
        let time = Duration::from_millis(load.between(0, 600));
        load.send_for(&mut asking, time);
        // The last batch is on its way when the end comes.
        load.send_unheard(&mut asking);
        kill(child);
    }
    let (child, mut asking, _) = start(folder.path(), spec);
    load.send(&mut asking);
    settle(&mut asking);
    let read = read_all(&mut asking);
    stop(child);
    // What is left of a failed run is worth looking at.
    let folder = folder.keep();
    let compared = audit(&folder, spec, &load, &read, seed);
    std::fs::remove_dir_all(&folder).expect("it was ours");
    restarts.sort();
    println!("{kills} kills, {} events, {compared} vectors equal; restarts at most {:?}", load.sent, restarts.last());
}
