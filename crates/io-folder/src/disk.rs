//! The few ways in which this crate changes files, each safe against a crash between any two of its steps.
//!
//! Everything that writes goes through here and nowhere else: a test that is told of each step can stop the world between any
//! two of them. Never decides what is written.

use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::Error;

/// Hears of each step before it is made, and may make it fail.
type Watch = Arc<dyn Fn(&'static str, &Path) -> io::Result<()> + Send + Sync>;

/// The place for files that are not finished. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Disk {
    unfinished: PathBuf,
    next: Arc<AtomicU64>,
    watch: Option<Watch>,
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Disk").field("unfinished", &self.unfinished).finish_non_exhaustive()
    }
}

impl Disk {
    /// `unfinished` must exist, and be on the same file system as everything that is written.
    pub(crate) fn new(unfinished: PathBuf) -> Self {
        Self { unfinished, next: Arc::default(), watch: None }
    }

    /// The same, with somebody watching.
    #[cfg(test)]
    pub(crate) fn watched(self, watch: impl Fn(&'static str, &Path) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self { watch: Some(Arc::new(watch)), ..self }
    }

    /// Puts a file in place: readers and crashes see the one before or this one, whole.
    pub(crate) fn replace(&self, path: &Path, parts: &[&[u8]]) -> Result<(), Error> {
        let unfinished = self.unfinished.join(format!("{}.part", self.next.fetch_add(1, Ordering::Relaxed)));
        let placed = self.fill(&unfinished, parts).and_then(|()| {
            self.step("rename", path)?;
            fs::rename(&unfinished, path).map_err(|error| Error::file("put in place", path, error))
        });
        if placed.is_err() {
            // The error at hand says more than one from here could; what stays is removed when the folder is opened again.
            let _ = fs::remove_file(&unfinished);
        }
        placed?;
        self.sync_folder(parent(path))
    }

    /// Writes at the end of a file whose acknowledged bytes are the first `length`. What an attempt before this one may have
    /// left behind them is cut off, so that it is written anew and not only believed to be on the disk.
    pub(crate) fn append(&self, path: &Path, length: u64, bytes: &[u8]) -> Result<(), Error> {
        let failed = |error| Error::file("append to", path, error);
        let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.len() != length {
            self.step("cut", path)?;
            file.set_len(length).map_err(failed)?;
        }
        self.write(&file, path, length, bytes)?;
        self.step("sync", path)?;
        file.sync_data().map_err(failed)
    }

    /// Cuts a file down to what is whole.
    pub(crate) fn cut(&self, path: &Path, length: u64) -> Result<(), Error> {
        let failed = |error| Error::file("cut the torn end off", path, error);
        self.step("cut", path)?;
        let file = OpenOptions::new().write(true).open(path).map_err(failed)?;
        file.set_len(length).map_err(failed)?;
        file.sync_all().map_err(failed)
    }

    /// Creates a folder and those above it, as far as they are missing.
    pub(crate) fn create_folder(&self, path: &Path) -> Result<(), Error> {
        if path.is_dir() {
            return Ok(());
        }
        let above = parent(path);
        self.create_folder(above)?;
        self.step("create", path)?;
        match fs::create_dir(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(Error::file("create", path, error)),
            _ => self.sync_folder(above),
        }
    }

    /// Makes sure that a rename to this path is on the disk, whichever file it left there.
    pub(crate) fn settle(&self, path: &Path) -> Result<(), Error> {
        self.sync_folder(parent(path))
    }

    /// Removes a file; none is fine.
    pub(crate) fn remove(&self, path: &Path) -> Result<(), Error> {
        self.step("remove", path)?;
        match fs::remove_file(path) {
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(Error::file("remove", path, error)),
            Ok(()) => self.sync_folder(parent(path)),
        }
    }

    fn fill(&self, path: &Path, parts: &[&[u8]]) -> Result<(), Error> {
        self.step("create", path)?;
        let file = File::create(path).map_err(|error| Error::file("create", path, error))?;
        let mut at = 0;
        for part in parts {
            self.write(&file, path, at, part)?;
            at += part.len() as u64;
        }
        self.step("sync", path)?;
        file.sync_all().map_err(|error| Error::file("write", path, error))
    }

    /// In two halves while somebody watches, since a write may be torn anywhere.
    fn write(&self, file: &File, path: &Path, at: u64, bytes: &[u8]) -> Result<(), Error> {
        let half = if self.watch.is_some() { bytes.len() / 2 } else { 0 };
        for (at, bytes) in [(at, &bytes[..half]), (at + half as u64, &bytes[half..])] {
            if !bytes.is_empty() {
                self.step("write", path)?;
                file.write_all_at(bytes, at).map_err(|error| Error::file("write", path, error))?;
            }
        }
        Ok(())
    }

    fn sync_folder(&self, path: &Path) -> Result<(), Error> {
        self.step("sync", path)?;
        File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| Error::file("write", path, error))
    }

    fn step(&self, doing: &'static str, path: &Path) -> Result<(), Error> {
        let Some(watch) = &self.watch else { return Ok(()) };
        watch(doing, path).map_err(|error| Error::file(doing, path, error))
    }
}

/// The bytes of a file, none when there is none.
pub(crate) fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(Error::file("read", path, error)),
    }
}

/// The names in a folder in order, and whether each is a folder; none when there is none. A name that is not UTF-8 is not ours.
pub(crate) fn entries(path: &Path) -> Result<Vec<(String, bool)>, Error> {
    let failed = |error| Error::file("list", path, error);
    let listing = match fs::read_dir(path) {
        Err(error) if is_missing(&error) => return Ok(Vec::new()),
        other => other.map_err(failed)?,
    };
    let mut entries = Vec::new();
    for entry in listing {
        let entry = entry.map_err(failed)?;
        let folder = match entry.file_type() {
            // Removed since the listing began.
            Err(error) if is_missing(&error) => continue,
            other => other.map_err(failed)?.is_dir(),
        };
        entries.extend(entry.file_name().into_string().ok().map(|name| (name, folder)));
    }
    entries.sort_unstable();
    Ok(entries)
}

/// Runs work on files where it may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, ports::Error> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(Into::into),
        Err(error) => Err(ports::Error::with_source(ports::ErrorKind::Bug, "work on the folder did not come to its end", error)),
    }
}

fn is_missing(error: &io::Error) -> bool {
    // A path through something that is a file has nothing at its end either.
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(above) if !above.as_os_str().is_empty() => above,
        _ => Path::new("."),
    }
}
