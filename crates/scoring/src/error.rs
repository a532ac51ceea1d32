//! Everything that can go wrong here. Nothing of it passes by waiting: a package or a caller has to change, so whoever turns these into
//! the errors of a port makes `Invalid` of all but `Error::Rows`, which is a bug of the caller.

use std::path::PathBuf;

/// Why a package does not load, or rows were not scored.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file of a folder cannot be read.
    #[error("cannot read {}: name the folder of a model package that this process may read.", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The package lacks a file.
    #[error("the model package has no {file}: pack it again, with all of {expected}.")]
    Missing {
        /// What is not there.
        file: &'static str,
        /// What has to be there.
        expected: String,
    },
    /// The package has a file that nothing accounts for.
    #[error("the model package holds {file}, which belongs to no package: remove it, or pack again from a folder without it.")]
    Unexpected {
        /// Its name.
        file: String,
    },
    /// A file is larger than what loads.
    #[error("{file} has {bytes} bytes, and {bytes_max} is the most that loads: train a smaller model, or raise the limit.")]
    TooLarge {
        /// Its name.
        file: String,
        /// As large as it is.
        bytes: u64,
        /// As large as it may be.
        bytes_max: u64,
    },
    /// A key cannot be read. Never says what was in it.
    #[error("{what} is not a key: it has to be 64 hexadecimal digits, as `headway models sign` writes them.")]
    Key {
        /// Which of the keys.
        what: String,
    },
    /// The signature's file cannot be read.
    #[error("model.sig cannot be read: {reason}. Sign the package again.")]
    Signature {
        /// What is wrong with it.
        reason: String,
    },
    /// The package is not what was signed.
    #[error(
        "the model package has the digest {found}, and its signature is for {signed}: a file was changed after it was signed. \
         Fetch the package again, or sign it again if the change was meant."
    )]
    Changed {
        /// Of the files that are there.
        found: String,
        /// Of the files that were signed.
        signed: String,
    },
    /// Nobody who is trusted signed the package.
    #[error(
        "the model package is signed by the key {key}, which is none of the {trusted} that are trusted: add the key to them if you know \
         whose it is, or have the package signed by somebody who is trusted."
    )]
    Untrusted {
        /// The public key that the package names.
        key: String,
        /// How many keys are trusted.
        trusted: usize,
    },
    /// The package names a key that is trusted, and the signature is not of that key.
    #[error(
        "the signature of the model package is not one of the key {key}: somebody else made it. Do not load it; sign the package again."
    )]
    Forged {
        /// The public key that the package names.
        key: String,
    },
    /// `model.toml` does not say what it should.
    #[error("model.toml: {reason}")]
    Manifest {
        /// What is wrong, where, and what to write instead.
        reason: String,
    },
    /// The model is not one that runs here.
    #[error("model.onnx is refused: {reason}. Export it again as docs/reference/model-package.md shows.")]
    Model {
        /// What is wrong with it.
        reason: String,
    },
    /// The model does not say what its author saw it say.
    #[error(
        "golden row {row} gives {found} for {output} where model.toml expects {expected}: the model here is not the one that was tested. \
         Write the golden rows again with this model.onnx, and look into why they differ."
    )]
    Golden {
        /// Which of them, counted from 0.
        row: usize,
        /// Which output.
        output: String,
        /// What came out.
        found: f32,
        /// What should.
        expected: f32,
    },
    /// The package is sound, and not for this pipeline.
    #[error("the model does not fit the pipeline: {reason} Train it for this pipeline, or correct [case.model].")]
    Misfit {
        /// What is different.
        reason: String,
    },
    /// The caller's rows do not fit the signature.
    #[error(
        "{values} values and {places} places for predictions were given, and a row has {inputs} inputs and {outputs} outputs."
    )]
    Rows {
        /// How many values were given.
        values: usize,
        /// How many predictions there is room for.
        places: usize,
        /// As the signature has them.
        inputs: usize,
        /// As the signature has them.
        outputs: usize,
    },
    /// A prediction is not a number. The others are in place.
    #[error(
        "the model says {value} for {output} of row {row}: this row needs a fallback, and the model a look at what it makes of such values."
    )]
    NotFinite {
        /// The first row with one, counted from 0.
        row: usize,
        /// Which output.
        output: String,
        /// What it says.
        value: f32,
    },
    /// The network could not be computed.
    #[error("the model could not be computed: {reason}. Load another version, and keep this package to find out why.")]
    Run {
        /// What tract said.
        reason: String,
    },
}

impl Error {
    /// What is wrong, in a word for counts.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } | Self::Missing { .. } | Self::Unexpected { .. } | Self::TooLarge { .. } => "files",
            Self::Changed { .. } => "digest",
            Self::Key { .. } | Self::Untrusted { .. } => "key",
            Self::Signature { .. } | Self::Forged { .. } => "seal",
            Self::Manifest { .. } => "manifest",
            Self::Model { .. } | Self::Run { .. } => "operators",
            Self::Golden { .. } | Self::NotFinite { .. } => "golden_rows",
            Self::Misfit { .. } | Self::Rows { .. } => "signature",
        }
    }
}
