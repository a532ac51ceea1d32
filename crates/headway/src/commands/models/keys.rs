//! The secret key, from a file or drawn by chance. Never part of a message.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use scoring::package::Signer;

use crate::{failure::Failure, models::trust};

/// So many bytes are a key.
const BYTES: usize = 32;
/// Nobody else may read or write it.
const OWNER_ONLY: u32 = 0o600;

/// The secret key in a file.
pub(super) fn secret(path: &Path) -> Result<Signer, Failure> {
    let text = trust::read(path).map_err(|error| Failure::reading(path, &error))?;
    Ok(Signer::parse(&text, &format!("what is in {}", path.display()))?)
}

/// A secret key that nobody has seen.
pub(super) struct NewKey([u8; BYTES]);

impl NewKey {
    /// Draws one from the operating system.
    #[expect(clippy::disallowed_methods, reason = "a key has to be one that nobody can guess, a seed least of all")]
    pub(super) fn draw() -> Result<Self, Failure> {
        let mut secret = [0; BYTES];
        let drawn = getrandom::fill(&mut secret);
        drawn.map_err(|error| Failure::failed(format!("the system gives no random numbers for a key: {error}; try again")))?;
        Ok(Self(secret))
    }

    pub(super) fn signer(&self) -> Signer {
        Signer::from_secret(&self.0)
    }

    /// Writes it to a file that is not there yet, outside of the package.
    pub(super) fn write(&self, path: &Path, package: &Path) -> Result<(), Failure> {
        if lies_in(path, package) {
            let path = path.display();
            return Err(Failure::failed(format!(
                "{path} would be in the package, which others get to see; name a file elsewhere"
            )));
        }
        let opened = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path);
        let mut file = opened.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                let path = path.display();
                Failure::failed(format!(
                    "{path} is there already and is not overwritten; sign with it by --key, or name another file"
                ))
            }
            _ => Failure::writing(path, &error),
        })?;
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let written = file.write_all(format!("{digits}\n").as_bytes()).and_then(|()| file.sync_all());
        written.map_err(|error| {
            // Half a key is none, and would be in the way of the next attempt.
            let _ = fs::remove_file(path);
            Failure::writing(path, &error)
        })
    }
}

fn lies_in(path: &Path, folder: &Path) -> bool {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (parent.canonicalize(), folder.canonicalize()) {
        (Ok(parent), Ok(folder)) => parent.starts_with(folder),
        _ => false,
    }
}
