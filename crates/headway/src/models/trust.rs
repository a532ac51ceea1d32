//! Whose packages are trusted: the public keys that were named by `--trust` or HEADWAY_TRUST, and those in the file `trusted-keys` of the
//! folder. They are read whenever a package is looked at, so that nobody has to start a process again to trust one more.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use scoring::package::TrustedKey;

use crate::failure::Failure;

/// Public keys have so many digits, and so have secret ones.
const DIGITS: usize = 64;
/// Of a file with keys: a thousand lines with a comment each.
const FILE_BYTES_MAX: u64 = 128 << 10;
/// In the folder where everything is kept.
const FILE: &str = "trusted-keys";

/// Whose packages are trusted here.
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    given: Vec<String>,
    file: PathBuf,
}

impl Trust {
    /// Those that were named, and those of a folder.
    pub(crate) fn new(given: &[String], folder: &Path) -> Self {
        Self { given: given.to_vec(), file: folder.join(FILE) }
    }

    /// The keys as they are now.
    pub(crate) fn keys(&self) -> Result<Vec<TrustedKey>, Failure> {
        let mut keys = trusted(&self.given)?;
        match read(&self.file) {
            Ok(text) => keys.extend(listed(&text, &self.file.display().to_string())?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::reading(&self.file, &error)),
        }
        Ok(keys)
    }

    /// Why a package is refused. A key that nobody has said anything about is told together with how to trust it.
    pub(crate) fn refused(&self, error: scoring::Error) -> Failure {
        let scoring::Error::Untrusted { key, trusted } = &error else { return error.into() };
        let none = if *trusted == 0 {
            "no key is trusted here yet".to_owned()
        } else {
            format!("it is none of the {trusted} trusted here")
        };
        Failure::configuration(format!(
            "the model package is signed by the key {key}, and {none}. If you know whose it is, trust it by\n  echo {key} >> {}\nor name \
             it by --trust or HEADWAY_TRUST where Headway is started",
            self.file.display()
        ))
        .of_model(error.code())
    }
}

/// The keys that are meant by the values of `--trust`.
pub(crate) fn trusted(values: &[String]) -> Result<Vec<TrustedKey>, Failure> {
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
            keys.extend(listed(&text, &format!("the file in {what}"))?);
        }
    }
    Ok(keys)
}

fn listed(text: &str, what: &str) -> Result<Vec<TrustedKey>, Failure> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).enumerate();
    let keys = lines.filter(|(_, line)| !line.is_empty());
    Ok(keys.map(|(at, line)| TrustedKey::parse(line, &format!("line {} of {what}", at + 1))).collect::<Result<_, _>>()?)
}

/// The text of a file with keys.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Points on the curve, as `models sign` would make them.
    fn key(number: u8) -> String {
        scoring::package::Signer::from_secret(&[number; 32]).key().to_string()
    }

    #[test]
    fn keys_of_the_folder_count_as_soon_as_they_are_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let trust = Trust::new(&[key(1)], folder.path());
        let told = |trust: &Trust| trust.keys().expect("keys").iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(told(&trust), [key(1)]);
        fs::write(folder.path().join(FILE), format!("# ours\n{} # the trainer's\n", key(2))).expect("written");
        assert_eq!(told(&trust), [key(1), key(2)]);
        fs::write(folder.path().join(FILE), "secret words").expect("written");
        let fault = trust.keys().expect_err("no key").message;
        assert!(
            fault.contains("line 1 of ") && fault.contains("trusted-keys is not a key") && !fault.contains("secret"),
            "{fault}"
        );
    }

    #[test]
    fn it_is_told_how_to_trust_a_key() {
        let trust = Trust::new(&[], Path::new("here"));
        let told = |trusted| trust.refused(scoring::Error::Untrusted { key: key(3), trusted }).message;
        assert!(told(0).contains("no key is trusted here yet") && told(2).contains("none of the 2"), "{}", told(0));
        assert!(told(0).contains(&format!("echo {} >> here/trusted-keys", key(3))), "{}", told(0));
    }
}
