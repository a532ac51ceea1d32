//! A password that nobody can show by accident. Never displayed, never part of a message.

use std::{fmt, path::Path};

use crate::Error;

/// A password.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// This one.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The content of a file without the line's end, as secrets are mounted into containers.
    pub fn from_file(path: &Path) -> Result<Self, Error> {
        let read = std::fs::read_to_string(path);
        let text =
            read.map_err(|source| Error::File { what: "the password of the schema registry", path: path.into(), source })?;
        Ok(Self(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(hidden)")
    }
}
