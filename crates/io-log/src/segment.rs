//! Segment files: the one that grows, and reads from all of them. Knows nothing of what is in them.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

use crate::{Error, folder};

/// Open files that are kept for readers. Two for each of the partitions that somebody is usually far behind in.
const READ_FILES_MAX: usize = 32;
const ENDING: &str = ".segment";

/// The files of a folder, for reading.
#[derive(Debug)]
pub(crate) struct Segments {
    folder: PathBuf,
    open: Mutex<BTreeMap<u64, Arc<File>>>,
}

/// The segment that is written to.
#[derive(Debug)]
pub(crate) struct Active {
    pub(crate) id: u64,
    pub(crate) length: u64,
    pub(crate) file: Arc<File>,
    pub(crate) path: PathBuf,
    /// The end of the file may hold part of a frame that was given up.
    dirty: bool,
}

impl Segments {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), open: Mutex::default() }
    }

    pub(crate) fn path(&self, id: u64) -> PathBuf {
        self.folder.join(format!("{id:012}{ENDING}"))
    }

    /// The ids of all segments, in order.
    pub(crate) fn ids(&self) -> Result<Vec<u64>, Error> {
        let fault = |source| Error::Folder { action: "list", path: self.folder.clone(), source };
        let mut ids = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(fault)? {
            let name = entry.map_err(fault)?.file_name();
            ids.extend(name.to_str().and_then(|name| name.strip_suffix(ENDING)).and_then(|id| id.parse::<u64>().ok()));
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// Opens the segment to be written to from this length on, which is made when it is not there.
    pub(crate) fn active(&self, id: u64, length: u64) -> Result<Active, Error> {
        let path = self.path(id);
        let fault = |source| Error::Write { path: path.clone(), source };
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(fault)?;
        file.set_len(length).map_err(fault)?;
        folder::sync_names(&self.folder)?;
        Ok(Active { id, length, file: Arc::new(file), path, dirty: false })
    }

    /// Bytes of a segment; a file that is gone is told from one that cannot be read.
    pub(crate) fn read(&self, id: u64, at: u64, length: usize) -> io::Result<Bytes> {
        let file = self.file(id)?;
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, at)?;
        Ok(bytes.into())
    }

    /// Everything of a segment from a place on.
    pub(crate) fn read_from(&self, id: u64, at: u64) -> Result<Bytes, Error> {
        let read = self.file(id).and_then(|file| Ok(file.metadata()?.len())).and_then(|length| {
            let length = usize::try_from(length.saturating_sub(at)).map_err(io::Error::other)?;
            self.read(id, at, length)
        });
        read.map_err(|source| Error::Read { path: self.path(id), source })
    }

    /// Removes a segment that nobody needs; one that is gone already is no error.
    pub(crate) fn remove(&self, id: u64) -> Result<(), Error> {
        self.files().remove(&id);
        match fs::remove_file(self.path(id)) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(Error::Folder { action: "remove", path: self.path(id), source })
            }
            _ => Ok(()),
        }
    }

    fn file(&self, id: u64) -> io::Result<Arc<File>> {
        let mut open = self.files();
        if let Some(file) = open.get(&id) {
            return Ok(file.clone());
        }
        let file = Arc::new(File::open(self.path(id))?);
        if open.len() >= READ_FILES_MAX {
            open.pop_first();
        }
        open.insert(id, file.clone());
        Ok(file)
    }

    fn files(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Arc<File>>> {
        // A list of files is right whoever panicked beside it.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Active {
    /// Writes behind what is there. After an error nothing of it is left, at the latest before the next write.
    pub(crate) fn append(&mut self, frame: &[u8]) -> Result<(), Error> {
        let fault = |source| Error::Write { path: self.path.clone(), source };
        if self.dirty {
            self.file.set_len(self.length).map_err(fault)?;
            self.dirty = false;
        }
        if let Err(source) = self.file.write_all_at(frame, self.length) {
            let fault = fault(source);
            self.dirty = self.file.set_len(self.length).is_err();
            return Err(fault);
        }
        self.length += frame.len() as u64;
        Ok(())
    }

    /// Takes the last frame back.
    pub(crate) fn take_back(&mut self, frame_bytes: usize) {
        self.length -= frame_bytes as u64;
        self.dirty = self.file.set_len(self.length).is_err();
    }

    /// Forces everything to the disk.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        self.file.sync_data().map_err(|source| Error::Write { path: self.path.clone(), source })
    }
}
