//! The folder as a whole: what lies where, whose it is and in which format. Never touches the log's part of it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use ports::Deployment;

use crate::{Disk, Error, FolderArtifacts, FolderCatalog, FolderWarehouse, catalog, disk};

/// The version of the layout.
const FORMAT: u32 = 1;
const FORMAT_FILE: &str = "format";
const UNFINISHED: &str = "unfinished";

const README: &str = "\
This folder belongs to Headway: everything that it keeps on this machine is in here.

  log/          events, predictions and positions
  catalog/      which pipelines and models are in force, and who did what when (JSON)
  warehouse/    tables as Parquet, a folder for each day: any reader of Parquet can query them;
                days that are no longer of interest may be deleted
  warehouses/   the same where several processes share this folder, a folder for each of them
  artifacts/    pieces of snapshots, models and reports
  unfinished/   files that are being written; emptied at each start
  trusted-keys  a file of yours, if you want one: public keys whose models are loaded, one on each line

Stop Headway before you copy the folder, or move it. Deleting it is the whole uninstall.
";

/// A folder that is laid out and checked. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Folder {
    catalog: FolderCatalog,
    warehouse: FolderWarehouse,
    artifacts: FolderArtifacts,
}

impl Folder {
    /// Lays the folder out if it is new, checks and mends it if it is not: what a crash left unfinished is removed, torn ends
    /// are cut off. Blocks; call it once at the start and by the one process that holds the log's lock.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        Self::open_on(Disk::new(path.join(UNFINISHED)), path)
    }

    /// The same for a folder that several processes use at once, each under a name of its own. Blocks.
    pub fn open_among(path: impl AsRef<Path>, name: &str) -> Result<Self, Error> {
        let path = path.as_ref();
        let own = path.join(UNFINISHED).join(name);
        let disk = Disk::new(own.clone());
        disk.create_folder(&own)?;
        claim(&disk, path)?;
        empty(&own)?;
        Ok(Self {
            catalog: FolderCatalog::open_among(disk.clone(), path.join("catalog"))?,
            // Each writes its own: what one folds another would take for what a crash left.
            warehouse: FolderWarehouse::open(disk.clone(), path.join("warehouses").join(name))?,
            // Not swept: others put artifacts into its folders.
            artifacts: FolderArtifacts::look(disk, path.join("artifacts")),
        })
    }

    pub(crate) fn open_on(disk: Disk, path: &Path) -> Result<Self, Error> {
        claim(&disk, path)?;
        empty(&path.join(UNFINISHED))?;
        Ok(Self {
            catalog: FolderCatalog::open(disk.clone(), path.join("catalog"))?,
            warehouse: FolderWarehouse::open(disk.clone(), path.join("warehouse"))?,
            artifacts: FolderArtifacts::open(disk, path.join("artifacts"))?,
        })
    }

    /// Looks at a folder without a change of it, held or not. None when nothing was ever laid out there.
    pub fn look(path: impl AsRef<Path>) -> Result<Option<Look>, Error> {
        let path = path.as_ref();
        let format_file = path.join(FORMAT_FILE);
        let Some(format) = disk::read(&format_file)? else { return Ok(None) };
        check_format(&format_file, &format)?;
        let artifacts = FolderArtifacts::look(Disk::new(path.join(UNFINISHED)), path.join("artifacts"));
        Ok(Some(Look { artifacts, catalog: path.join("catalog") }))
    }

    /// The catalog.
    pub fn catalog(&self) -> FolderCatalog {
        self.catalog.clone()
    }

    /// The warehouse.
    pub fn warehouse(&self) -> FolderWarehouse {
        self.warehouse.clone()
    }

    /// The artifacts.
    pub fn artifacts(&self) -> FolderArtifacts {
        self.artifacts.clone()
    }
}

/// A folder that is looked at.
#[derive(Clone, Debug)]
pub struct Look {
    artifacts: FolderArtifacts,
    catalog: PathBuf,
}

impl Look {
    /// The version of the layout.
    pub const FORMAT: u32 = FORMAT;

    /// The artifacts, for reading.
    pub fn artifacts(&self) -> &FolderArtifacts {
        &self.artifacts
    }

    /// The deployments in force, in order of their pipelines. Blocks.
    pub fn deployments(&self) -> Result<Vec<Deployment>, ports::Error> {
        Ok(catalog::deployments(&self.catalog)?)
    }
}

/// Makes sure that the folder is Headway's and of a format that is known.
fn claim(disk: &Disk, path: &Path) -> Result<(), Error> {
    let format_file = path.join(FORMAT_FILE);
    let format = disk::read(&format_file)?;
    if format.is_none() {
        // Somebody's home is not taken over, since deleting the folder is said to be the whole uninstall. What the log and a
        // crash while the folder was laid out leave is no obstacle, nor that somebody has said whose models are trusted.
        let ours = |name: &str| name.starts_with('.') || ["log", UNFINISHED, "trusted-keys"].contains(&name);
        if let Some((entry, _)) = disk::entries(path)?.into_iter().find(|(name, _)| !ours(name)) {
            return Err(Error::Occupied { path: path.into(), entry });
        }
    }
    disk.create_folder(&path.join(UNFINISHED))?;
    match format {
        None => disk.replace(&format_file, &[format!("headway folder {FORMAT}\n").as_bytes()])?,
        Some(bytes) => check_format(&format_file, &bytes)?,
    }
    let readme = path.join("README.txt");
    if disk::read(&readme)?.is_none_or(|text| text != README.as_bytes()) {
        disk.replace(&readme, &[README.as_bytes()])?;
    }
    Ok(())
}

fn check_format(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let text = String::from_utf8_lossy(bytes);
    let version = text.trim_end().strip_prefix("headway folder ").and_then(|version| version.parse::<u32>().ok());
    match version {
        Some(version) if version <= FORMAT => Ok(()),
        Some(found) => Err(Error::Newer { path: path.into(), found, known: FORMAT }),
        None => Err(Error::Damaged {
            path: path.into(),
            what: "it does not name a version".into(),
            advice: "If this is Headway's folder, write the line `headway folder 1` into that file; if not, choose another folder",
            alone: false,
        }),
    }
}

/// Removes what is unfinished.
fn empty(path: &Path) -> Result<(), Error> {
    for (name, folder) in disk::entries(path)? {
        let path = path.join(name);
        if !folder {
            fs::remove_file(&path).map_err(|error| Error::file("remove", &path, error))?;
        }
    }
    Ok(())
}
