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
    /// List the models that are kept for a pipeline, which of them speaks, which challenge it, and which one spoke before
    List(ModelsList),
    /// Choose the model that speaks: a package is loaded as a scorer does, kept, and speaks from now on; a process that runs in the folder
    /// switches at once. A package that is refused leaves everything as it was. Exit code 78: it is refused
    Use(ModelsUse),
    /// Ask a model beside the one that speaks: about each prediction, from now on, and what it says goes to the topic `shadow`. It is loaded
    /// and kept as by `use`, and speaks to nobody; at most four challenge at a time. Exit code 78: it is refused
    Challenge(ModelsChallenge),
    /// Let a challenger go: it is kept, and not asked any longer
    Withdraw(ModelsWithdraw),
}

/// Whose models.
#[derive(Args, Debug)]
pub(crate) struct ModelsOf {
    /// Where Headway keeps everything
    #[arg(long, default_value = ".headway", value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// The folder that several processes share; they follow within a second
    #[arg(long, value_name = "FOLDER", conflicts_with = "folder")]
    pub(crate) shared: Option<PathBuf>,
    /// Which pipeline, when several run
    #[arg(long, value_name = "ID")]
    pub(crate) pipeline: Option<String>,
}

/// Arguments of `models list`.
#[derive(Args, Debug)]
pub(crate) struct ModelsList {
    #[command(flatten)]
    pub(crate) of: ModelsOf,
}

/// Arguments of `models use`.
#[derive(Args, Debug)]
pub(crate) struct ModelsUse {
    /// A folder with a package; or the first digits of the digest of one that is kept; or none, for the estimates that need no model
    #[arg(value_name = "PACKAGE|DIGEST|none", required_unless_present = "back", conflicts_with = "back")]
    pub(crate) model: Option<String>,
    /// The one that spoke before; again for the one before that
    #[arg(long)]
    pub(crate) back: bool,
    #[command(flatten)]
    pub(crate) trust: ModelsTrust,
    #[command(flatten)]
    pub(crate) of: ModelsOf,
}

/// Arguments of `models challenge`.
#[derive(Args, Debug)]
pub(crate) struct ModelsChallenge {
    /// A folder with a package; or the first digits of the digest of one that is kept
    #[arg(value_name = "PACKAGE|DIGEST")]
    pub(crate) model: String,
    #[command(flatten)]
    pub(crate) trust: ModelsTrust,
    #[command(flatten)]
    pub(crate) of: ModelsOf,
}

/// Arguments of `models withdraw`.
#[derive(Args, Debug)]
pub(crate) struct ModelsWithdraw {
    /// The first digits of the digest of a challenger
    #[arg(value_name = "DIGEST")]
    pub(crate) digest: String,
    #[command(flatten)]
    pub(crate) of: ModelsOf,
}

/// Whom to trust.
#[derive(Args, Debug)]
pub(crate) struct ModelsTrust {
    /// Where no process runs, whose packages are trusted beside those of the file `trusted-keys` in the folder: a public key, or a file
    /// with some; again, or with a comma between two, for more. A process goes by what it was started with, and by that file
    #[arg(long, env = "HEADWAY_TRUST", value_name = "KEY-OR-FILE", value_delimiter = ',')]
    pub(crate) trust: Vec<String>,
}

/// Arguments of `models verify`.
#[derive(Args, Debug)]
pub(crate) struct ModelsVerify {
    /// Folder with model.onnx, model.toml and model.sig
    pub(crate) folder: PathBuf,
    /// A public key whose packages are trusted, as 64 hexadecimal digits, or a file with one on each line, where # begins a comment;
    /// again, or with a comma between two, for more of them
    #[arg(long, env = "HEADWAY_TRUST", value_name = "KEY-OR-FILE", value_delimiter = ',')]
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
