//! Artifacts as files, each with a footer that tells whether its bytes are still the ones that were put.
//!
//! The file of `a/b` is `a/b@1`: no name has an `@`, so `a` and `a/b` can both be there, and the number is the version of the
//! footer. Never keeps bytes in memory.

use std::{fs, path::PathBuf, sync::Arc};

use bytes::Bytes;
use ports::{Artifacts, artifact_name_fault};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    Disk, Error,
    disk::{self, blocking},
};

/// Ends the name of each file.
const SUFFIX: &str = "@1";
/// Begins the footer: these, the length and the checksum.
const MAGIC: &[u8; 8] = b"\nHWART1\n";
const FOOTER_BYTES: usize = 24;

/// Artifacts in a folder. Cheap to clone.
#[derive(Clone, Debug)]
pub struct FolderArtifacts {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    disk: Disk,
    root: PathBuf,
}

impl FolderArtifacts {
    pub(crate) fn open(disk: Disk, root: PathBuf) -> Result<Self, Error> {
        disk.create_folder(&root)?;
        let shared = Shared { disk, root };
        shared.sweep("")?;
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The artifacts of a folder that is looked at and not held: for reading.
    pub(crate) fn look(disk: Disk, root: PathBuf) -> Self {
        Self { shared: Arc::new(Shared { disk, root }) }
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, ports::Error> {
        let shared = Arc::clone(&self.shared);
        blocking(move || work(&shared)).await
    }
}

impl Artifacts for FolderArtifacts {
    async fn put(&self, name: &str, bytes: Bytes) -> Result<(), ports::Error> {
        let name = checked(name)?;
        self.run(move |shared| shared.put(&name, &bytes)).await
    }

    async fn get(&self, name: &str) -> Result<Option<Bytes>, ports::Error> {
        let name = checked(name)?;
        self.run(move |shared| shared.get(&name)).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, ports::Error> {
        let prefix = prefix.to_owned();
        self.run(move |shared| shared.list(&prefix)).await
    }

    async fn remove(&self, name: &str) -> Result<(), ports::Error> {
        let name = checked(name)?;
        self.run(move |shared| shared.disk.remove(&shared.path(&name))).await
    }
}

impl Shared {
    fn path(&self, name: &str) -> PathBuf {
        self.root.join(format!("{name}{SUFFIX}"))
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.path(name);
        if let Some((folder, _)) = name.rsplit_once('/') {
            self.disk.create_folder(&self.root.join(folder))?;
        }
        let (length, checksum) = ((bytes.len() as u64).to_le_bytes(), xxh3_64(bytes).to_le_bytes());
        self.disk.replace(&path, &[bytes, MAGIC, &length, &checksum])
    }

    fn get(&self, name: &str) -> Result<Option<Bytes>, Error> {
        let path = self.path(name);
        let Some(bytes) = disk::read(&path)? else { return Ok(None) };
        let damaged = |what: &str| Error::Damaged {
            path: path.clone(),
            what: what.into(),
            advice: "Put this artifact again, or bring the file back from a copy; removing it loses nothing else",
            alone: true,
        };
        let length = bytes.len().checked_sub(FOOTER_BYTES).ok_or_else(|| damaged("it is too short"))?;
        let (content, footer) = bytes.split_at(length);
        if !footer.starts_with(MAGIC) || footer[8..16] != (length as u64).to_le_bytes() {
            return Err(damaged("it was cut or something was appended to it"));
        }
        if footer[16..] != xxh3_64(content).to_le_bytes() {
            return Err(damaged("its checksum does not match"));
        }
        Ok(Some(Bytes::from(bytes).slice(..length)))
    }

    fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let folder = prefix.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !folder.is_empty() && artifact_name_fault(folder).is_some() {
            // No name begins like this, so there is nothing to look for, least of all outside the folder.
            return Ok(Vec::new());
        }
        let mut names = Vec::new();
        self.walk(folder, &mut names)?;
        names.retain(|name| name.starts_with(prefix));
        names.sort_unstable();
        Ok(names)
    }

    fn walk(&self, folder: &str, names: &mut Vec<String>) -> Result<(), Error> {
        for (entry, is_folder) in disk::entries(&self.root.join(folder))? {
            let below = if folder.is_empty() { entry } else { format!("{folder}/{entry}") };
            match below.strip_suffix(SUFFIX) {
                _ if is_folder => self.walk(&below, names)?,
                Some(name) => names.push(name.to_owned()),
                None => {}
            }
        }
        Ok(())
    }

    /// Removes folders in which nothing is left. Only at the start, when nobody puts anything into them.
    fn sweep(&self, folder: &str) -> Result<bool, Error> {
        let mut is_empty = true;
        for (entry, is_folder) in disk::entries(&self.root.join(folder))? {
            let below = if folder.is_empty() { entry } else { format!("{folder}/{entry}") };
            let path = self.root.join(&below);
            if is_folder && self.sweep(&below)? {
                fs::remove_dir(&path).map_err(|error| Error::file("remove", &path, error))?;
            } else {
                is_empty = false;
            }
        }
        Ok(is_empty)
    }
}

fn checked(name: &str) -> Result<String, Error> {
    match artifact_name_fault(name) {
        None => Ok(name.to_owned()),
        Some(why) => Err(Error::Refused(format!("`{}` is no name for an artifact: {why}", name.escape_debug()))),
    }
}
