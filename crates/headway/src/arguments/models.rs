//! What `headway models` may be asked.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// What to do with a model package.
#[derive(Debug, Subcommand)]
pub(crate) enum Models {
    /// Load a package the way a scorer does - digest, signature, limits, operators, golden rows - and tell what was checked, or why it is
    /// refused and what to do. Exit code 78: it is refused
    Verify(ModelsVerify),
    /// Show what a package says of itself. It has to be sound, and signed; by whom is for `verify`
    Show(ModelsShow),
    /// Sign a package that loads: write its model.sig, in place of one that is there
    Sign(ModelsSign),
}

/// Arguments of `models verify`.
#[derive(Args, Debug)]
pub(crate) struct ModelsVerify {
    /// Folder with model.onnx, model.toml and model.sig
    pub(crate) folder: PathBuf,
    /// A public key whose packages are trusted, as 64 hexadecimal digits, or a file with one on each line, where # begins a comment;
    /// again for more of them
    #[arg(long, value_name = "KEY-OR-FILE")]
    pub(crate) trust: Vec<String>,
}

/// Arguments of `models show`.
#[derive(Args, Debug)]
pub(crate) struct ModelsShow {
    /// Folder with model.onnx, model.toml and model.sig
    pub(crate) folder: PathBuf,
}

/// Arguments of `models sign`.
#[derive(Args, Debug)]
pub(crate) struct ModelsSign {
    /// Folder with model.onnx and model.toml
    pub(crate) folder: PathBuf,
    #[command(flatten)]
    pub(crate) key: SecretKey,
}

/// Where the secret key is: one of both.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct SecretKey {
    /// File with the secret key, as 64 hexadecimal digits
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,
    /// Draw a new secret key and write it to this file, which only its owner may read; an existing one is never overwritten
    #[arg(long, value_name = "FILE")]
    pub(crate) new_key: Option<PathBuf>,
}
