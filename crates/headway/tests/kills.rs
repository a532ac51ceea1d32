//! `headway run` is killed without a warning, again and again under load, and in the end every vector equals the oracle and each trigger
//! of a case has made one prediction, and each prediction of a case that is over has one outcome.
//!
//! `HEADWAY_KILLS=100` kills more often than the few times of an ordinary test run; `HEADWAY_SEED=n` chooses other moments.

mod driven;

use std::{path::Path, time::Duration};

use driven::{Load, SPEC, asked, audit, audit_orders, audit_rows, kill, orders, read_all, settle, start_with, stop};

const KILLS: u64 = 6;

#[test]
fn killed_at_any_moment_it_loses_and_repeats_nothing() {
    let (kills, seed) = (asked("HEADWAY_KILLS").unwrap_or(KILLS), asked("HEADWAY_SEED").unwrap_or(1));
    let (folder, spec) = (tempfile::tempdir().expect("a folder"), Path::new(SPEC));
    let specs = tempfile::tempdir().expect("a folder");
    let orders = orders::write_spec(specs.path()).to_string_lossy().into_owned();
    let start = || start_with(folder.path(), spec, &[&orders], &[]);
    let mut load = Load::new(seed).with_orders();
    let mut restarts = Vec::new();
    for _ in 0..kills {
        let (child, mut asking, took) = start();
        restarts.push(took);
        let time = Duration::from_millis(load.between(0, 600));
        load.send_for(&mut asking, time);
        // The last batch is on its way when the end comes.
        load.send_unheard(&mut asking);
        kill(child);
    }
    let (child, mut asking, _) = start();
    load.send(&mut asking);
    settle(&mut asking);
    let read = read_all(&mut asking);
    stop(child);
    drop(specs);
    // What is left of a failed run is worth looking at.
    let folder = folder.keep();
    let audited = audit_orders(&folder, &load);
    let rows = audit_rows(&folder);
    let compared = audit(&folder, spec, &load, &read, seed);
    std::fs::remove_dir_all(&folder).expect("it was ours");
    restarts.sort();
    println!(
        "{kills} kills, {} events, {compared} vectors equal, {} predictions of stages and {} of timers once each, {} outcomes, \
         {rows} rows; restarts at most {:?}",
        load.sent,
        audited.stages,
        audited.timers,
        audited.outcomes,
        restarts.last()
    );
}
