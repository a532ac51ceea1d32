//! The folder and who holds it. Never touches what lies in it but the lock.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::Path,
};

use crate::Error;

const LOCK: &str = "lock";

/// A folder that belongs to this process until this value is dropped, or the process ends in whatever way.
#[derive(Debug)]
pub(crate) struct Held {
    lock: File,
}

impl Drop for Held {
    fn drop(&mut self) {
        // Closing the file would not do while a child that was just forked still has it.
        let _ = self.lock.unlock();
    }
}

/// Makes the folder and takes it.
pub(crate) fn hold(path: &Path) -> Result<Held, Error> {
    let fault = |action| move |source| Error::Folder { action, path: path.to_owned(), source };
    fs::create_dir_all(path).map_err(fault("make"))?;
    let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).clone();
    let mut lock = options.open(path.join(LOCK)).map_err(fault("open the lock in"))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Err(held(path, &mut lock)),
        Err(fs::TryLockError::Error(source)) => return Err(fault("lock")(source)),
    }
    let pid = format!("{}\n", std::process::id());
    lock.set_len(0).and_then(|()| lock.write_all(pid.as_bytes())).map_err(fault("write the lock in"))?;
    Ok(Held { lock })
}

/// Keeps others from taking the folder until this value is dropped, and changes nothing. None when it was never used.
pub(crate) fn keep_still(path: &Path) -> Result<Option<Held>, Error> {
    let fault = |action| move |source| Error::Folder { action, path: path.to_owned(), source };
    let mut lock = match File::open(path.join(LOCK)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(fault("open the lock in"))?,
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(Some(Held { lock })),
        Err(fs::TryLockError::WouldBlock) => Err(held(path, &mut lock)),
        Err(fs::TryLockError::Error(source)) => Err(fault("lock")(source)),
    }
}

/// By whom, as it wrote it down.
fn held(path: &Path, lock: &mut File) -> Error {
    let mut pid = String::new();
    let pid = lock.read_to_string(&mut pid).map_or("unknown", |_| pid.trim());
    Error::Held { path: path.to_owned(), pid: pid.to_owned() }
}

/// Forces the names in a folder to the disk, so that a new file is found after a power cut.
pub(crate) fn sync_names(path: &Path) -> Result<(), Error> {
    let synced = File::open(path).and_then(|folder| folder.sync_all());
    synced.map_err(|source| Error::Folder { action: "sync", path: path.to_owned(), source })
}
