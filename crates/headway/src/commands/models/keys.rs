//! Keys: those that are trusted, from the command line or files; and the secret one, from a file or drawn by chance. A secret one is never
//! part of a message.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use scoring::package::{Signer, TrustedKey};

use crate::failure::Failure;

/// Public keys have so many digits, and so have secret ones.
const DIGITS: usize = 64;
/// Of a file with keys: a thousand lines with a comment each.
const FILE_BYTES_MAX: u64 = 128 << 10;
/// Nobody else may read or write it.
const OWNER_ONLY: u32 = 0o600;

/// The keys that are meant by the values of `--trust`.
pub(super) fn trusted(values: &[String]) -> Result<Vec<TrustedKey>, Failure> {
    let mut keys = Vec::new();
    for (at, value) in values.iter().enumerate() {
        // What was given is not told again: it may be a secret key by mistake.
        let what = format!("value {} of --trust", at + 1);
        if value.len() == DIGITS && value.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            keys.push(TrustedKey::parse(value, &what)?);
        } else {
            let text = read(Path::new(value)).map_err(|error| {
                Failure::usage_of(&format!("{what} is neither {DIGITS} hexadecimal digits nor a file that can be read: {error}"))
            })?;
            keys.extend(listed(&text, &what)?);
        }
    }
    Ok(keys)
}

fn listed(text: &str, what: &str) -> Result<Vec<TrustedKey>, Failure> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).enumerate();
    let keys = lines.filter(|(_, line)| !line.is_empty());
    Ok(keys
        .map(|(at, line)| TrustedKey::parse(line, &format!("line {} of the file in {what}", at + 1)))
        .collect::<Result<_, _>>()?)
}

/// The secret key in a file.
pub(super) fn secret(path: &Path) -> Result<Signer, Failure> {
    let text = read(path).map_err(|error| Failure::reading(path, &error))?;
    Ok(Signer::parse(&text, &format!("what is in {}", path.display()))?)
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// A secret key that nobody has seen.
pub(super) struct NewKey([u8; DIGITS / 2]);

impl NewKey {
    /// Draws one from the operating system.
    #[expect(clippy::disallowed_methods, reason = "a key has to be one that nobody can guess, a seed least of all")]
    pub(super) fn draw() -> Result<Self, Failure> {
        let mut secret = [0; DIGITS / 2];
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
