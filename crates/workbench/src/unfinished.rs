//! Files that are whole or not there: written under another name and renamed at the end.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use crate::Error;

/// Added to the name of a file that is not finished.
const UNFINISHED: &str = ".unfinished";

/// A file that is not finished. Given up, it disappears; what a killed process leaves behind is overwritten by the next.
#[derive(Debug)]
pub(crate) struct Unfinished {
    path: PathBuf,
    unfinished: PathBuf,
    is_finished: bool,
}

impl Unfinished {
    /// Begins a file that will have this name.
    pub(crate) fn create(path: &Path) -> Result<(Self, File), Error> {
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(UNFINISHED);
        let unfinished = PathBuf::from(unfinished);
        let file = File::create(&unfinished).map_err(Error::writing(&unfinished))?;
        Ok((Self { path: path.into(), unfinished, is_finished: false }, file))
    }

    /// Gives the written file its name.
    pub(crate) fn finish(mut self, file: &File) -> Result<(), Error> {
        // A name must not outlive a crash of the machine without its content.
        file.sync_all().map_err(Error::writing(&self.path))?;
        fs::rename(&self.unfinished, &self.path).map_err(Error::writing(&self.path))?;
        self.is_finished = true;
        Ok(())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.is_finished {
            // If this fails, the next run writes over it.
            let _ = fs::remove_file(&self.unfinished);
        }
    }
}
