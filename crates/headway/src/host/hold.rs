//! Who holds a folder: one process, until it ends in whatever way. The embedded log holds its own part; this is for a process that
//! has no log there.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::Path,
};

use crate::failure::Failure;

const LOCK: &str = ".held";

/// A folder that is this process's until this value is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    _lock: File,
}

impl Held {
    /// Whose number is written down in a folder; that process may be gone.
    pub(crate) fn named(folder: &Path) -> Option<String> {
        let text = std::fs::read_to_string(folder.join(LOCK)).ok()?;
        (!text.trim().is_empty()).then(|| text.trim().to_owned())
    }

    pub(crate) fn take(folder: &Path) -> Result<Self, Failure> {
        std::fs::create_dir_all(folder).map_err(|error| Failure::writing(folder, &error))?;
        let fault = |error: std::io::Error| Failure::writing(folder, &error);
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).clone();
        let mut lock = options.open(folder.join(LOCK)).map_err(fault)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let pid = lock.read_to_string(&mut pid).map_or("another process", |_| pid.trim());
                let folder = folder.display();
                return Err(Failure::failed(format!("{folder} is held by process {pid}: stop it, or name another --folder.")));
            }
            Err(TryLockError::Error(error)) => return Err(fault(error)),
        }
        lock.set_len(0).and_then(|()| writeln!(lock, "{}", std::process::id())).map_err(fault)?;
        Ok(Self { _lock: lock })
    }
}
