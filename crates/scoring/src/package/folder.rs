//! A package as a folder with three files. Reads no more of a file than may be in it, and follows nothing out of the folder.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::{Files, bytes_max};
use crate::{Error, Limits};

/// More files than any package has: a folder of something else is not read to its end.
const FILES_MAX: usize = 16;

/// Reads the files of a package.
pub fn read_folder(folder: &Path, limits: &Limits) -> Result<Files, Error> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| Error::Unreadable { path, source }
    };
    let mut files = Files::new();
    for entry in fs::read_dir(folder).map_err(unreadable(folder))?.take(FILES_MAX) {
        let entry = entry.map_err(unreadable(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if !entry.file_type().map_err(unreadable(&path))?.is_file() {
            return Err(Error::Unexpected { file: name });
        }
        let bytes_max = bytes_max(&name, limits);
        let mut content = Vec::new();
        File::open(&path).and_then(|file| file.take(bytes_max + 1).read_to_end(&mut content)).map_err(unreadable(&path))?;
        if content.len() as u64 > bytes_max {
            let bytes = fs::metadata(&path).map_err(unreadable(&path))?.len();
            return Err(Error::TooLarge { file: name, bytes, bytes_max });
        }
        files.insert(name, content);
    }
    Ok(files)
}

/// Writes the files of a package into a folder, which is made if it is not there.
pub fn write_folder(folder: &Path, files: &Files) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    files.iter().try_for_each(|(name, content)| fs::write(folder.join(name), content))
}
